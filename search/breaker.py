"""A circuit breaker: who does not answer is not asked for a while.

It follows the share of failures as a moving average that forgets a fifth with every call. Three
failures in a row open it, and so does a server of which about every other call fails, which a count
of failures in a row never notices. A success closes it, but is not forgiveness: after a long outage
the next failures open it at once, until a few answers have brought the average down.
"""

import time
from collections.abc import Callable
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)

WEIGHT = 0.2  # of the latest call in the share of failures
TOO_MANY = 0.48  # three failures in a row from none make 0.488
OPEN_S = 2.0  # until one call may try; longer than a call takes, see `succeeded`


class State(StrEnum):
    """What a call meets."""

    CLOSED = "closed"  # it is made
    OPEN = "open"  # it is not
    HALF_OPEN = "half-open"  # one is made, to see


class Breaker:
    """Closed, it lets every call pass; open, none; half-open, one at a time to see.

    For one event loop: nothing in it awaits.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failing = 0.0  # the share of failures
        self._next_trial: float | None = None  # when a trial may start; None: closed
        self._trying = False

    @property
    def state(self) -> State:
        """What the next call meets."""
        if self._next_trial is None:
            return State.CLOSED
        waits = not self._trying and self._clock() < self._next_trial
        return State.OPEN if waits else State.HALF_OPEN

    def lets_pass(self) -> bool:
        """Whether this call may be made; each that is must be reported as one of the two below."""
        if self._next_trial is None:
            return True
        if self._clock() < self._next_trial:
            return False
        # A trial that never reports, because its client has gone, only costs another wait.
        self._next_trial = self._clock() + OPEN_S
        self._trying = True
        return True

    def succeeded(self) -> None:
        """The call was answered: close, if it was the trial.

        What began before it opened has ended before a trial begins, and closes nothing: of a slow
        server's calls some always succeed late.
        """
        self._failing *= 1 - WEIGHT
        if self._trying:
            log.warning("search engine answers again")
            self._next_trial, self._trying = None, False

    def failed(self) -> None:
        """The call was not answered: open when too many were not, or when it was the trial."""
        self._failing = self._failing * (1 - WEIGHT) + WEIGHT
        if self._next_trial is None and self._failing < TOO_MANY:
            return
        if self._next_trial is None:
            log.error("search engine does not answer: PostgreSQL does", failing=self._failing)
        self._next_trial, self._trying = self._clock() + OPEN_S, False

"""A circuit breaker: who does not answer is not asked for a while."""

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

FAILURES = 3  # in a row that open it
OPEN_S = 2.0  # until one call may try


class Breaker:
    """Closed, it lets every call pass; open, none; half-open, one at a time to see.

    For one event loop: nothing in it awaits.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._next_trial: float | None = None  # when a trial may start; None: closed

    @property
    def closed(self) -> bool:
        """Whether every call passes."""
        return self._next_trial is None

    def lets_pass(self) -> bool:
        """Whether this call may be made; each that is must be reported as one of the two below."""
        if self._next_trial is None:
            return True
        if self._clock() < self._next_trial:
            return False
        # A trial that never reports, because its client has gone, only costs another wait.
        self._next_trial = self._clock() + OPEN_S
        return True

    def succeeded(self) -> None:
        """The call was answered: close."""
        if not self.closed:
            log.warning("search engine answers again")
        self._failures, self._next_trial = 0, None

    def failed(self) -> None:
        """The call was not answered: the third in a row opens, and so does a trial."""
        self._failures += 1
        if self._failures >= FAILURES:
            if self.closed:
                log.error("search engine does not answer: PostgreSQL does", failures=FAILURES)
            self._next_trial = self._clock() + OPEN_S

"""A Celery beat that a jump of the wall clock does not stop.

It takes both: the scheduler decides which entry's turn it is, the entry's schedule whether to send.
"""

import time
from pathlib import Path
from typing import Any

from celery.beat import Scheduler
from celery.schedules import schedstate, schedule


class SteadyScheduler(Scheduler):  # type: ignore[misc]  # Celery ships no types
    """Orders its entries, and sleeps, by the monotonic clock.

    Celery's own goes by the wall clock: set back by an hour, it would look at no entry for an hour.
    An entry for a time of day may come early or late by as much as the clock jumped, once. Every
    three minutes of sending, it touches the file that `--schedule` names, for a health check to
    look at; it has no other use for one.
    """

    def __init__(self, *args: Any, schedule_filename: str, **options: Any) -> None:
        super().__init__(*args, **options)
        unnamed = schedule_filename == self.app.conf.beat_schedule_filename
        self._alive = None if unnamed else Path(schedule_filename)

    def sync(self) -> None:
        """Say that something was sent."""
        if self._alive is not None:
            self._alive.touch()

    def _when(self, entry: Any, next_time_to_run: float, **_: Any) -> float:  # noqa: ARG002 - Celery's
        return time.monotonic() + (self.adjust(next_time_to_run) or 0.0)


class Ticking(schedule):  # type: ignore[misc]  # Celery ships no types
    """Due every so many seconds by the monotonic clock.

    Celery's own asks how long ago it last ran by the wall clock: set back by an hour, beat would
    send nothing for an hour.
    """

    def __init__(self, run_every: float, *args: Any, **kwargs: Any) -> None:
        super().__init__(run_every, *args, **kwargs)
        self._due_at = time.monotonic()

    def is_due(self, last_run_at: Any) -> Any:  # noqa: ARG002 - that is the point
        """Whether it is due now, and the seconds until it is asked again."""
        now = time.monotonic()
        if now < self._due_at:
            return schedstate(is_due=False, next=self._due_at - now)
        self._due_at = now + self.seconds
        return schedstate(is_due=True, next=self.seconds)

"""A Celery schedule that a jump of the wall clock does not stop."""

import time
from typing import Any

from celery.schedules import schedstate, schedule


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

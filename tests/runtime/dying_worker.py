"""A worker that meets an error that it does not survive, while its pool is busy for long."""

import os
import time
from pathlib import Path
from typing import Any

from celery import bootsteps

from runtime.clients import celery
from runtime.settings import settings

_BUSY = Path(os.environ["BUSY"])


app = celery(settings(), "dying")


@app.task(name="dying.work")  # type: ignore[untyped-decorator]
def work() -> None:
    """Keep the pool busy."""
    _BUSY.touch()
    time.sleep(1000)


class Dies(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
    """As the consumer did when it had lost the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Fail once the pool is busy."""
        work.delay()
        parent.hub.on_tick.add(_fail)


def _fail() -> None:
    if _BUSY.exists():
        raise AttributeError("'NoneType' object has no attribute 'hostname'")


app.steps["consumer"].add(Dies)

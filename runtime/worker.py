"""Celery's worker, which ends when it cannot go on."""

import os
import signal
import threading

from billiard import active_children
from celery.apps import worker as celery

LAST_S = 5.0  # for what is under way


class Worker(celery.Worker):  # type: ignore[misc]  # Celery ships no types
    """After an error that it does not survive it ends, so that another is started.

    Celery waits for its pool then, and was seen to do so for ever, deaf and alive, when broker and
    database went away at once. Tasks that are cut off are done by the next worker.
    """

    def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
        """Shut down; at the latest in 5 s if it is for an error, which has an exit code."""
        if exitcode:
            last = threading.Timer(LAST_S, _end, [exitcode])
            last.daemon = True
            last.start()
        super().stop(in_sighandler, exitcode)


def _end(exitcode: int) -> None:
    for child in active_children():
        os.kill(child.pid, signal.SIGKILL)
    os._exit(exitcode)

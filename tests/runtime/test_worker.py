"""Celery's worker ends when it cannot go on, so that what started it starts another."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from devstack.processes import wait_until
from runtime.settings import Settings


def test_a_worker_that_cannot_go_on_ends_with_its_children(
    settings: Settings, tmp_path: Path
) -> None:
    log, busy = tmp_path / "worker.log", tmp_path / "busy"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [*(sys.executable, "-m", "celery", "-A", "tests.runtime.dying_worker", "worker"),
             "--concurrency", "2", "--without-mingle", "--without-gossip"],
            env=os.environ | {"RIDES_REDIS_URL": settings.redis_url, "BUSY": str(busy)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    children: list[psutil.Process] = []

    def forked() -> bool:
        children[:] = psutil.Process(worker.pid).children()
        return len(children) >= 2

    try:
        assert wait_until(forked, timeout=30), log.read_text()
        assert worker.wait(30) == 1, log.read_text()
        gone, alive = psutil.wait_procs(children, timeout=5)
        assert (len(gone), alive) == (2, [])
    finally:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
    assert "Unrecoverable error" in log.read_text()

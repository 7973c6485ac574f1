"""The API as a process of its own, on a port of its own, which a test may kill."""

import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from devstack.processes import free_port, wait_until
from runtime.settings import Settings
from tests.conftest import SECRET

READY_S = 60


class Served:
    """Runs `rides serve` for its block, on the database of `settings`."""

    def __init__(self, settings: Settings, log: Path, **environment: str) -> None:
        self.port = free_port(None)
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._environment = os.environ | {
            "RIDES_DATABASE_URL": settings.database_url,
            "RIDES_ELASTICSEARCH_URL": "",
            "RIDES_PAYMENTS": "sandbox",
            "RIDES_SECRET_KEY": SECRET,
            "RIDES_PORT": str(self.port),
            "RIDES_LOG_LEVEL": "warning",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it (again), and wait until it answers."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", "serve"],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        assert wait_until(self._alive, timeout=READY_S), self._log.read_text()[-4000:]

    def kill(self) -> None:
        """End it as a crash would: kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def stop(self) -> None:
        """End it as a deployment does: SIGTERM."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)
        self._process = None

    def _alive(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

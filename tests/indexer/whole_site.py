"""A whole site of a test's own: three servers, and worker, beat and API as they are deployed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import redis
import yaml
from elasticsearch import Elasticsearch

from devstack.processes import free_port, wait_until
from tests.conftest import SECRET
from tests.faults import ANYTHING, OwnElasticsearch, OwnPostgres, OwnValkey, Wire

ALIAS = "vehicles"
_REPOSITORY = Path(__file__).parents[2]
_BOOT_S = 60
_CLOCK = Path(__file__).with_name("jumping_clock")


class Deployed:
    """One of our processes, which is killed with its children and started again.

    One that ends by itself starts anew, as deployed (`restart: unless-stopped`): Celery's worker
    does so at times when it loses the broker (`file descriptor is None`).
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        log: Path,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._command, self._environment, self._ready = command, environment, ready
        self.log = log
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start it (again) and wait until it is ready."""
        self._wanted = True
        self._run()
        assert wait_until(self._ready, timeout=_BOOT_S), f"not ready: {self.tail()}"

    def _run(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                cwd=self.log.parent,
                env=os.environ | self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watch = threading.Thread(target=self._supervise, args=(self.process,), daemon=True)
        self._watch.start()

    def _supervise(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        with self._lock:
            if self._wanted and process is self.process:
                print(f"\n{self.log.stem} ended by itself: {self.tail()}")  # noqa: T201
                time.sleep(1)
                self._run()

    def kill(self) -> None:
        """End it and its children with SIGKILL."""
        with self._lock:
            self._wanted = False
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self._watch.join(10)

    def tail(self) -> str:
        """The last lines of its log."""
        return f"{self.log}:\n" + "\n".join(self.log.read_text().splitlines()[-15:])


@dataclass
class WholeSite:
    """What can be broken. Our processes reach Elasticsearch through `wire`, tests directly."""

    postgres: OwnPostgres
    valkey: OwnValkey
    elasticsearch: OwnElasticsearch
    wire: Wire
    worker: Deployed
    beat: Deployed
    api: Deployed
    address: str  # of the API
    environment: dict[str, str]
    home: Path
    client: Elasticsearch
    poisoned: set[int]  # vehicles whose documents no index can take

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, on a connection of its own: none outlives its server."""
        with psycopg.connect(self.postgres.url, autocommit=True, connect_timeout=5) as conn:
            cursor = conn.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def dirty(self) -> int:
        """Rows of the dirty log."""
        return int(self.sql("SELECT count(*) FROM search_dirty")[0][0])

    def hints(self) -> int:
        """How many messages the broker was sent since it was started."""
        with redis.Redis.from_url(self.valkey.url) as broker:
            return int(broker.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0))

    def rides(self, *arguments: str) -> subprocess.Popen[str]:
        """A `rides` command of an operator, under way."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=_REPOSITORY,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def done(self, *arguments: str, seconds: float = 120) -> str:
        """What a `rides` command printed, which must succeed."""
        process = self.rides(*arguments)
        said, complained = process.communicate(timeout=seconds)
        assert process.returncode == 0, f"rides {' '.join(arguments)}: {said}{complained}"
        return said

    def set_clock_off(self, seconds: int) -> None:
        """Have the wall clock of worker and beat jump, as they run, to so far from the right."""
        _set_off(self.home / "clock", seconds)


def _set_off(clock: Path, seconds: int) -> None:
    partial = clock.with_suffix(".new")
    partial.write_text(str(seconds))
    partial.replace(clock)


@contextmanager
def whole_site(home: Path) -> Iterator[WholeSite]:
    """Start it on an empty, migrated database; everything ends with the block.

    Raises:
        ElasticsearchUnavailableError: this machine cannot have one; says what is missing.
    """
    with ExitStack() as stack:
        postgres, valkey, elastic = _servers(stack, home)
        wire = Wire(elastic.port, ANYTHING)
        stack.callback(wire.close)
        port = free_port()
        address = f"127.0.0.1:{port}"
        _set_off(home / "clock", 0)
        environment = {
            "RIDES_DATABASE_URL": postgres.url,
            "RIDES_REDIS_URL": valkey.url,
            "RIDES_ELASTICSEARCH_URL": wire.url,
            "RIDES_INDEX_ALIAS": ALIAS,
            "RIDES_SECRET_KEY": SECRET,
            "RIDES_PORT": str(port),
            "PYTHONPATH": str(_REPOSITORY),
        }
        jumping = environment | {
            "RIDES_TEST_CLOCK": str(home / "clock"),
            "PYTHONPATH": os.pathsep.join([str(_CLOCK), str(_REPOSITORY)]),
        }
        services = yaml.safe_load((_REPOSITORY / "docker-compose.yml").read_text())["services"]
        processes = {
            "worker": Deployed(services["worker"]["command"], jumping, home / "worker.log"),
            "beat": Deployed(services["beat"]["command"], jumping, home / "beat.log"),
            "api": Deployed(
                ["cli", "serve"],
                environment,
                home / "api.log",
                lambda: _answers(f"http://{address}/health/ready"),
            ),
        }
        client = stack.enter_context(Elasticsearch(elastic.url, request_timeout=30))
        site = WholeSite(
            postgres,
            valkey,
            elastic,
            wire,
            **processes,
            address=address,
            environment=environment,
            home=home,
            client=client,
            poisoned=set(),
        )
        site.done("migrate")
        for process in processes.values():
            process.start()
            stack.callback(process.kill)
        yield site


def _servers(stack: ExitStack, home: Path) -> tuple[OwnPostgres, OwnValkey, OwnElasticsearch]:
    """All three, booting at the same time."""
    with ThreadPoolExecutor() as pool:
        kinds = (OwnPostgres, OwnValkey, OwnElasticsearch)
        started = [pool.submit(kind, home / kind.__name__) for kind in kinds]
    for each in started:
        if each.exception() is None:
            stack.callback(each.result().remove)  # type: ignore[attr-defined]
    one, two, three = (each.result() for each in started)
    return one, two, three  # type: ignore[return-value]


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.TransportError:
        return False

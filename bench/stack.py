"""What is measured: servers, a marketplace of the asked size, an index, an API process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from elasticsearch import Elasticsearch
from psycopg import sql
from sqlalchemy.engine import make_url

from devstack import stack
from runtime.settings import Settings, settings

# Where the servers are, of those that the bench starts itself.
VARIABLES = ("RIDES_DATABASE_URL", "RIDES_REDIS_URL", "RIDES_ELASTICSEARCH_URL")
SECRET = "benchmarks sign with this secret, and nothing else does"


def rides(*arguments: str) -> None:
    """Run a `rides` command on the environment's servers."""
    subprocess.run([sys.executable, "-m", "cli", *arguments], check=True)


@dataclass(frozen=True)
class Bench:
    """Where the servers keep their state, and how large the marketplace is."""

    state: Path
    vehicles: int

    def market(self) -> Settings:
        """Servers of the bench's own and an indexed marketplace, kept for the next run."""
        servers(self.state)
        os.environ["RIDES_INDEX_ALIAS"] = f"vehicles-{self.vehicles}"  # of each size its own
        database(f"bench_{self.vehicles}")
        rides("seed", "--if-empty", "--vehicles", str(self.vehicles))
        rides("reindex", "--if-needed")
        return settings()

    @contextmanager
    def durable_market(self) -> Iterator[Settings]:
        """A marketplace in a PostgreSQL that waits for the disk, as deployed; no index of it."""
        servers(self.state)
        elsewhere = os.environ.pop("RIDES_DATABASE_URL")
        state = self.state / "durable"
        try:
            servers(state, durable=True)
            database(f"bench_{self.vehicles}")
            rides("seed", "--if-empty", "--vehicles", str(self.vehicles))
            yield settings()
        finally:
            stack.down(state)
            os.environ["RIDES_DATABASE_URL"] = elsewhere
            settings.cache_clear()


def servers(state_dir: Path, *, durable: bool = False) -> None:
    """Start what the environment does not name, and point the environment there.

    Not `durable` where the same code is measured on both sides: its data are thrown away.
    """
    # As installed packages are: otherwise each command would spend two seconds on compiling them.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found = stack.up(state_dir, durable=durable, on_step=print)
    if found.elasticsearch_url is None:
        raise SystemExit(found.missing)
    os.environ.update(
        found.environment(),
        RIDES_SECRET_KEY=SECRET,
        RIDES_LOG_LEVEL="warning",
        RIDES_RATE_LIMITS="false",
    )


def database(name: str) -> None:
    """Point the environment to a migrated database of this name, made if there is none."""
    server = os.environ["RIDES_DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchall():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_url(server).set(database=name)
    os.environ["RIDES_DATABASE_URL"] = url.render_as_string(hide_password=False)
    settings.cache_clear()
    rides("migrate")


def copy(url: str, name: str) -> str:
    """A copy of a database, anew, under another name; its URL."""
    copied = make_url(url).set(database=name).render_as_string(hide_password=False)
    maintenance = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE database = %s",
            [name],
        )
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(str(make_url(url).database))
            )
        )
    return copied


@contextmanager
def api_process(
    module: str = "cli", *, workers: int = 1, **others: str
) -> Iterator[tuple[str, psutil.Process]]:
    """One API process, `python -m MODULE serve`; its address and the process, to read its CPU time.

    With several `workers` the process is their parent.

    `others` are environment variables besides those of this process.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"RIDES_PORT": str(port)} | others
    command = [sys.executable, "-m", module, "serve", "--workers", str(workers)]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        yield f"127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def running(
    command: list[str], environment: dict[str, str] | None = None
) -> Iterator[psutil.Process]:
    """The process, in a group of its own, ended with its children."""
    process = subprocess.Popen(
        command,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def worker(state_dir: Path) -> AbstractContextManager[psutil.Process]:
    """Our worker with its beat, as deployed."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "indexer.tasks", "worker", "-B"),
        *("--loglevel", "WARNING", "--concurrency", "1"),
        *("--schedule", str(state_dir.resolve() / "celerybeat")),
    ]
    return running(command)


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU that it and its children have used."""
    each = [of.cpu_times() for of in (process, *process.children())]
    return float(sum(times.user + times.system for times in each))


def wait_for(url: str, seconds: float = 60) -> None:
    """Return once the address answers 200.

    Raises:
        TimeoutError: it does not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(f"{url} does not answer")


def settle(client: Elasticsearch, seconds: float = 300) -> None:
    """Wait until no merge is running, so that one measurement does not pay for another."""
    deadline = time.monotonic() + seconds
    quiet = 0
    while quiet < 3 and time.monotonic() < deadline:
        total = client.indices.stats(metric="merge")["_all"]["total"]
        quiet = 0 if total and total["merges"]["current"] else quiet + 1
        time.sleep(0.3)


def requests() -> dict[str, list[str]]:
    """The fixed requests by kind, with `+30` as the day in 30 days."""
    from datetime import UTC, datetime, timedelta

    today = datetime.now(UTC).date()
    raw = json.loads((Path(__file__).parent / "requests.json").read_text())
    return {
        kind: [
            "&".join(
                f"{name}={today + timedelta(days=int(value))}" if value.startswith("+") else part
                for part in query.split("&")
                for name, _, value in [part.partition("=")]
            )
            for query in queries
        ]
        for kind, queries in raw.items()
    }

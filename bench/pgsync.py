"""The indexer beside pgsync: the same rows, the same servers, loads in turn, lags one by one.

pgsync reads the write-ahead log, which the server must keep for it, and is installed into an
environment of its own: its Elasticsearch client is four major versions old and answers only to
`OPENSEARCH=true` here. Its index refreshes ten times a second, so that it need not wait for that;
its database has none of our triggers, ours none of its.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import psutil
import psycopg
from elasticsearch import Elasticsearch
from psycopg import sql
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from bench import lag, stack
from bench.lag import Index
from devstack import stack as devstack
from runtime.settings import settings

VEHICLES = 100_000
LOADS = 3  # of each side, in turn
RATES = (50, 200)  # writes a second
SECONDS = 20.0
IDLE_S = 10.0
OURS, PEER = "rides", "pgsync"
_REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "pgsync.txt"
_WATCHED = ("vehicles", "vehicle_features", "photos", "reviews", "bookings")
Measured = dict[str, Any]


def measure(state_dir: Path) -> Measured:
    """Load, lag, CPU when idle and what a kill loses, for both."""
    _servers(state_dir)
    stack.database(f"pgsync_{VEHICLES}_ours")
    stack.rides("seed", "--if-empty", "--vehicles", str(VEHICLES))
    # So that neither load meets a JVM that has not indexed yet, nor ours the search table of
    # PostgreSQL, which the first one fills as well: pgsync has no counterpart of it.
    stack.rides("reindex")
    ours = os.environ["RIDES_DATABASE_URL"]
    with psycopg.connect(ours, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
    peer = _copy(ours, f"pgsync_{VEHICLES}_peer")
    theirs, mine = Pgsync(peer, state_dir.resolve()), Rides(ours, state_dir.resolve())
    loads: dict[str, list[Measured]] = {PEER: [], OURS: []}
    try:
        for _ in range(LOADS):
            loads[PEER].append(theirs.load())
            loads[OURS].append(mine.load())
        measured = _measure(theirs)
    finally:
        theirs.remove()
    return {
        "vehicles": VEHICLES,
        PEER: {"loads": loads[PEER]} | measured,
        OURS: {"loads": loads[OURS]} | _measure(mine),
    }


def _servers(state_dir: Path) -> None:
    stack.servers(state_dir)
    with psycopg.connect(os.environ["RIDES_DATABASE_URL"], autocommit=True) as connection:
        if connection.execute("SHOW wal_level").fetchone() == ("logical",):
            return
        connection.execute("ALTER SYSTEM SET wal_level = 'logical'")
    devstack.down(state_dir)
    for name in stack.VARIABLES:  # or the servers that are down would be waited for
        os.environ.pop(name)
    stack.servers(state_dir)


def _copy(url: str, name: str) -> str:
    """The same rows in a database without our triggers."""
    copied = stack.copy(url, name)
    with psycopg.connect(copied, autocommit=True) as connection:
        for table in _WATCHED:
            connection.execute(
                sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table))
            )
    return copied


class Rides:
    """Ours, on the environment's database."""

    def __init__(self, url: str, state_dir: Path) -> None:
        self.url, self._state_dir = url, state_dir
        self.index = Index(settings().elasticsearch_url, settings().index_alias, "daily_rate")
        with self.running(), psycopg.connect(url, autocommit=True) as connection:
            lag.drained(connection)  # the seeding left a row for each change

    def load(self) -> Measured:
        """Seconds until the index holds all, as pgsync's load ends, and until it is in use."""
        with Elasticsearch(self.index.url) as client:
            stack.settle(client)
            begun = time.monotonic()
            command = [sys.executable, "-m", "cli", "reindex", "--json"]
            done = subprocess.run(command, check=True, capture_output=True)
            whole = time.monotonic() - begun
            stack.settle(client)
        checking = orjson.loads(done.stdout)["seconds_checking"]
        return {"filled_s": round(whole - checking, 2), "whole_s": round(whole, 2)}

    def running(self) -> AbstractContextManager[psutil.Process]:
        """The worker."""
        return stack.worker(self._state_dir)


class Pgsync:
    """The peer."""

    def __init__(self, url: str, state_dir: Path) -> None:
        self.url, self._home = url, state_dir / "pgsync"
        self._name = str(make_url(url).database)
        self.index = Index(settings().elasticsearch_url, "pgsync-vehicles", "daily_rate_cents")
        self._schema = self._home / "schema.json"
        self._environment = os.environ | _environment(url, self._home)
        self._binaries = _install(self._home)
        self._schema.write_bytes(orjson.dumps(_schema(self._name, self.index.name)))
        self._installed = False

    def load(self) -> Measured:
        """Seconds until the index holds all."""
        self.remove()
        with Elasticsearch(self.index.url) as client:
            stack.settle(client)
            self._run("bootstrap")
            self._installed = True
            begun = time.monotonic()
            self._run("pgsync")
            filled = time.monotonic() - begun
            stack.settle(client)
        return {"filled_s": round(filled, 2)}

    def running(self) -> AbstractContextManager[psutil.Process]:
        """Its daemon."""
        command = [str(self._binaries / "pgsync"), "--config", str(self._schema), "--daemon"]
        return stack.running(command, self._environment)

    def remove(self) -> None:
        """Remove its triggers, its slot, its index and what it remembers."""
        if self._installed:
            self._run("bootstrap", "--teardown")
        for checkpoint in self._home.glob(f".{self._name}*"):
            checkpoint.unlink()
        with Elasticsearch(self.index.url) as client:
            client.indices.delete(index=self.index.name, ignore_unavailable=True)

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / arguments[0], "--config", self._schema, *arguments[1:]],
            check=False,
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} of pgsync failed:\n{done.stdout[-3000:]}")


def _install(home: Path) -> Path:
    binaries = home / "venv" / "bin"
    if not (binaries / "pgsync").exists():
        subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
        subprocess.run(
            [binaries / "pip", "install", "--quiet", "--require-hashes", "-r", _REQUIREMENTS],
            check=True,
        )
    return binaries


def _environment(url: str, home: Path) -> dict[str, str]:
    database, broker = make_url(url), urlsplit(settings().redis_url)
    engine = urlsplit(settings().elasticsearch_url)
    return {
        "PG_HOST": str(database.host),
        "PG_PORT": str(database.port),
        "PG_USER": str(database.username),
        "PG_PASSWORD": str(database.password),
        "PG_DATABASE": str(database.database),
        "REDIS_HOST": str(broker.hostname),
        "REDIS_PORT": str(broker.port),
        "REDIS_AUTH": broker.password or "",
        "ELASTICSEARCH_HOST": str(engine.hostname),
        "ELASTICSEARCH_PORT": str(engine.port),
        "OPENSEARCH": "true",
        "ELASTICSEARCH": "false",
        "CHECKPOINT_PATH": str(home),
        # As they come, changes wait for 500 others or for a tenth of a second without any, which
        # a steady stream never has: at 50 writes a second that alone was 15 s of lag.
        "REDIS_WRITE_CHUNK_SIZE": "25",
        "POLL_TIMEOUT": "0.01",
        # With its 10 s the first load of 100,000 vehicles gives up: four chunks of 5,000 at once.
        "ELASTICSEARCH_TIMEOUT": "120",
    }


def _schema(database: str, index: str) -> list[Measured]:
    """What our view states, as far as pgsync can: it joins, it does not compute."""

    def many(table: str, label: str, *columns: str) -> Measured:
        variant = "scalar" if len(columns) == 1 else "object"
        relationship = {"type": "one_to_many", "variant": variant}
        return {
            "table": table,
            "columns": columns,
            "label": label,
            "relationship": relationship,
        }

    with psycopg.connect(os.environ["RIDES_DATABASE_URL"]) as connection:
        cursor = connection.execute("SELECT * FROM vehicles LIMIT 0")
        columns = [each.name for each in cursor.description or []]
    root = {
        "table": "vehicles",
        "columns": columns,
        "children": [
            many("vehicle_features", "features", "feature"),
            many("reviews", "ratings", "rating"),
            many("photos", "photos", "url"),
            many("bookings", "bookings", "id", "during", "status"),
        ],
    }
    setting = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "100ms"}
    return [{"database": database, "index": index, "setting": setting, "nodes": root}]


def _measure(side: Rides | Pgsync) -> Measured:
    measured: Measured = {"lag_ms": {}}
    index = side.index
    with side.running() as process:
        time.sleep(5)  # it has started
        begun = _cpu(process)
        time.sleep(IDLE_S)
        measured["idle_cpu_share"] = round((_cpu(process) - begun) / IDLE_S, 3)
        for rate in RATES:
            measured["lag_ms"][rate] = lag.measure(side.url, index, rate=rate, seconds=SECONDS)
            Console().print(f"{index.name}: {rate} writes/s: {measured['lag_ms'][rate]}")
    with lag.writing(side.url, RATES[-1]) as written:
        with side.running() as process:
            time.sleep(5)
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(3)
    with side.running():
        begun = time.monotonic()
        measured["lost_after_kill"] = lag.lost(index, written)
        measured["kill_writes"] = written.writes
        measured["caught_up_s"] = round(time.monotonic() - begun, 1)
    return measured


def _cpu(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in family)


def show(results: Measured) -> None:
    """Both beside each other, and what the goals say."""
    table = Table("", OURS, PEER, "ours / theirs")
    ours, peer = results[OURS], results[PEER]
    vehicles = results["vehicles"]

    def row(name: str, mine: float, theirs: float, unit: str) -> None:
        ratio = f"{mine / theirs:.2f}" if theirs else ""
        table.add_row(name, f"{mine:,.3g} {unit}", f"{theirs:,.3g} {unit}", ratio)

    def rate_of(side: Measured, part: str) -> float:
        return float(vehicles / statistics.median(load[part] for load in side["loads"]))

    theirs = rate_of(peer, "filled_s")
    row("load, until the index holds all", rate_of(ours, "filled_s"), theirs, "documents/s")
    row("load, ours checked and in use", rate_of(ours, "whole_s"), theirs, "documents/s")
    for rate in RATES:
        for part in ("p50", "p99"):
            mine, theirs = (each["lag_ms"][rate][part] for each in (ours, peer))
            row(f"lag at {rate} writes/s, {part}", mine, theirs, "ms")
    row("CPU when idle", ours["idle_cpu_share"] * 100, peer["idle_cpu_share"] * 100, "%")
    row("lost by kill -9", ours["lost_after_kill"], peer["lost_after_kill"], "vehicles")
    Console().print(table)

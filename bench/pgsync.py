"""The indexer beside pgsync: the same rows, the same servers, one after the other.

pgsync reads the write-ahead log, which the server must keep for it, and is installed into an
environment of its own: its Elasticsearch client is four major versions old and answers only to
`OPENSEARCH=true` here. Its index refreshes ten times a second, so that it need not wait for that;
its database has none of our triggers, ours none of its.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
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
    results: Measured = {"vehicles": VEHICLES, PEER: _measure_pgsync(peer, state_dir.resolve())}
    results[OURS] = _measure_ours(ours, state_dir.resolve())
    return results


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


def _measure_ours(url: str, state_dir: Path) -> Measured:
    os.environ["RIDES_DATABASE_URL"] = url
    settings.cache_clear()
    chosen = settings()
    index = Index(chosen.elasticsearch_url, chosen.index_alias, "daily_rate")
    with Elasticsearch(chosen.elasticsearch_url) as client:
        with stack.worker(state_dir), psycopg.connect(url, autocommit=True) as connection:
            lag.drained(connection)  # the seeding left a row for each change
        stack.settle(client)
        begun = time.monotonic()
        stack.rides("reindex")
        load_s = time.monotonic() - begun
        stack.settle(client)
    return {"load_s": round(load_s, 2)} | _measure(url, index, lambda: stack.worker(state_dir))


def _measure_pgsync(url: str, state_dir: Path) -> Measured:
    home = state_dir / "pgsync"
    binaries = _install(home)
    name = str(make_url(url).database)
    index = Index(settings().elasticsearch_url, "pgsync-vehicles", "daily_rate_cents")
    schema = home / "schema.json"
    schema.write_bytes(orjson.dumps(_schema(name, index.name)))
    for checkpoint in home.glob(f".{name}*"):
        checkpoint.unlink()
    with Elasticsearch(index.url) as client:
        client.indices.delete(index=index.name, ignore_unavailable=True)
        stack.settle(client)
    environment = os.environ | _environment(url, home)

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [binaries / arguments[0], "--config", schema, *arguments[1:]],
            check=False,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} of pgsync failed:\n{done.stdout[-3000:]}")

    run("bootstrap")
    begun = time.monotonic()
    run("pgsync")
    load_s = time.monotonic() - begun
    with Elasticsearch(index.url) as client:
        stack.settle(client)
    command = [str(binaries / "pgsync"), "--config", str(schema), "--daemon"]
    try:
        return {"load_s": round(load_s, 2)} | _measure(
            url, index, lambda: stack.running(command, environment)
        )
    finally:
        run("bootstrap", "--teardown")
        with Elasticsearch(index.url) as client:
            client.indices.delete(index=index.name, ignore_unavailable=True)


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


def _measure(url: str, index: Index, running: Callable[[], Any]) -> Measured:
    measured: Measured = {"lag_ms": {}}
    with running() as process:
        time.sleep(5)  # it has started
        begun = _cpu(process)
        time.sleep(IDLE_S)
        measured["idle_cpu_share"] = round((_cpu(process) - begun) / IDLE_S, 3)
        for rate in RATES:
            measured["lag_ms"][rate] = lag.measure(url, index, rate=rate, seconds=SECONDS)
            Console().print(f"{index.name}: {rate} writes/s: {measured['lag_ms'][rate]}")
    with lag.writing(url, RATES[-1]) as written:
        with running() as process:
            time.sleep(5)
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(3)
    with running():
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

    row("initial load", vehicles / ours["load_s"], vehicles / peer["load_s"], "documents/s")
    for rate in RATES:
        for part in ("p50", "p99"):
            mine, theirs = (each["lag_ms"][rate][part] for each in (ours, peer))
            row(f"lag at {rate} writes/s, {part}", mine, theirs, "ms")
    row("CPU when idle", ours["idle_cpu_share"] * 100, peer["idle_cpu_share"] * 100, "%")
    row("lost by kill -9", ours["lost_after_kill"], peer["lost_after_kill"], "vehicles")
    Console().print(table)

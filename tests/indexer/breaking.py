"""What can fail at a site, each from when it is felt until all is healthy again."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import combinations

import psutil
import psycopg

from cli import exits
from devstack.processes import wait_until
from tests import factory
from tests.faults import Fault
from tests.indexer.comparison import letters
from tests.indexer.test_bulk import TOO_LONG
from tests.indexer.whole_site import ALIAS, WholeSite
from tests.indexer.writers import Writers

SOAK = int(os.environ.get("RIDES_SOAK", "0"))  # pairs of faults
VEHICLES = 2000 if SOAK else 200
STAY_S = 15.0 if SOAK else 0.5  # that a fault stays once it is felt
FELT_S = 60.0  # a fault that is not felt by then is none
HOURS = 3600

Break = Callable[[WholeSite, Writers], AbstractContextManager[None]]


def until(condition: Callable[[], bool], what: str) -> None:
    assert wait_until(condition, timeout=FELT_S), f"not within {FELT_S:.0f} s: {what}"


def stay() -> None:
    time.sleep(STAY_S)


def piling_up(site: WholeSite) -> None:
    """The fault is felt: changes wait that cannot be brought into the index."""
    until(lambda: site.dirty() > 30, "changes pile up")


def refusing(site: WholeSite, writers: Writers) -> None:
    """The fault is felt: writers meet no server."""
    refused = writers.refused
    until(lambda: writers.refused > refused + 3, "writers meet no server")


@contextmanager
def worker_killed(site: WholeSite, _: Writers) -> Iterator[None]:
    site.worker.kill()
    try:
        piling_up(site)
        yield
    finally:
        site.worker.start()


@contextmanager
def worker_child_killed(site: WholeSite, _: Writers) -> Iterator[None]:
    """Its parent goes on, and forks another."""

    def children() -> list[psutil.Process]:
        return psutil.Process(site.worker.process.pid).children()

    until(lambda: len(children()) > 1, "the worker has forked")
    gone = children()
    for child in gone:
        child.kill()
    until(lambda: not {*gone} & {*children()} and len(children()) > 1, "others are forked")
    yield


@contextmanager
def beat_killed(site: WholeSite, _: Writers) -> Iterator[None]:
    """Whoever drains goes on for a while: only then is no hint missed."""
    site.beat.kill()
    try:
        yield
    finally:
        site.beat.start()


@contextmanager
def broker_killed(site: WholeSite, _: Writers) -> Iterator[None]:
    site.valkey.kill()
    try:
        yield
    finally:
        site.valkey.start()


@contextmanager
def api_killed(site: WholeSite, writers: Writers) -> Iterator[None]:
    site.api.kill()
    try:
        refusing(site, writers)
        yield
    finally:
        site.api.start()


@contextmanager
def elasticsearch_killed(site: WholeSite, _: Writers) -> Iterator[None]:
    site.elasticsearch.kill()
    try:
        piling_up(site)
        yield
    finally:
        site.elasticsearch.start()


@contextmanager
def postgres_killed(site: WholeSite, writers: Writers) -> Iterator[None]:
    site.postgres.kill()
    try:
        refusing(site, writers)
        yield
    finally:
        site.postgres.start()


@contextmanager
def postgres_restarted(site: WholeSite, writers: Writers) -> Iterator[None]:
    site.postgres.stop()
    try:
        refusing(site, writers)
        yield
    finally:
        site.postgres.start()


@contextmanager
def elasticsearch_full(site: WholeSite, _: Writers) -> Iterator[None]:
    """What Elasticsearch itself does above its flood-stage watermark, and takes back below it."""

    def block(blocked: bool | None) -> None:
        settings = {"index.blocks.read_only_allow_delete": blocked}
        site.client.indices.put_settings(index=f"{ALIAS}-*", settings=settings)

    def noticed() -> bool:
        rows = site.sql("SELECT detail FROM index_builds WHERE state = 'serving'")
        return "cluster_block_exception" in str(rows)

    block(True)
    try:
        until(noticed, "the serving build says that it is full")
        piling_up(site)
        yield
    finally:
        block(None)


@contextmanager
def elasticsearch_mute(site: WholeSite, _: Writers) -> Iterator[None]:
    """Longer than a batch waits: what it had sent arrives after it has been given up."""
    with site.elasticsearch.mute():
        time.sleep(12)
        piling_up(site)
        yield


def wired(*faults: Fault) -> Break:
    @contextmanager
    def broken(site: WholeSite, _: Writers) -> Iterator[None]:
        calls = site.wire.calls
        site.wire.does(*faults)
        try:
            until(lambda: site.wire.calls > calls + len(faults), "calls meet the fault")
            yield
        finally:
            site.wire.does(Fault.NONE)

    return broken


@contextmanager
def clock_jumping(site: WholeSite, _: Writers) -> Iterator[None]:
    """Those of worker and beat as they run; and leases written under a clock that was set back."""
    try:
        for hours in (6, -6):
            site.set_clock_off(hours * HOURS)
            for lease in ("365 days", "-365 days"):
                site.sql(f"UPDATE search_dirty SET leased_until = now() + interval '{lease}'")
                stay()
            hinted(site)
            searchable_soon(site)
        yield
    finally:
        site.set_clock_off(0)
    hinted(site)


def hinted(site: WholeSite) -> None:
    """Beat goes on: whoever drains now would hide for a while that it does not."""
    sent = site.hints()
    until(lambda: site.hints() > sent + 1, "beat sends hints")


def searchable_soon(site: WholeSite) -> None:
    """A change made now comes through, whatever the clocks say."""
    with psycopg.connect(site.postgres.url, autocommit=True) as conn:
        vehicle = factory.store_vehicle(conn)
    until(
        lambda: bool(site.client.exists(index=ALIAS, id=str(vehicle))), "the new vehicle is there"
    )


@contextmanager
def two_reindexes(site: WholeSite, _: Writers) -> Iterator[None]:
    """One is refused, the other swaps."""
    before = site.sql("SELECT index_name FROM index_builds WHERE state = 'serving'")
    rate = "2000"  # a quarter of a second a slice: slow enough to meet
    both = [site.rides("reindex", "--max-rate", rate) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    codes = {process.returncode: text for process, (_, text) in zip(both, said, strict=True)}
    assert codes.keys() == {0, exits.BUSY}, said
    assert "another `rides reindex` is running" in codes[exits.BUSY]
    after = site.sql("SELECT index_name FROM index_builds WHERE state = 'serving'")
    assert before != after
    assert [*site.client.indices.get_alias(name=ALIAS)] == [after[0][0]]
    yield


@contextmanager
def poisoned(site: WholeSite, _: Writers) -> Iterator[None]:
    """A new vehicle and one that was found before; they stay poisoned for all that comes."""
    with psycopg.connect(site.postgres.url, autocommit=True) as conn:
        for model in (TOO_LONG, "Panda"):
            vehicle = factory.store_vehicle(conn, model=model)
            if model != TOO_LONG:
                until(lambda v=vehicle: site.client.exists(index=ALIAS, id=str(v)), "it is found")  # type: ignore[misc]
                conn.execute("UPDATE vehicles SET model = %s WHERE id = %s", [TOO_LONG, vehicle])
            site.poisoned.add(vehicle)
            until(lambda: {v for _, v in letters(conn)} == site.poisoned, "it is a dead letter")
    yield


def restored(*, reindexes: int) -> Break:
    """PostgreSQL from a backup that is so many reindexes old, and mended by the runbook."""

    @contextmanager
    def broken(site: WholeSite, writers: Writers) -> Iterator[None]:
        with writers.paused():
            site.postgres.back_up()
            kept, then = writers.ledger.copy(), batches(site)
        for _ in range(reindexes):
            site.done("reindex")
        until(lambda: batches(site) > then + 3, "batches go to the index after the backup")
        with writers.paused():
            site.postgres.stop()
            site.postgres.restore()
            writers.ledger = kept
        until(lambda: stopped(site) in {BACKUP, GONE}, "the drain stops")
        assert stopped(site) in site.done("index", "status", "--json")
        yield
        site.done("reindex")
        site.done("index", "prune", "--standby")

    return broken


def batches(site: WholeSite) -> int:
    """How many versions have been given."""
    return int(site.sql("SELECT last_value FROM document_version")[0][0])


BACKUP, GONE = "restored from a backup", "no such index"


def stopped(site: WholeSite) -> str:
    """Why nothing is indexed, or ''. After a restore even the index may be gone, by a reindex."""
    detail = str(site.sql("SELECT detail FROM index_builds WHERE state = 'serving'"))
    return next((why for why in (BACKUP, GONE) if why in detail), "")


@contextmanager
def clock_off(site: WholeSite, _: Writers) -> Iterator[None]:
    site.set_clock_off(6 * HOURS)
    try:
        yield
    finally:
        site.set_clock_off(0)


@contextmanager
def reindexing(site: WholeSite, _: Writers) -> Iterator[None]:
    """One that meets a fault may give up, with nothing swapped; the same command goes on."""
    process = site.rides("reindex", "--max-rate", str(VEHICLES // 5))
    yield
    said = process.communicate(timeout=300)
    assert process.returncode in {0, exits.FAILED}, said
    if process.returncode:
        site.done("reindex")


@contextmanager
def broker_killed_for_minutes(site: WholeSite, _: Writers) -> Iterator[None]:
    """Whoever tries to reach it waits longer from one try to the next."""
    site.valkey.kill()
    try:
        time.sleep(300)
        yield
    finally:
        site.valkey.start()


MIXED = (Fault.RESET, Fault.OVERLOADED, Fault.UNAVAILABLE, Fault.GARBAGE, Fault.LATE, Fault.NONE)
FAULTS: dict[str, Break] = {
    "a poison document": poisoned,
    "worker killed": worker_killed,
    "children of the worker killed": worker_child_killed,
    "beat killed": beat_killed,
    "broker killed": broker_killed,
    "API killed": api_killed,
    "PostgreSQL killed": postgres_killed,
    "PostgreSQL restarted": postgres_restarted,
    "Elasticsearch full": elasticsearch_full,
    "Elasticsearch answering 429": wired(Fault.OVERLOADED),
    "Elasticsearch slow": wired(Fault.LATE),
    "Elasticsearch killed": elasticsearch_killed,
    "two reindexes at once": two_reindexes,
    "a clock that jumps": clock_jumping,
    "PostgreSQL restored": restored(reindexes=0),
}
LONG: dict[str, Break] = {
    "Elasticsearch reset, 429, 503, nonsense, late in turn": wired(*MIXED),
    "Elasticsearch mute": elasticsearch_mute,
    "PostgreSQL restored from before two reindexes": restored(reindexes=2),
    "broker killed for minutes": broker_killed_for_minutes,
}
# In the order in which they can be broken together: the later must not keep the earlier from being
# felt, and PostgreSQL, which tells what is felt, comes last.
PAIRED: dict[str, Break] = {
    "a reindex": reindexing,
    "Elasticsearch full": elasticsearch_full,
    "Elasticsearch answering 429": wired(Fault.OVERLOADED),
    "Elasticsearch slow": wired(Fault.LATE),
    "all kinds of answers": wired(*MIXED),
    "Elasticsearch mute": elasticsearch_mute,
    "a clock that is off": clock_off,
    "broker killed": broker_killed,
    "beat killed": beat_killed,
    "API killed": api_killed,
    "worker killed": worker_killed,
    "Elasticsearch killed": elasticsearch_killed,
    "PostgreSQL killed": postgres_killed,
    "PostgreSQL restarted": postgres_restarted,
}


def together(names: tuple[str, str]) -> Break:
    """One within the other."""

    @contextmanager
    def broken(site: WholeSite, writers: Writers) -> Iterator[None]:
        outer, inner = names
        with PAIRED[outer](site, writers), PAIRED[inner](site, writers):
            yield

    return broken


def pairs(count: int) -> dict[str, Break]:
    """So many pairs, the same ones every time."""
    possible = [pair for pair in combinations(PAIRED, 2) if not all("Postgre" in n for n in pair)]
    chosen = random.Random(11).sample(possible, min(count, len(possible)))
    return {" and ".join(pair): together(pair) for pair in chosen}

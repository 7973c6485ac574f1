"""A reindex that is killed again and again while writers write: nothing is lost, nothing wrong."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from indexer import audit, builds, drain, rebuild, slices, tasks
from tests import factory
from tests.indexer.site import Site, building
from tests.indexer.test_rebuild_failures import environment, rebuild_when_unlocked

KILLS = 2
VEHICLES = 60


@contextmanager
def always(site: Site, work: Callable[[Any], Any]) -> Iterator[None]:
    """Do it again and again in another thread, on a connection of its own."""
    stop = threading.Event()
    errors: list[Exception] = []

    def loop() -> None:
        try:
            with site.another() as conn:
                while not stop.is_set():
                    work(conn)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must know
            errors.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)
    assert errors == []


def test_a_reindex_killed_under_live_writes_is_gone_on_with_and_nothing_is_wrong(
    live: Site,
) -> None:
    chance = random.Random(1)
    host = factory.store_account(live.conn, "host")
    ids = [live.store(host_id=host) for _ in range(VEHICLES)]
    live.drain()

    def write(conn: Any) -> None:
        vehicle, what = chance.choice(ids), chance.random()
        if what < 0.5:
            conn.execute("UPDATE vehicles SET daily_rate_cents = daily_rate_cents + 1")
        elif what < 0.7:
            factory.store_review(conn, vehicle, chance.randint(100, 500))
        elif what < 0.9:
            status = chance.choice(["listed", "unlisted"])
            conn.execute("UPDATE vehicles SET status = %s WHERE id = %s", [status, vehicle])
        else:
            ids.append(factory.store_vehicle(conn, host_id=host))
        time.sleep(0.01)

    command = [sys.executable, "-m", "cli", "reindex", "--max-rate", "10"]
    with always(live, write), always(live, lambda conn: drain.drain(conn, live.elastic, longest=1)):
        names = set()
        for _ in range(KILLS):
            process = subprocess.Popen(command, env=environment(live), stderr=subprocess.DEVNULL)
            sent = progress(live)
            while progress(live) < sent + 5 and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            assert process.wait(timeout=10) == -signal.SIGKILL
            names.add(building(live).index_name)
        build = rebuild_when_unlocked(live)
        assert names == {build.index_name}, "one build, gone on with"
    live.due()
    live.drain()
    results = audit.audit(live.conn, live.elastic, deep=True, patience=10)
    assert len(results) == 3
    assert [(result.findings, result.pending) for result in results] == [([], 0)] * 3


def progress(site: Site) -> int:
    return sum(
        slices.progress(site.conn, build.id)[0] for build in builds.builds(site.conn, ["building"])
    )


def test_others_help_to_fill_and_a_slice_whose_filler_died_is_taken_over(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task is the same code on another connection; the rows say what is left to do."""
    ids = [live.store() for _ in range(20)]
    live.drain()
    monkeypatch.setattr(tasks, "settings", lambda: live.settings)
    build = builds.create(live.conn, live.elastic, live.alias)
    slices.plan(live.conn, build.id)
    dead = live.conn.execute(slices._LEASE, [build.id]).fetchone()  # then it is killed
    assert dead is not None

    tasks.fill(build.id)
    sent, expected, whole = slices.progress(live.conn, build.id)
    assert (expected, whole) == (20, False)
    assert 0 < sent < 20, "all but the slice of the dead one"
    live.conn.execute("UPDATE index_build_slices SET leased_until = now() - interval '1 second'")
    tasks.fill(build.id)
    assert slices.progress(live.conn, build.id) == (20, 20, True)
    assert live.rebuild().id == build.id
    assert live.found() == ids


def test_a_filler_leases_one_slice_where_the_slices_were_analysed_while_none_were(
    live: Site,
) -> None:
    """As autovacuum leaves them after a rebuild: the planner takes 16 slices for one."""
    for _ in range(5):
        live.store()
    live.rebuild()
    live.conn.execute("ANALYZE index_build_slices")
    build = builds.create(live.conn, live.elastic, live.alias)
    slices.plan(live.conn, build.id)
    assert len(live.conn.execute(slices._LEASE, [build.id]).fetchall()) == 1


def test_a_helper_of_a_build_that_is_gone_does_nothing(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.store()
    monkeypatch.setattr(tasks, "settings", lambda: live.settings)
    build = builds.create(live.conn, live.elastic, live.alias)
    slices.plan(live.conn, build.id)
    rebuild.prune(live.conn, live.elastic, standby=False)
    tasks.fill(build.id)
    tasks.fill(999)
    assert build.index_name not in live.indices()


def test_a_filler_that_was_overtaken_leaves_the_slice_to_the_other(live: Site) -> None:
    """Its lease ended while a page was under way: the page is sent twice, and counted once."""
    for _ in range(3):
        live.store()
    build = builds.create(live.conn, live.elastic, live.alias)
    slices.plan(live.conn, build.id)
    row = live.conn.execute(slices._LEASE, [build.id]).fetchone()
    assert row is not None
    part = slices.Slice(*row)
    for _ in range(2):
        slices._fill_slice(
            live.conn,
            live.elastic,
            build.id,
            build.index_name,
            part,
            slices.Throttle(None),
            lambda: False,
        )
    assert slices.progress(live.conn, build.id)[0] == 1


def test_the_nightly_task_audits_and_mends(live: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    vehicle = live.store()
    live.drain()
    live.elastic.delete(index=live.serving().index_name, id=str(vehicle))
    monkeypatch.setattr(tasks, "settings", lambda: live.settings)
    tasks.audit()
    assert [row[0] for row in live.dirty()] == [vehicle]
    live.drain()
    assert live.found() == [vehicle]

"""Rebuilds that must not go through, or are cut off: searches go on as they were."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer import builds, bulk, rebuild, slices
from indexer.builds import Build
from indexer.documents import Document
from indexer.rebuild import RebuildError, UnfaithfulError, needed
from tests import factory
from tests.indexer.site import Site, building, once_filled
from tests.indexer.test_bulk import TOO_LONG


def stop(site: Site) -> None:
    assert builds.stop(site.conn, building(site), "its disk is full")


# Refusals


def test_a_second_rebuild_at_once_is_refused(live: Site) -> None:
    live.store()
    refusals: list[str] = []

    def again() -> None:
        with live.another() as conn, pytest.raises(RebuildError) as refused:
            rebuild.rebuild(conn, live.elastic, live.alias, lambda done, total: None)
        refusals.append(str(refused.value))

    live.rebuild(once_filled(again))
    assert refusals == [
        "another `rides reindex` is running on this database: wait for it or stop it"
    ]
    live.rebuild()


def test_an_index_that_lacks_vehicles_is_not_swapped_in(live: Site) -> None:
    before = live.serving()
    ids = [live.store() for _ in range(3)]
    live.drain()

    def lose_one() -> None:
        name = building(live).index_name
        live.elastic.delete(index=name, id=str(ids[1]), refresh=True)

    with pytest.raises(UnfaithfulError, match=rf"1 missing \(vehicles {ids[1]}\)"):
        live.rebuild(once_filled(lose_one))
    assert live.serving().id == before.id
    assert live.found() == ids
    assert live.indices() == {before.index_name}


def test_an_index_that_shows_too_much_is_not_swapped_in(live: Site) -> None:
    live.store()
    live.drain()

    def add_one() -> None:
        bulk.send(live.elastic, building(live).index_name, [Document(999, b'{"id":999}')], 1)

    with pytest.raises(UnfaithfulError, match=r"1 extra \(vehicles 999\)"):
        live.rebuild(once_filled(add_one))


def test_a_build_that_the_drain_stopped_is_not_swapped_in(live: Site) -> None:
    """It lacks what was written since, whatever its number of documents."""
    before = live.serving()
    live.store()
    live.drain()
    with pytest.raises(RebuildError, match="`rides index status` says why"):
        live.rebuild(once_filled(lambda: stop(live)))
    assert live.serving().id == before.id
    live.rebuild()
    assert len(live.indices()) == 2, "the stopped one is removed by the next"


def test_a_full_disk_ends_the_rebuild_and_names_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.store()
    create = builds.create

    def blocked(*args: Any) -> Build:
        build = create(*args)
        block = {"index.blocks.write": True}
        site.elastic.indices.put_settings(index=build.index_name, settings=block)
        return build

    monkeypatch.setattr(builds, "create", blocked)
    with pytest.raises(RebuildError, match="did not take its documents: cluster_block_exception"):
        site.rebuild()
    assert site.indices() == set()


# Trouble that passes


def test_an_overload_that_passes_does_not_end_the_rebuild(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [site.store() for _ in range(3)]
    send, troubles = bulk.send, ["all", "one"]

    def overloaded(client: Any, index: str, batch: list[Document], version: int) -> Any:
        trouble = troubles.pop(0) if troubles else None
        if trouble == "all":
            raise bulk.OverloadedError("queue is full")
        if trouble == "one":
            send(client, index, batch[1:], version)
            return bulk.Outcome(later=batch[:1])
        return send(client, index, batch, version)

    monkeypatch.setattr(bulk, "send", overloaded)
    monkeypatch.setattr(slices, "backoff", lambda attempts: attempts / 100)
    site.rebuild()
    assert site.found() == ids
    assert troubles == []


def test_an_overload_that_stays_ends_the_rebuild(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = live.serving()
    live.store()
    tries: list[int] = []

    def overloaded(*_: Any) -> Any:
        tries.append(1)
        raise bulk.OverloadedError("queue is full")

    monkeypatch.setattr(bulk, "send", overloaded)
    monkeypatch.setattr(slices, "backoff", lambda attempts: 0)
    with pytest.raises(RebuildError, match="did not take its documents: queue is full"):
        live.rebuild()
    assert len(tries) == slices.TRIES
    assert live.serving().id == before.id
    left = building(live)
    monkeypatch.undo()
    assert live.rebuild().id == left.id, "it goes on from there"


def test_a_build_that_cannot_be_removed_now_is_removed_by_the_next_rebuild(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = live.serving()
    vehicle = live.store()
    live.drain()

    with Elasticsearch("http://127.0.0.1:1", max_retries=0) as nobody:

        def away() -> None:
            live.elastic.delete(index=building(live).index_name, id=str(vehicle))
            monkeypatch.setattr(live.elastic.indices, "delete", nobody.indices.delete)

        with pytest.raises(UnfaithfulError):
            live.rebuild(once_filled(away))
    monkeypatch.undo()
    (left,) = builds.builds(live.conn, ["stopped"])
    assert "1 missing" in str(left.detail)
    assert live.serving().id == before.id
    live.rebuild()
    assert left.index_name not in live.indices()


def test_when_postgres_goes_away_the_error_is_its_own(live: Site) -> None:
    live.store()
    live.drain()
    with live.another() as conn:

        def cut() -> None:
            live.conn.execute("SELECT pg_terminate_backend(%s)", [conn.info.backend_pid])

        with pytest.raises(Exception, match="terminating connection"):
            rebuild.rebuild(conn, live.elastic, live.alias, once_filled(cut))
    left = building(live)
    assert rebuild_when_unlocked(live).id == left.id
    assert builds.builds(live.conn, ["building"]) == []
    assert len(live.indices()) == 2


def test_poison_that_meets_in_a_small_page_does_not_keep_a_rebuild_from_its_end(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICES", 1)
    good = [live.store() for _ in range(18)]
    poison = [live.store(model=TOO_LONG) for _ in range(2)]
    build = live.rebuild()
    assert live.found() == good
    rows = live.conn.execute(
        "SELECT vehicle_id FROM index_dead_letters WHERE index_name = %s", [build.index_name]
    )
    assert sorted(row[0] for row in rows) == poison


# Interruptions


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interrupted_rebuild_leaves_searches_as_they_were(
    live: Site, interruption: type[BaseException]
) -> None:
    before = live.serving()
    vehicle = live.store()
    live.drain()

    def interrupt() -> None:
        raise interruption

    with pytest.raises(interruption):
        live.rebuild(once_filled(interrupt))
    assert live.found() == [vehicle]
    assert live.serving().id == before.id
    left = building(live)
    later = live.store()
    live.drain()
    assert live.rebuild().id == left.id, "the next one goes on from there"
    assert live.found() == [vehicle, later]


def test_a_build_that_cannot_be_gone_on_with_is_made_anew(live: Site) -> None:
    """Its index is gone, or it was made from another mapping."""
    live.store()
    for spoil in (
        lambda left: live.elastic.indices.delete(index=left.index_name),
        lambda _: live.conn.execute(
            "UPDATE index_builds SET mapping_hash = 'old' WHERE state = 'building'"
        ),
    ):
        left = builds.create(live.conn, live.elastic, live.alias)
        spoil(left)
        assert live.rebuild().id != left.id
        assert live.states()[left.index_name] == "dropped"
        assert left.index_name not in live.indices()


def test_a_killed_rebuild_goes_on_from_the_last_page_that_was_taken(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = live.serving()
    host = factory.store_account(live.conn, "host")
    vehicles = [live.store(host_id=host) for _ in range(60)]
    live.drain()
    script = textwrap.dedent("""
        import os, signal
        from indexer.rebuild import rebuild
        from models.session import connect
        from runtime.clients import elasticsearch
        from runtime.settings import settings
        with connect(settings(), application="t") as conn, elasticsearch(settings()) as client:
            rebuild(conn, client, settings().index_alias,
                    lambda done, total: done > 9 and os.kill(os.getpid(), signal.SIGKILL),
                    max_rate=20)
    """)
    killed = subprocess.run(
        [sys.executable, "-c", script], env=environment(live), timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    left = building(live)
    done, expected, whole = slices.progress(live.conn, left.id)
    assert (10 <= done < 60, expected, whole) == (True, 60, False)
    assert live.found() == vehicles
    changed = live.store(host_id=host)
    live.drain()
    sent: list[int] = []
    send = bulk.send
    monkeypatch.setattr(
        bulk,
        "send",
        lambda client, index, batch, version: (
            sent.extend(each.vehicle_id for each in batch) or send(client, index, batch, version)
        ),
    )
    after = rebuild_when_unlocked(live)
    assert after.id == left.id
    assert len(sent) == 60 - done, "no page that was taken is sent again"
    assert live.found() == [*vehicles, changed]
    assert live.states() == {before.index_name: "standby", after.index_name: "serving"}


def rebuild_when_unlocked(site: Site) -> Build:
    """The server notices within moments that a killed client is gone, and its lock with it."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return site.rebuild()
        except RebuildError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def environment(site: Site) -> dict[str, str]:
    return os.environ | {
        "RIDES_DATABASE_URL": site.settings.database_url,
        "RIDES_INDEX_ALIAS": site.alias,
        "RIDES_ELASTICSEARCH_URL": site.settings.elasticsearch_url,
    }


def test_a_crash_between_the_row_and_the_alias_leaves_searches_on_a_fed_index(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = live.store()
    live.drain()
    before = live.serving()
    with monkeypatch.context() as patch:

        def die(**_: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(live.elastic.indices, "update_aliases", die)
        with pytest.raises(KeyboardInterrupt):
            live.rebuild()
    assert live.found() == [vehicle]
    added = live.store()
    live.drain()
    assert live.found() == [vehicle, added]
    assert str(needed(live.conn, live.elastic, live.alias)).startswith("searches do not read")
    live.rebuild()
    assert live.found() == [vehicle, added]
    assert before.index_name not in live.indices()

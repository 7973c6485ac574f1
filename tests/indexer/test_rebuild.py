"""A rebuild under live writes and searches: nobody notices, nothing is missed, nothing is lost."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer import builds, bulk, rebuild
from indexer.builds import Build
from indexer.documents import Document
from indexer.rebuild import RebuildError, needed
from search.mapping import INDEX_SETTINGS, MAPPING_HASH, MAPPINGS
from tests import factory
from tests.indexer.conftest import Site
from tests.indexer.test_bulk import TOO_LONG


def building(site: Site) -> Build:
    (build,) = builds.builds(site.conn, ["building"])
    return build


def stop(site: Site) -> None:
    assert builds.stop(site.conn, building(site), "its disk is full")


def once_filled(then: Callable[[], None]) -> Callable[[int, int], None]:
    """Progress that calls `then` once, when everything has been sent."""
    pending = [then]

    def on_progress(done: int, total: int) -> None:
        if pending and done >= total > 0:
            pending.pop()()

    return on_progress


@contextmanager
def searching(site: Site) -> Iterator[list[Any]]:
    """Search without a pause in another thread; what each search found, or its error."""
    seen: list[Any] = []
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            try:
                seen.append(site.found())
            except Exception as error:  # noqa: BLE001 - whatever a user would see
                seen.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(timeout=30)


# A rebuild that goes well


def test_an_empty_marketplace_gets_an_index(site: Site) -> None:
    build = site.rebuild()
    assert site.found() == []
    assert site.states() == {build.index_name: "serving"}
    assert build.index_name == f"{site.alias}-{build.id}"


def test_the_index_is_that_of_the_code(live: Site) -> None:
    name = live.serving().index_name
    state = live.elastic.indices.get(index=name)[name]
    assert state["mappings"] == MAPPINGS
    assert state["settings"]["index"]["refresh_interval"] == INDEX_SETTINGS["refresh_interval"]
    assert set(state["aliases"]) == {live.alias, name + bulk.FEED}


def test_it_holds_the_listed_vehicles_over_several_pages(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "PAGE", 2)
    host = factory.store_account(site.conn, "host")
    ids = [site.store(host_id=host) for _ in range(9)]
    site.store(host_id=host, status="unlisted")
    told: list[tuple[int, int]] = []
    site.rebuild(lambda done, total: told.append((done, total)))
    assert site.found() == ids
    assert told[0] == (0, 9)
    assert told[-1] == (9, 9)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    row = site.conn.execute("SELECT documents FROM index_builds").fetchone()
    assert row == (9,)


def test_the_previous_index_stays_fed_and_the_one_before_is_removed(live: Site) -> None:
    first, second, third = live.serving(), live.rebuild(), live.rebuild()
    assert live.states() == {
        first.index_name: "dropped",
        second.index_name: "standby",
        third.index_name: "serving",
    }
    assert live.indices() == {second.index_name, third.index_name}
    vehicle = live.store()
    live.drain()
    assert live.document(vehicle, second.index_name) == live.document(vehicle, third.index_name)


def test_what_is_written_meanwhile_is_in_the_new_index(live: Site) -> None:
    kept, changed, hidden = (live.store() for _ in range(3))
    live.drain()
    added: list[int] = []

    def write() -> None:
        added.append(live.store())
        live.conn.execute("UPDATE vehicles SET daily_rate_cents = 7 WHERE id = %s", [changed])
        live.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [hidden])
        live.drain()

    build = live.rebuild(once_filled(write))
    assert live.serving().id == build.id
    assert live.found() == [kept, changed, *added]
    assert live.document(changed)["daily_rate"] == 7


def test_what_is_not_drained_meanwhile_is_drained_afterwards(live: Site) -> None:
    vehicle = live.store()
    live.drain()
    added: list[int] = []
    live.rebuild(once_filled(lambda: added.append(live.store())))
    assert live.found() == [vehicle]
    live.drain()
    assert live.found() == [vehicle, *added]


def test_no_search_fails_or_misses_anything_during_rebuilds(live: Site) -> None:
    ids = [live.store() for _ in range(5)]
    live.drain()
    with searching(live) as seen:
        for _ in range(3):
            live.rebuild()
    assert len(seen) > 20
    assert [each for each in seen if each != ids] == []


def test_a_vehicle_that_no_index_takes_is_buried_and_does_not_stop_the_rebuild(
    site: Site,
) -> None:
    good, _poison = site.store(), site.store(make=TOO_LONG)
    site.rebuild()
    assert site.found() == [good]
    row = site.conn.execute("SELECT count(*) FROM index_dead_letters").fetchone()
    assert row == (1,)


def test_an_index_of_an_earlier_database_is_neither_used_nor_removed(site: Site) -> None:
    site.elastic.indices.create(index=f"{site.alias}-1")
    site.elastic.indices.put_alias(index=f"{site.alias}-1", name=site.alias)
    build = site.rebuild()
    assert build.index_name == f"{site.alias}-2"
    assert set(site.elastic.indices.get_alias(name=site.alias)) == {build.index_name}
    assert f"{site.alias}-1" in site.indices()


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

    with pytest.raises(RebuildError, match="shows 2 vehicles where the database lists 3"):
        live.rebuild(once_filled(lose_one))
    assert live.serving().id == before.id
    assert live.found() == ids
    assert live.indices() == {before.index_name}


def test_an_index_that_shows_too_much_is_not_swapped_in(live: Site) -> None:
    live.store()
    live.drain()

    def add_one() -> None:
        bulk.send(live.elastic, building(live).index_name, [Document(999, b'{"id":999}')], 1)

    with pytest.raises(RebuildError, match="shows 2 vehicles where the database lists 1"):
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
    monkeypatch.setattr(rebuild, "backoff", lambda attempts: attempts / 100)
    site.rebuild()
    assert site.found() == ids
    assert troubles == []


def test_a_count_that_falls_between_two_writes_is_taken_again(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, wrong = builds.count_visible, [7]
    monkeypatch.setattr(
        builds, "count_visible", lambda *args: wrong.pop() if wrong else count(*args)
    )
    live.rebuild()
    assert wrong == []


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
    monkeypatch.setattr(rebuild, "backoff", lambda attempts: 0)
    with pytest.raises(RebuildError, match="did not take its documents: queue is full"):
        live.rebuild()
    assert len(tries) == rebuild.TRIES
    assert live.indices() == {before.index_name}


def test_when_elasticsearch_goes_away_the_error_is_not_masked_by_clearing_up(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = live.serving()
    live.store()
    live.drain()

    with Elasticsearch("http://127.0.0.1:1", max_retries=0) as nobody:

        def away() -> None:
            monkeypatch.setattr(live.elastic.indices, "delete", nobody.indices.delete)
            raise ArithmeticError("the first thing that went wrong")

        with pytest.raises(ArithmeticError):
            live.rebuild(once_filled(away))
    monkeypatch.undo()
    (left,) = builds.builds(live.conn, ["stopped"])
    assert "the first thing" in str(left.detail)
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
    assert building(live)
    live.rebuild()
    assert builds.builds(live.conn, ["building"]) == []
    assert len(live.indices()) == 2


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
    assert live.indices() == {before.index_name}


def test_a_killed_rebuild_leaves_searches_as_they_were_and_the_next_clears_up(live: Site) -> None:
    before = live.serving()
    vehicle = live.store()
    live.drain()
    script = textwrap.dedent("""
        import os, signal
        from indexer.rebuild import rebuild
        from models.session import connect
        from runtime.clients import elasticsearch
        from runtime.settings import settings
        with connect(settings(), application="t") as conn, elasticsearch(settings()) as client:
            rebuild(conn, client, settings().index_alias,
                    lambda done, total: done and os.kill(os.getpid(), signal.SIGKILL))
    """)
    killed = subprocess.run(
        [sys.executable, "-c", script], env=environment(live), timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    left = building(live)
    assert live.found() == [vehicle]
    after = rebuild_when_unlocked(live)
    assert live.states() == {
        before.index_name: "standby",
        left.index_name: "dropped",
        after.index_name: "serving",
    }
    assert live.indices() == {before.index_name, after.index_name}


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


# Whether one is due


def test_a_rebuild_is_needed_without_an_index(site: Site) -> None:
    assert needed(site.conn, site.elastic, site.alias) == "no index is live"


def test_no_rebuild_is_needed_when_all_is_well(live: Site) -> None:
    assert needed(live.conn, live.elastic, live.alias) is None


def test_a_rebuild_is_needed_for_another_mapping(live: Site) -> None:
    live.conn.execute("UPDATE index_builds SET mapping_hash = 'old'")
    name = live.serving().index_name
    assert needed(live.conn, live.elastic, live.alias) == (
        f"{name} has mapping old, the code {MAPPING_HASH}"
    )


@pytest.mark.parametrize("loss", ["alias", "index"])
def test_a_rebuild_is_needed_when_the_alias_is_missing(live: Site, loss: str) -> None:
    name = live.serving().index_name
    if loss == "alias":
        live.elastic.indices.delete_alias(index=name, name=live.alias)
    else:
        live.elastic.indices.delete(index=name)
    assert needed(live.conn, live.elastic, live.alias) == (
        f"searches do not read {name}: the alias {live.alias} is not on it"
    )
    live.rebuild()
    assert needed(live.conn, live.elastic, live.alias) is None

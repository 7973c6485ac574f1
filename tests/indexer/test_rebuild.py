"""A rebuild under live writes and searches: nobody notices, nothing is missed, nothing is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from indexer import bulk, slices
from indexer.rebuild import needed
from search.mapping import INDEX_SETTINGS, MAPPING_HASH, MAPPINGS
from tests import factory
from tests.indexer.site import Site, once_filled
from tests.indexer.test_bulk import TOO_LONG


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
    monkeypatch.setattr(slices, "PAGE", 2)
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


def test_what_is_not_drained_meanwhile_is_in_the_new_index_all_the_same(live: Site) -> None:
    """The check writes it there, so that a rebuild needs no worker; its row stays for the drain."""
    vehicle = live.store()
    live.drain()
    added: list[int] = []
    live.rebuild(once_filled(lambda: added.append(live.store())))
    assert live.found() == [vehicle, *added]
    assert [row[0] for row in live.dirty()] == added
    live.drain()
    assert live.found() == [vehicle, *added]


def test_the_first_rebuild_leaves_the_drain_only_what_was_written_since(site: Site) -> None:
    """Or the drain would do all of a first import again."""
    before = site.store()
    site.conn.execute("UPDATE vehicles SET year = 2019 WHERE id = %s", [before])
    with site.another() as other, other.transaction():
        open_then = factory.store_vehicle(other)
        ended: list[int] = []

        def write() -> None:
            ended.append(site.store())

        site.rebuild(once_filled(write))
        assert site.found() == [before, *ended]
        assert [vehicle for vehicle, _ in site.dirty()] == ended
    assert [vehicle for vehicle, _ in site.dirty()] == [open_then, *ended]
    site.drain()
    assert site.found() == site.table() == [before, open_then, *ended]


def test_a_later_rebuild_leaves_the_drain_everything(live: Site) -> None:
    """What it replaces stays on standby, and has to be fed as well."""
    vehicle = live.store()
    live.rebuild()
    assert live.found() == [vehicle]
    assert [vehicle for vehicle, _ in live.dirty()] == [vehicle]


def test_a_rebuild_does_not_wait_for_rows_that_a_drain_is_leasing(site: Site) -> None:
    held, free = site.store(), site.store()
    with site.another() as other, other.transaction():
        other.execute("SELECT FROM search_dirty WHERE vehicle_id = %s FOR UPDATE", [held])
        site.rebuild()
    assert [vehicle for vehicle, _ in site.dirty()] == [held]
    assert site.found() == [held, free]


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

"""A database restored from an older backup: the index must not go on ignoring it in silence."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
import pytest

from indexer import builds, restored
from indexer.documents import next_version
from indexer.rebuild import needed
from tests.faults import OwnPostgres
from tests.indexer.site import Site


def restore(site: Site, version: int) -> None:
    """What a restored backup is to the indexer: versions count from an earlier number again."""
    site.conn.execute("SELECT setval('document_version', %s)", [version])


def versions(site: Site) -> int:
    return restored.last_version(site.conn)


def rename(site: Site, vehicle: int, make: str) -> None:
    site.conn.execute("UPDATE vehicles SET make = %s WHERE id = %s", [make, vehicle])


@pytest.fixture
def ahead(live: Site) -> tuple[Site, int]:
    """A site with one vehicle whose database was put back; the vehicle."""
    vehicle = live.store(make="Fiat")
    early = next_version(live.conn)
    for _ in range(5):
        rename(live, vehicle, "Skoda")
        live.drain()
    restore(live, early)
    return live, vehicle


def test_without_the_check_a_restored_database_is_ignored_in_silence(
    ahead: tuple[Site, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gap: a conflict counts as done, so the row goes and the index keeps what it had."""
    site, vehicle = ahead
    monkeypatch.setattr(restored, "compare", lambda *_: None)
    rename(site, vehicle, "Kia")
    assert site.drain() == 1
    assert site.dirty() == []
    assert site.document(vehicle)["make"] == "Skoda"


def test_the_drain_stops_with_an_alarm_that_names_the_fix(
    ahead: tuple[Site, int], capsys: pytest.CaptureFixture[str]
) -> None:
    site, vehicle = ahead
    rename(site, vehicle, "Kia")
    assert site.drain() == 0
    assert [row[0] for row in site.dirty()] == [vehicle]
    said = capsys.readouterr().out
    assert f"{site.serving().index_name} holds version" in said
    assert "restored from a backup" in said
    assert "`rides reindex`" in said


def test_it_stays_stopped_however_much_is_written(ahead: tuple[Site, int]) -> None:
    """Each version given would bring the sequence nearer to the index's, and then nothing told."""
    site, vehicle = ahead
    given = versions(site)
    # More than a batch of rows that were tried before: what is new waits behind them.
    older = "INSERT INTO search_dirty (vehicle_id, attempts) SELECT generate_series(%s, %s), 5"
    site.conn.execute(older, [1_000_000, 1_000_620])
    for make in ("Kia", "Seat", "Lada", "Saab", "Ford", "Jeep", "Mini"):
        rename(site, vehicle, make)
        site.due()
        assert site.drain() == 0
    assert versions(site) == given
    assert site.document(vehicle)["make"] == "Skoda"
    assert site.conn.execute("SELECT bool_or(fed) FROM search_dirty").fetchall() == [(False,)]


def test_a_reindex_moves_the_sequence_past_the_index_and_all_is_well(
    ahead: tuple[Site, int],
) -> None:
    site, vehicle = ahead
    rename(site, vehicle, "Kia")
    site.drain()
    before = site.serving()
    last = restored.newest_version(site.elastic, before.index_name)
    reason = needed(site.conn, site.elastic, site.alias)
    assert reason == f"{before.index_name} is ahead of the database, which was restored"
    site.rebuild()
    assert versions(site) > last
    assert site.document(vehicle)["make"] == "Kia"
    site.due()
    rename(site, vehicle, "Seat")
    assert site.drain() == 2
    assert site.document(vehicle)["make"] == "Seat"
    assert site.document(vehicle, before.index_name)["make"] == "Seat", "it is fed again, too"
    assert needed(site.conn, site.elastic, site.alias) is None


def test_a_conflict_with_a_version_never_given_is_the_alarm_within_a_run(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest documents may be old ones, when much was written after the one that conflicts."""
    vehicle = live.store(make="Fiat")
    live.drain()
    live.elastic.index(
        index=live.serving().index_name,
        id=str(vehicle),
        document={"id": vehicle, "make": "Skoda"},
        version=versions(live) + 1000,
        version_type="external",
    )
    monkeypatch.setattr(restored, "newest_version", lambda *_: 0)
    rename(live, vehicle, "Kia")
    assert live.drain() == 0
    assert [row[0] for row in live.dirty()] == [vehicle]


def test_a_conflict_with_a_version_that_was_given_is_done(live: Site) -> None:
    vehicle = live.store(make="Fiat")
    early = next_version(live.conn)
    live.drain()
    document: Any = {"id": vehicle, "make": "Fiat"}
    later = next_version(live.conn)
    live.elastic.index(
        index=live.serving().index_name,
        id=str(vehicle),
        document=document,
        version=later,
        version_type="external",
    )
    assert early < later
    rename(live, vehicle, "Kia")
    assert live.drain() == 1


def test_a_build_that_does_not_serve_and_is_ahead_is_stopped_and_holds_up_nothing(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = builds.create(live.conn, live.elastic, live.alias)
    vehicle = live.store()
    live.elastic.index(
        index=other.index_name,
        id=str(vehicle),
        document={"id": vehicle},
        version=10**6,
        version_type="external",
    )
    assert live.drain() == 1
    assert live.found() == [vehicle]
    (stopped,) = builds.builds(live.conn, ["stopped"])
    assert stopped.id == other.id
    assert "restored from a backup" in str(stopped.detail)


def test_the_highest_version_is_found_wherever_it_lies(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored, "_PAGE", 2)
    host = [live.store() for _ in range(7)]
    live.drain()
    name = live.serving().index_name
    live.elastic.index(
        index=name,
        id=str(host[3]),
        document={"id": host[3]},
        version=777_777,
        version_type="external",
    )
    assert restored.catch_up(live.conn, live.elastic, [name, "no-such-index"]) == 777_777
    assert versions(live) == 777_777
    assert restored.catch_up(live.conn, live.elastic, [name]) is None


def test_a_new_database_under_an_old_index_is_noticed_at_version_0(live: Site) -> None:
    live.store()
    live.drain()
    live.conn.execute("ALTER SEQUENCE document_version RESTART")
    assert versions(live) == 0
    with pytest.raises(restored.IndexAheadError):
        restored.check(live.conn, live.elastic, live.serving().index_name)


def test_after_a_crash_no_version_is_taken_for_given_that_was_not(tmp_path: Path) -> None:
    """Nor on a replica or in a backup, which replay the same log: fewer lost batches would hide."""
    server = OwnPostgres(tmp_path / "postgres")
    try:
        with psycopg.connect(server.url, autocommit=True) as conn:
            conn.execute("CREATE SEQUENCE document_version CACHE 1")
            for _ in range(3):
                conn.execute("SELECT nextval('document_version')")
        server.kill()
        server.start()
        with psycopg.connect(server.url, autocommit=True) as conn:
            ahead = restored.last_version(conn)
            assert ahead > 3, "the gap: as PostgreSQL counts by itself"
            assert [next_version(conn) for _ in range(3)] == [ahead + 1, ahead + 2, ahead + 3]
        server.kill()
        server.start()
        with psycopg.connect(server.url, autocommit=True) as conn:
            assert restored.last_version(conn) == ahead + 3
    finally:
        server.remove()


def test_no_version_is_given_twice(site: Site) -> None:
    def take(_: int) -> list[int]:
        with site.another() as conn:
            return [next_version(conn) for _ in range(200)]

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(8)))
    assert all(each == sorted(each) for each in taken)
    assert sorted(chain(*taken)) == list(range(1, 1601))

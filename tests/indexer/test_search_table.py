"""The table from which PostgreSQL answers: fed first, by every batch, with or without an index."""

from datetime import date
from typing import Any

import psycopg
import pytest
from elasticsearch import Elasticsearch
from psycopg.rows import TupleRow

from indexer import drain, search_table
from indexer.documents import Document, next_version, read
from indexer.rebuild import _LOCK as REBUILD_LOCK
from indexer.rebuild import RebuildError, refill
from tests import factory
from tests.indexer.site import Site

Connection = psycopg.Connection[TupleRow]
GONE = "http://127.0.0.1:1"


@pytest.fixture
def conn(site: Site) -> Connection:
    """A database of its own: a drain without Elasticsearch stops the builds that it finds."""
    return site.conn


def nothing(*_: Any) -> None:
    pass


def found(conn: Connection) -> list[int]:
    rows = conn.execute("SELECT id FROM vehicle_search_view WHERE NOT hidden ORDER BY id")
    return [row[0] for row in rows]


def rate(conn: Connection, vehicle: int) -> int:
    row: Any = conn.execute(
        "SELECT daily_rate FROM vehicle_search_view WHERE id = %s", [vehicle]
    ).fetchone()
    return int(row[0])


def test_a_vehicle_comes_changes_and_goes(conn: Connection) -> None:
    vehicle = factory.store_vehicle(conn, daily_rate_cents=1_000)
    drain.drain(conn, None)
    assert (found(conn), rate(conn, vehicle)) == ([vehicle], 1_000)
    conn.execute("UPDATE vehicles SET daily_rate_cents = 2_000")
    drain.drain(conn, None)
    assert rate(conn, vehicle) == 2_000
    conn.execute("UPDATE vehicles SET status = 'unlisted'")
    drain.drain(conn, None)
    assert found(conn) == []


def test_every_column_says_what_the_document_says(conn: Connection) -> None:
    vehicle = factory.store_vehicle(conn, features=["GPS"], lat=90, lon=180)
    factory.store_booking(conn, vehicle, date(2030, 5, 1), date(2030, 5, 4))
    drain.drain(conn, None)
    row: Any = conn.execute(
        """
        SELECT make, features, total[1] = (document -> 'total' ->> '1')::int, total[30] > total[29],
            free::text, round(lat::numeric, 6), round(lon::numeric, 6), host_id > 0
        FROM vehicle_search_view
        """
    ).fetchone()
    days = "{[1970-01-01,2030-05-01),[2030-05-04,9999-12-31)}"
    assert row == ("Toyota", ["GPS"], True, True, days, 90, 180, True)


def test_a_late_write_overwrites_nothing_newer(conn: Connection) -> None:
    vehicle = factory.store_vehicle(conn, daily_rate_cents=1_000)
    early = next_version(conn)
    (late,) = read(conn, [vehicle])
    conn.execute("UPDATE vehicles SET daily_rate_cents = 2_000")
    drain.drain(conn, None)
    search_table.write(conn, [late], early)
    assert rate(conn, vehicle) == 2_000
    conn.execute("DELETE FROM vehicle_features")
    conn.execute("DELETE FROM vehicles")
    drain.drain(conn, None)
    search_table.write(conn, [late], early)
    assert found(conn) == []


def test_a_document_that_the_table_cannot_hold_is_a_dead_letter_and_the_others_go_in(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicles = [factory.store_vehicle(conn) for _ in range(5)]

    def broken(connection: Any, ids: list[int]) -> list[Document]:
        documents = read(connection, ids)
        wrong = documents[3].source.replace(b'"daily_rate": ', b'"daily_rate": 99999999999')
        documents[3] = Document(documents[3].vehicle_id, wrong)
        return documents

    monkeypatch.setattr(drain, "read", broken)
    assert drain.drain(conn, None) > 0
    assert found(conn) == vehicles[:3] + vehicles[4:]
    letters = conn.execute("SELECT index_name, vehicle_id, error FROM index_dead_letters")
    ((table, vehicle, error),) = letters.fetchall()
    assert (table, vehicle) == ("vehicle_search_view", vehicles[3])
    assert "out of range" in error


def test_a_megabyte_of_words_goes_in(conn: Connection) -> None:
    text = " ".join(f"word{n}" for n in range(150_000))
    vehicle = factory.store_vehicle(conn, description=text)
    drain.drain(conn, None)
    assert found(conn) == [vehicle]


def test_a_refill_finds_what_no_row_speaks_of(conn: Connection) -> None:
    kept, lost = factory.store_vehicle(conn), factory.store_vehicle(conn)
    drain.drain(conn, None)
    missed = factory.store_vehicle(conn)
    conn.execute("UPDATE vehicles SET status = 'archived' WHERE id = %s", [lost])
    conn.execute("DELETE FROM search_dirty")
    assert search_table.needed(conn) == "1 vehicles are not searchable, or not by this code"
    seen: list[tuple[int, int]] = []
    assert refill(conn, lambda done, total: seen.append((done, total))) == 2
    assert found(conn) == [kept, missed]
    assert search_table.needed(conn) is None
    assert seen == [(0, 2), (2, 2)]


def test_a_row_that_other_code_wrote_calls_for_a_refill(conn: Connection) -> None:
    factory.store_vehicle(conn)
    drain.drain(conn, None)
    conn.execute("UPDATE vehicle_search_view SET mapping_hash = 'old'")
    assert search_table.needed(conn) is not None


def test_a_refill_never_runs_twice(conn: Connection, site: Site) -> None:
    with site.another() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [REBUILD_LOCK])
        with pytest.raises(RebuildError, match="another `rides reindex`"):
            refill(site.conn, nothing)


def test_a_rebuild_fills_the_table_by_the_same_reading(site: Site) -> None:
    vehicle, lost = site.store(), site.store()
    site.drain()
    site.conn.execute("UPDATE vehicles SET status = 'archived' WHERE id = %s", [lost])
    site.conn.execute("DELETE FROM search_dirty")
    site.rebuild()
    assert site.found() == site.table() == [vehicle]


def test_while_elasticsearch_is_away_the_table_is_fed_and_the_rows_stay(live: Site) -> None:
    vehicle = live.store()
    with Elasticsearch(GONE, max_retries=0) as gone:
        assert drain.drain(live.conn, gone) == 0
    assert live.table() == [vehicle]
    assert live.dirty() == [(vehicle, 1)]
    live.due()
    assert live.drain() == 1
    assert live.found() == [vehicle]


def test_without_an_elasticsearch_what_it_held_is_fed_no_more(live: Site) -> None:
    name = live.serving().index_name
    vehicle = live.store()
    assert drain.drain(live.conn, None) == 1
    assert live.table() == [vehicle]
    assert live.states() == {name: "stopped"}
    live.rebuild()
    assert live.found() == [vehicle]

"""The table from which PostgreSQL answers: fed first, by every batch, with or without an index."""

import importlib
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import psycopg
import pytest
from elasticsearch import Elasticsearch
from psycopg.rows import TupleRow

from indexer import drain, lag, search_table
from indexer.documents import Document, next_version, read
from indexer.rebuild import _LOCK as REBUILD_LOCK
from indexer.rebuild import RebuildError, refill
from search.postgres import columns
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
        SELECT
            (SELECT array_agg(value ORDER BY value) FROM vehicle_search_values
             WHERE code = ANY(make || features)),
            free::text, round(location[1]::numeric, 6), round(location[0]::numeric, 6), host_id > 0
        FROM vehicle_search_view
        """
    ).fetchone()
    days = "{[1970-01-01,2030-05-01),[2030-05-04,9999-12-31)}"
    assert row == (["GPS", "Toyota"], days, 90, 180, True)


@pytest.mark.parametrize("days", [1, 7, 28, 30])
def test_a_total_is_what_the_document_says(conn: Connection, days: int) -> None:
    vehicle = factory.store_vehicle(
        conn,
        daily_rate_cents=4_999,
        weekly_discount_pct=7,
        monthly_discount_pct=21,
        cleaning_fee_cents=1_150,
    )
    drain.drain(conn, None)
    (document,) = read(conn, [vehicle])
    total = json.loads(document.source)["total"][str(days)]
    for sql, table in (
        (columns.total(days), columns.TABLE),
        (columns.TOTAL.format(days=days), columns.DOCUMENTS),
    ):
        row: Any = conn.execute(f"SELECT {sql} FROM {table}").fetchone()
        assert row[0] == total


def test_the_migration_makes_items_as_the_drain_does(conn: Connection, site: Site) -> None:
    factory.store_vehicle(conn, model=None, features=["USB"], photos=["photos/7/1"], seats=None)
    factory.store_vehicle(conn, imported_rating=455, imported_review_count=3, title='"so-called"')
    drain.drain(conn, None)
    migration = importlib.import_module("migrations.versions.0015_items_ready_made")
    rows: Any = conn.execute(f"""
        SELECT item, {migration._item()}
        FROM (SELECT id, item, document::jsonb AS d FROM vehicle_search_documents) AS parsed
    """).fetchall()
    assert len(rows) == 2
    assert [json.loads(each) for each, _ in rows] == [json.loads(each) for _, each in rows]


def test_workers_that_meet_the_same_new_values_give_each_one_code(
    conn: Connection, site: Site
) -> None:
    """Neither lost nor twice, and nobody waits in a circle: the orders of the batches differ."""
    workers, values = 6, 60
    vehicles = [
        factory.store_vehicle(
            conn, make=f"Make {n}", model=f"Model {-n}", features=[f"Feature {n}", f"{-n} doors"]
        )
        for n in range(values)
    ]
    batches = [random.Random(n).sample(vehicles, values) for n in range(workers)]
    start = threading.Barrier(workers)

    def feed(batch: list[int]) -> None:
        with site.another() as other:
            for n in range(0, values, 10):
                documents = read(other, sorted(batch[n : n + 10]))
                start.wait(30)
                assert search_table.write(other, documents, next_version(other)) == []

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(feed, batches))
    rows: Any = conn.execute(
        """
        SELECT d.document ->> 'make' = m.value, d.document ->> 'model' = o.value,
            cardinality(v.features)
        FROM vehicle_search_view AS v JOIN vehicle_search_documents AS d USING (id)
        JOIN vehicle_search_values AS m ON m.code = v.make
        JOIN vehicle_search_values AS o ON o.code = v.model
        """
    ).fetchall()
    assert rows == [(True, True, 2)] * values


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
        wrong = documents[3].source.replace(b'"daily_rate":', b'"daily_rate":99999999999')
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


@pytest.mark.parametrize("table", [columns.TABLE, columns.DOCUMENTS])
def test_a_refill_mends_what_one_of_its_tables_hides_or_shows(conn: Connection, table: str) -> None:
    kept, gone = (factory.store_vehicle(conn) for _ in range(2))
    conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [gone])
    drain.drain(conn, None)
    conn.execute(f"UPDATE {table} SET hidden = NOT hidden")
    refill(conn, nothing)
    rows = "SELECT d.id, d.hidden, n.hidden FROM vehicle_search_documents d JOIN"
    rows += " vehicle_search_view n USING (id) ORDER BY 1"
    assert conn.execute(rows).fetchall() == [(kept, False, False), (gone, True, True)]


def test_a_row_that_other_code_wrote_calls_for_a_refill(conn: Connection) -> None:
    factory.store_vehicle(conn)
    drain.drain(conn, None)
    conn.execute("UPDATE vehicle_search_documents SET mapping_hash = 'old'")
    assert search_table.needed(conn) is not None


def test_a_refill_never_runs_twice(conn: Connection, site: Site) -> None:
    with site.another() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [REBUILD_LOCK])
        with pytest.raises(RebuildError, match="another `rides reindex`"):
            refill(site.conn, nothing)


@pytest.mark.parametrize("again", [Site.rebuild, lambda site: refill(site.conn, nothing)])
def test_what_a_drain_is_at_work_on_is_left_to_it_with_all_that_was_written_since(
    site: Site, again: Any
) -> None:
    """It may write what it has read last: only what was written since can mend that."""
    vehicle = site.store(daily_rate_cents=4000)
    site.drain()
    site.conn.execute("UPDATE vehicles SET daily_rate_cents = 1 WHERE id = %s", [vehicle])
    batch = drain.lease(site.conn)
    version, read_then = next_version(site.conn), read(site.conn, [vehicle])
    # As before: the table holds that already, so nothing is written to it now.
    site.conn.execute("UPDATE vehicles SET daily_rate_cents = 4000 WHERE id = %s", [vehicle])
    again(site)
    search_table.write(site.conn, read_then, version)
    lag.done(site.conn, batch.rows)
    assert rate(site.conn, vehicle) == 1
    site.drain()
    assert rate(site.conn, vehicle) == 4000


def test_a_refill_leaves_the_drain_nothing_if_nothing_else_is_fed(conn: Connection) -> None:
    vehicle = factory.store_vehicle(conn)
    refill(conn, nothing)
    assert conn.execute("SELECT FROM search_dirty").fetchall() == []
    assert found(conn) == [vehicle]


def test_a_refill_leaves_the_drain_what_an_index_needs(live: Site) -> None:
    vehicle = live.store()
    refill(live.conn, nothing)
    assert live.table() == [vehicle]
    assert live.drain() == 1
    assert live.found() == [vehicle]


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

"""Medians of comparable listings: which listings count, when documents follow, what stays."""

from typing import Any

import pytest
from psycopg import Connection

from indexer import drain, search_table
from indexer.documents import read
from indexer.medians import LEAST_LISTINGS, TOLERANCE_PCT, Recomputed, recompute
from tests import factory

Row = dict[str, Any]


def store(conn: Connection[Any], *rates: int, **where: Any) -> list[int]:
    """Listings at these daily rates in cents."""
    return [factory.store_vehicle(conn, daily_rate_cents=rate, **where) for rate in rates]


def medians(conn: Connection[Any]) -> dict[tuple[str, str], int]:
    """By region and body."""
    rows = conn.execute("SELECT region, body, median FROM price_medians").fetchall()
    return {(region, body): median for region, body, median in rows}


def against(conn: Connection[Any], vehicle_id: int) -> int | None:
    """A vehicle's price in thousandths of the median, as its document has it."""
    row = conn.execute(
        "SELECT price_vs_median FROM vehicle_documents WHERE id = %s", [vehicle_id]
    ).fetchone()
    assert row
    found: int | None = row[0]
    return found


def dirty(conn: Connection[Any]) -> set[int]:
    """Vehicles in the dirty log, which is empty afterwards."""
    rows = conn.execute("DELETE FROM search_dirty RETURNING vehicle_id").fetchall()
    return {row[0] for row in rows}


TEN = [1000 * n for n in range(1, 11)]


class TestWhichListings:
    """Of one body style, in a region or, where too few are listed, in a country."""

    def test_ten_listings_of_a_region_have_a_median_of_their_own(
        self, conn: Connection[Any]
    ) -> None:
        first, *_, last = store(conn, *TEN)
        recompute(conn)
        assert medians(conn) == {("Hawaii", "SUV"): 5000, ("", "SUV"): 5000}
        assert (against(conn, first), against(conn, last)) == (200, 2000)

    def test_fewer_are_measured_by_their_country(self, conn: Connection[Any]) -> None:
        store(conn, *TEN)
        few = store(conn, *[20_000] * (LEAST_LISTINGS - 1), region="Utah")
        nowhere = store(conn, 20_000, region=None)
        recompute(conn)
        assert medians(conn) == {("Hawaii", "SUV"): 5000, ("", "SUV"): 10_000}
        assert [against(conn, vehicle) for vehicle in (few[0], *nowhere)] == [2000, 2000]

    @pytest.mark.parametrize(
        "where",
        [
            {"body": "Van"},
            {"body": None},
            {"currency": "EUR"},
            {"country": "Canada"},
            {"country": None},
        ],
    )
    def test_others_are_not_compared(self, conn: Connection[Any], where: Row) -> None:
        store(conn, *TEN)
        (other,) = store(conn, 5000, **where)
        recompute(conn)
        assert against(conn, other) is None

    def test_what_is_not_listed_does_not_count(self, conn: Connection[Any]) -> None:
        store(conn, *TEN[1:])
        store(conn, 1000, status="unlisted")
        assert recompute(conn) == Recomputed(0, 0, 0)

    def test_the_dearest_price_and_the_cheapest_median_fit(self, conn: Connection[Any]) -> None:
        store(conn, *[1] * 10)
        (dear,) = store(conn, 10_000_000)
        recompute(conn)
        assert against(conn, dear) == 10_000


class TestWhenTheyMove:
    """Only here, only beyond the tolerance, and then their vehicles are written anew."""

    @pytest.fixture
    def ids(self, conn: Connection[Any]) -> list[int]:
        ids = store(conn, *[10_000] * 12)
        recompute(conn)
        dirty(conn)
        return ids

    def test_a_listing_changes_no_neighbour(self, conn: Connection[Any], ids: list[int]) -> None:
        (new,) = store(conn, 1)
        assert dirty(conn) == {new}
        assert against(conn, ids[0]) == 1000

    def test_within_the_tolerance_nothing_moves(
        self, conn: Connection[Any], ids: list[int]
    ) -> None:
        conn.execute("UPDATE vehicles SET daily_rate_cents = %s", [10_000 + 100 * TOLERANCE_PCT])
        dirty(conn)
        assert recompute(conn) == Recomputed(2, 0, 0)
        assert medians(conn)["Hawaii", "SUV"] == 10_000

    def test_beyond_it_the_vehicles_of_the_cell_become_dirty(
        self, conn: Connection[Any], ids: list[int]
    ) -> None:
        elsewhere = store(conn, *[5000] * 10, body="Van")
        recompute(conn)
        conn.execute("UPDATE vehicles SET daily_rate_cents = 10201 WHERE body = 'SUV'")
        dirty(conn)
        assert recompute(conn) == Recomputed(4, 2, 12)
        assert dirty(conn) == set(ids)
        assert against(conn, elsewhere[0]) == 1000

    def test_a_country_s_median_concerns_only_those_who_are_measured_by_it(
        self, conn: Connection[Any], ids: list[int]
    ) -> None:
        few = store(conn, *[30_000] * 9, region="Utah")
        store(conn, *[30_000] * 10, region="Maine")
        recompute(conn)
        dirty(conn)
        conn.execute("UPDATE vehicles SET daily_rate_cents = 1000 WHERE region = 'Utah'")
        dirty(conn)
        changed = recompute(conn)
        assert (changed.changed, dirty(conn)) == (1, set(few))

    def test_a_cell_that_runs_out_of_listings_is_gone(
        self, conn: Connection[Any], ids: list[int]
    ) -> None:
        conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id > %s", [ids[8]])
        dirty(conn)
        assert recompute(conn) == Recomputed(0, 2, 9)
        assert dirty(conn) == set(ids[:9])
        assert against(conn, ids[0]) is None

    def test_vehicles_are_never_touched(self, conn: Connection[Any], ids: list[int]) -> None:
        statement = "SELECT id, xmin::text, ctid::text FROM vehicles ORDER BY id"
        before = conn.execute(statement).fetchall()
        conn.execute("UPDATE price_medians SET median = 1")
        assert recompute(conn).vehicles == 12
        assert conn.execute(statement).fetchall() == before

    def test_the_drain_brings_it_to_search(self, conn: Connection[Any], ids: list[int]) -> None:
        conn.execute("UPDATE price_medians SET median = 20000")
        recompute(conn)
        drain.drain(conn, None)
        rows = conn.execute("SELECT DISTINCT price_vs_median FROM vehicle_search_view").fetchall()
        assert rows == [(1000,)]
        assert search_table.mend(conn, read(conn, ids), 1) == []

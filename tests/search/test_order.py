"""Sort orders and pages: every vehicle once, whatever the order, even among equals."""

import random
import threading

import psycopg
import pytest

from indexer import drain
from tests.market import Market

NULLS = [{"imported_rating": 450}, {}, {"imported_rating": 480}, {"imported_rating": 450}]


def test_prices_both_ways_with_ties_by_id(market: Market) -> None:
    a, b, c = market.store(*({"daily_rate_cents": cents} for cents in (300, 200, 300)))
    market.assert_order([b, a, c], sort="price")
    market.assert_order([a, c, b], sort="-price")


def test_vehicles_without_a_rating_come_last(market: Market) -> None:
    a, none, best, d = market.store(*NULLS)
    market.assert_order([best, a, d, none], sort="rating")


def test_newest_first(market: Market) -> None:
    old, new = market.store({"listed_at": "2024-01-01"}, {"listed_at": "2026-01-01"})
    market.assert_order([new, old], sort="newest")


@pytest.mark.parametrize("sort", ["relevance", "price", "-price", "rating", "newest", "distance"])
@pytest.mark.parametrize("text", [{}, {"q": "toyota"}])
def test_pages_are_the_whole_list_cut_in_pieces(
    market: Market, sort: str, text: dict[str, str]
) -> None:
    ids = market.store(
        *(
            {
                "daily_rate_cents": 100 + n % 3,
                "lat": 19 + n % 2,
                "imported_rating": 400 if n % 4 else None,
            }
            for n in range(23)
        )
    )
    asked = {"sort": sort, "lat": 19.5, "lon": -155.0, **text}
    whole = market.ids(**asked)
    assert sorted(whole) == ids
    assert market.walk(**asked, limit=5) == whole


def test_a_page_that_ends_the_list_says_so(market: Market) -> None:
    market.store({}, {})
    page = market.search(limit=2)
    assert (page["hasMore"], page["nextCursor"]) == (False, None)


def test_pages_hold_still_while_others_are_written(market: Market) -> None:
    ids = market.store(*({"daily_rate_cents": 1000} for _ in range(12)))
    seen: list[int] = []
    page = market.search(q="toyota", limit=3)
    while True:
        seen += [item["id"] for item in page["items"]]
        market.store({"make": "Toyota", "daily_rate_cents": 1000})
        if not page["hasMore"] or len(seen) > 40:
            break
        page = market.search(q="toyota", limit=3, cursor=page["nextCursor"])
    untouched = [vehicle_id for vehicle_id in seen if vehicle_id in ids]
    assert untouched == ids


@pytest.mark.parametrize("sort", ["relevance", "price"])
def test_a_walk_while_somebody_writes_meets_every_untouched_vehicle_once(
    market: Market, database_url: str, sort: str
) -> None:
    ids = market.store(*({"daily_rate_cents": 1000 + n % 5} for n in range(90)))
    untouched, written = ids[::2], ids[1::2]
    stop = threading.Event()
    writes = 0

    def write() -> None:
        nonlocal writes
        rng = random.Random(53)
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not stop.is_set():
                vehicle = rng.choice(written)
                status = rng.choice(["listed", "listed", "unlisted"])
                connection.execute(
                    "UPDATE vehicles SET daily_rate_cents = %s, status = %s, make = %s"
                    " WHERE id = %s",
                    [rng.randint(900, 1100), status, rng.choice(["Toyota", "Jeep"]), vehicle],
                )
                drain.drain(connection, market.elastic)
                writes += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        walked = market.walk(q="toyota", sort=sort, limit=3, facets="none")
    finally:
        stop.set()
        writer.join()
    assert sorted(each for each in walked if each in untouched) == untouched
    assert writes > 1  # or nobody wrote


class TestCursors:
    """A cursor continues the search that it came from, or is refused."""

    @pytest.fixture
    def cursor(self, market: Market) -> str:
        market.store({}, {}, {})
        return str(market.search(q="toyota", limit=1)["nextCursor"])

    def status(self, market: Market, cursor: str, **parameters: str) -> tuple[int, str]:
        asked = {"q": "toyota", "limit": 1, "cursor": cursor} | parameters
        answer = market.api.get("/v1/search/vehicles", params=asked)
        return answer.status_code, answer.json().get("type", "").rpartition(":")[2]

    def test_of_another_search(self, market: Market, cursor: str) -> None:
        assert self.status(market, cursor) == (200, "")
        assert self.status(market, cursor, q="jeep") == (400, "invalid-cursor")
        assert self.status(market, cursor, sort="price") == (400, "invalid-cursor")

    def test_page_size_and_facets_may_change(self, market: Market, cursor: str) -> None:
        assert self.status(market, cursor, limit="2", facets="make") == (200, "")

    def test_with_any_character_changed(self, market: Market, cursor: str) -> None:
        for index, character in enumerate(cursor):
            changed = cursor[:index] + ("A" if character != "A" else "B") + cursor[index + 1 :]
            assert self.status(market, changed) == (400, "invalid-cursor"), index

    def test_cut_or_made_up(self, market: Market, cursor: str) -> None:
        for wrong in (cursor[:-1], cursor + "A", "A", "é", "..."):
            assert self.status(market, wrong) == (400, "invalid-cursor")

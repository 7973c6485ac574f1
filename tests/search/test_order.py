"""Sort orders and pages: every vehicle once, whatever the order, even among equals."""

import pytest

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
    place: Market, sort: str, text: dict[str, str]
) -> None:
    ids = place.store(
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
    whole = place.ids(**asked)
    assert sorted(whole) == ids
    assert place.walk(**asked, limit=5) == whole


def test_a_page_that_ends_the_list_says_so(market: Market) -> None:
    market.store({}, {})
    page = market.search(limit=2)
    assert (page["hasMore"], page["nextCursor"]) == (False, None)


class TestCursors:
    """A cursor continues the search that it came from, or is refused."""

    @pytest.fixture
    def cursor(self, place: Market) -> str:
        place.store({}, {}, {})
        return str(place.search(q="toyota", limit=1)["nextCursor"])

    def status(self, place: Market, cursor: str, **parameters: str) -> tuple[int, str]:
        asked = {"q": "toyota", "limit": 1, "cursor": cursor} | parameters
        answer = place.api.get("/v1/search/vehicles", params=asked)
        return answer.status_code, answer.json().get("type", "").rpartition(":")[2]

    def test_of_another_search(self, place: Market, cursor: str) -> None:
        assert self.status(place, cursor) == (200, "")
        assert self.status(place, cursor, q="jeep") == (400, "invalid-cursor")
        assert self.status(place, cursor, sort="price") == (400, "invalid-cursor")

    def test_page_size_and_facets_may_change(self, place: Market, cursor: str) -> None:
        assert self.status(place, cursor, limit="2", facets="make") == (200, "")

    def test_with_a_character_changed(self, place: Market, cursor: str) -> None:
        """A few of them; all are changed in tests/api/test_cursors.py."""
        point = cursor.rindex(".")
        for index in (0, point - 1, point, point + 1, len(cursor) - 1):
            character = cursor[index]
            changed = cursor[:index] + ("A" if character != "A" else "B") + cursor[index + 1 :]
            assert self.status(place, changed) == (400, "invalid-cursor"), index

    def test_cut_or_made_up(self, place: Market, cursor: str) -> None:
        for wrong in (cursor[:-1], cursor + "A", "A", "é", "..."):
            assert self.status(place, wrong) == (400, "invalid-cursor")

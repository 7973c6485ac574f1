"""No host and no model floods the first page, and the pages are still one list, on both engines."""

import random
from string import ascii_letters
from typing import Any

import pytest
from pydantic import ValidationError

from search.diversity import WINDOW, rerank
from search.page import Candidate
from search.profiles import DEFAULT, Profile
from search.query.body import build, window
from search.request import SearchRequest
from tests import factory
from tests.market import NOTHING, Market
from tests.search.test_truth import DATES, END, START

DIVERSITY = DEFAULT.diversity


def profile(**values: Any) -> Profile:
    content = DEFAULT.model_dump()
    content["diversity"] |= values
    return Profile.model_validate(content)


class TestOrder:
    """The greedy order itself, over candidates best first."""

    def order(
        self,
        *candidates: tuple[float, int, str],
        by_model: bool = True,
    ) -> list[int]:
        listed = [
            Candidate(n, score, host, model) for n, (score, host, model) in enumerate(candidates)
        ]
        return list(rerank(listed, DIVERSITY, by_model=by_model))

    def test_of_equals_each_host_comes_once_before_any_comes_twice(self) -> None:
        assert self.order((1, 1, "a"), (1, 1, "b"), (1, 1, "c"), (1, 2, "d"), (1, 3, "e")) == [
            0, 3, 4, 1, 2,
        ]  # fmt: skip

    def test_models_count_too_but_less(self) -> None:
        assert self.order((1, 1, "a"), (1, 2, "a"), (1, 1, "b"), (1, 3, "c")) == [0, 3, 1, 2]

    def test_with_text_its_words_choose_the_models(self) -> None:
        same_model = [(1.0, n, "a") for n in range(9)]
        assert self.order(*same_model, (0.999, 10, "b"))[1] == 9
        assert self.order(*same_model, (0.999, 10, "b"), by_model=False)[-1] == 9

    def test_one_host_alone_keeps_its_order(self) -> None:
        assert self.order(*((1 - n / 50, 1, "a") for n in range(30))) == list(range(30))

    def test_repeating_costs_no_more_than_the_bound(self) -> None:
        worse = 1 - DIVERSITY.most - 0.001
        assert self.order(*[(1.0, 1, "a")] * 9, (worse, 2, "b"))[-1] == 9
        assert self.order(*[(1.0, 1, "a")] * 9, (worse + 0.002, 2, "b")).index(9) == (
            DIVERSITY.repeats
        )

    def test_a_text_that_is_a_point_better_is_never_passed(self) -> None:
        rng = random.Random(5)
        for _ in range(200):
            found = sorted(
                (
                    (rng.randrange(4) + rng.random() * DEFAULT.signals.most, rng.randrange(3), "a")
                    for _ in range(60)
                ),
                reverse=True,
            )
            points = [int(found[n][0]) for n in self.order(*found)]
            assert points == sorted(points, reverse=True)

    @pytest.mark.parametrize("by_model", [True, False])
    @pytest.mark.parametrize("hosts", [5, 300, 10_000], ids=["few hosts", "some", "many"])
    @pytest.mark.parametrize("models", ["abc", ascii_letters], ids=["few models", "many models"])
    def test_it_is_the_plain_greedy_order(self, models: str, hosts: int, by_model: bool) -> None:
        rng = random.Random(7)
        alone = 0
        for _ in range(50):
            left = [
                Candidate(n, 1 - n // 2 / 499, rng.randrange(hosts), rng.choice(models))
                for n in range(WINDOW)
            ]
            alone += len({each.host for each in left}) == WINDOW
            order = list(rerank(left, DIVERSITY, by_model=by_model))
            assert order == plain_greedy(left, by_model=by_model)
        assert (alone > 10) == (hosts == 10_000)  # so that models alone repeat in some


def plain_greedy(left: list[Candidate], *, by_model: bool) -> list[int]:
    """Every candidate compared with every other at every place."""
    shown: list[Candidate] = []

    def worth(each: Candidate) -> float:
        hosts = sum(other.host == each.host for other in shown)
        models = sum(other.model == each.model for other in shown) if by_model else 0
        return each.score - DIVERSITY.cost(hosts, models)

    while left:
        shown.append(max(left, key=worth))
        left.remove(shown[-1])
    return [each.id for each in shown]


class TestProfile:
    """Named, bounded, switchable."""

    def test_signals_and_diversity_stay_below_a_word(self) -> None:
        with pytest.raises(ValidationError, match="signals and diversity may move"):
            profile(host_points=0.2)
        profile(host_points=0.2, on=False)

    def test_its_values_are_part_of_the_version(self) -> None:
        assert profile(repeats=2).version != DEFAULT.version


class TestBodies:
    """What Elasticsearch is asked."""

    @pytest.mark.parametrize(
        ("text", "read"), [(None, ["host_id", "model"]), ("jeep", ["host_id"])]
    )
    def test_candidates_come_from_doc_values(self, text: str | None, read: list[str]) -> None:
        request = SearchRequest(text=text, facets=("make",), limit=WINDOW)
        whole = build(request)
        whole.pop("highlight", None)
        assert window(request) == whole | {
            "_source": False,
            "stored_fields": "_none_",
            "docvalue_fields": read,
        }

    def test_a_first_page_fetches_its_vehicles_alone(self) -> None:
        body = build(SearchRequest(filters={"make": ("Kia",)}, only=(7, 4), counted=False))
        *_, make, ids = body["query"]["bool"]["filter"]
        assert (make, ids) == ({"terms": {"make.key": ["Kia"]}}, {"ids": {"values": [7, 4]}})
        assert body["sort"] == [{"id": "asc"}]
        assert not body.keys() & {"aggs", "post_filter"} | body["query"]["bool"].keys() & {"should"}

    def test_a_later_page_counts_everything_and_shows_its_vehicles(self) -> None:
        request = SearchRequest(filters={"make": ("Kia",)}, only=(7, 4), facets=("make", "body"))
        body = build(request)
        make, ids = {"terms": {"make.key": ["Kia"]}}, {"ids": {"values": [7, 4]}}
        assert body["post_filter"] == {"bool": {"filter": [make, ids]}}
        assert body["aggs"]["matched"] == {"filter": {"bool": {"filter": [make]}}}
        assert body["aggs"].keys() == {"make", "shared", "matched"}


def fleet(market: Market, of_one: int, others: int) -> list[int]:
    """So many cars of one host, then one each of others; all alike."""
    host = factory.store_account(market.conn, "host")
    alike = {"listed_at": "2026-01-01"}
    return market.store(
        *(alike | {"host_id": host} for _ in range(of_one)), *(alike for _ in range(others))
    )


class TestPages:
    """A window of 100, cut into pages, and what follows it."""

    def test_the_first_page_shows_other_hosts(self, place: Market) -> None:
        ids = fleet(place, 40, 8)
        shown = place.ids(limit=10)
        assert shown == [ids[0], *ids[40:], ids[1]]
        assert place.ids(limit=10, q="toyota") == shown

    def test_switched_off_it_is_the_engines_order(
        self, place: Market, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = fleet(place, 40, 8)
        monkeypatch.setattr("search.diversity.DEFAULT", profile(on=False))
        assert place.ids() == place.walk(limit=7) == ids

    def test_other_orders_are_left_alone(self, place: Market) -> None:
        ids = fleet(place, 12, 3)
        assert place.ids(sort="price") == ids

    @pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 130])
    @pytest.mark.parametrize("limit", [7, 100])
    def test_pages_are_one_list(self, place: Market, size: int, limit: int) -> None:
        ids = fleet(place, size // 2, size - size // 2)
        walked = place.walk(**NOTHING, limit=limit)
        assert sorted(walked) == ids
        assert walked[WINDOW:] == ids[WINDOW:]
        assert place.ids() == walked[:100]

    def test_the_size_of_a_page_may_change_on_the_way(self, place: Market) -> None:
        fleet(place, 70, 60)
        walked: list[int] = []
        cursor: dict[str, str] = {}
        for limit in (3, 50, 1, 60, 100):
            page = place.search(limit=limit, **cursor)
            walked += [item["id"] for item in page["items"]]
            assert page["total"]["value"] == 130
            cursor = {"cursor": page["nextCursor"]}
        assert not page["hasMore"]
        assert walked == place.walk(limit=100)

    def test_later_pages_count_what_is_asked(self, place: Market) -> None:
        fleet(place, 20, 10)
        asked = {"make": "Toyota", "limit": 5}
        page = place.search(**asked)
        later = place.search(**asked, cursor=page["nextCursor"], facets="make,body,price")
        assert later["facets"] == {name: page["facets"][name] for name in ("make", "body", "price")}
        assert later["total"] == page["total"] == {"value": 30, "exact": True}

    def test_text_is_marked_on_every_page(self, place: Market) -> None:
        fleet(place, 4, 2)
        page = place.search(q="toyota", limit=3)
        later = place.search(q="toyota", limit=3, cursor=page["nextCursor"])
        marks = [item["highlights"]["title"] for item in (*page["items"], *later["items"])]
        assert marks == ["2021 <em>Toyota</em> RAV4"] * 6

    @pytest.mark.parametrize("limit", [10, 33, 100])
    def test_what_is_taken_meanwhile_is_dropped_and_nothing_else(
        self, place: Market, limit: int
    ) -> None:
        ids = fleet(place, 65, 65)
        seen: list[int] = []
        taken: set[int] = set()
        page = place.search(**DATES, limit=limit)
        while True:
            seen += [item["id"] for item in page["items"]]
            if not page["hasMore"]:
                break
            left = [vehicle for vehicle in ids if vehicle not in {*seen, *taken}]
            for vehicle in left[:: max(1, len(left) // 4)]:
                taken.add(vehicle)
                factory.store_booking(place.conn, vehicle, START, END)
            page = place.search(**DATES, limit=limit, cursor=page["nextCursor"])
            assert not taken & {item["id"] for item in page["items"]}
        assert sorted([*seen, *taken]) == ids

    def test_every_vehicle_once_while_others_are_written(self, place: Market) -> None:
        ids = fleet(place, 80, 80)
        seen: list[int] = []
        page = place.search(q="toyota", limit=30)
        while True:
            seen += [item["id"] for item in page["items"]]
            place.store({}, {"make": "Kia"}, {"imported_rating": 500, "imported_review_count": 90})
            if not page["hasMore"]:
                break
            page = place.search(q="toyota", limit=30, cursor=page["nextCursor"])
        assert sorted(vehicle for vehicle in seen if vehicle in set(ids)) == ids

    def test_a_pinned_vehicle_that_no_longer_matches_is_not_shown(self, place: Market) -> None:
        ids = fleet(place, 6, 0)
        page = place.search(priceMax=6000, limit=2)
        place.conn.execute("UPDATE vehicles SET daily_rate_cents = 9000 WHERE id = %s", [ids[3]])
        place.drain()
        later = place.search(priceMax=6000, limit=9, cursor=page["nextCursor"])
        assert [item["id"] for item in later["items"]] == [ids[2], *ids[4:]]

    def test_the_longest_ids_leave_the_cursor_within_half_its_bound(self, place: Market) -> None:
        rng = random.Random(3)
        place.store(*({"id": rng.randrange(2**62, 2**63)} for _ in range(102)))
        assert len(place.search(limit=1)["nextCursor"]) < 4000
        assert len(set(place.walk(limit=40))) == 102

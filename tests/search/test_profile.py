"""Ranking by a profile: every signal on its own, bounded, switchable; scores that hold still."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from search.fields import PRIOR_REVIEWS
from search.profiles import DEFAULT, Profile
from search.query import signals
from search.query.body import build
from search.request import Near, SearchRequest
from tests.market import Market

HILO = {"lat": 19.7, "lon": -155.1}
DAY_MS = 86_400_000


def changed(signal: str, **values: Any) -> Profile:
    content = DEFAULT.model_dump()
    content["signals"][signal] |= values
    return Profile.model_validate(content)


def scores(market: Market, request: SearchRequest, profile: Profile = DEFAULT) -> list[float]:
    """Scores by id."""
    hits = market.elastic.search(index=market.alias, body=build(request, profile))["hits"]["hits"]
    return [hit["_score"] for hit in sorted(hits, key=lambda hit: hit["sort"][-1])]


class TestOrder:
    """What the default profile prefers among what the text finds alike."""

    def test_many_good_reviews_before_few_before_none_before_bad_ones(self, market: Market) -> None:
        ids = market.store(
            {"imported_rating": 350, "imported_review_count": 40},
            {},
            {"imported_rating": 500, "imported_review_count": 1},
            {"imported_rating": 490, "imported_review_count": 60},
        )
        market.assert_order(ids[::-1])
        market.assert_order(ids[::-1], q="toyota")

    def test_near_before_far(self, market: Market) -> None:
        far, near, nowhere = market.store(
            {"lat": 20.7, "lon": -156.4}, HILO, {"lat": None, "lon": None}
        )
        market.assert_order([near, far, nowhere], **HILO)

    def test_new_before_old(self, market: Market) -> None:
        old, new = market.store({"listed_at": "2020-01-01"}, {"listed_at": "2026-01-01"})
        at = SearchRequest(now=datetime.fromtimestamp(1_767_225_600, UTC))
        assert scores(market, at)[1] - scores(market, at)[0] == pytest.approx(0.04, abs=1e-3)
        market.assert_order([old, new], sort="price")

    def test_the_best_signals_do_not_lift_a_mention_over_a_name(self, market: Market) -> None:
        mention, name = market.store(
            {"description": "Not a Jeep.", "imported_rating": 500, "imported_review_count": 999}
            | HILO,
            {"make": "Jeep", "imported_rating": 100, "imported_review_count": 999, "lat": 0},
        )
        market.assert_order([name, mention], q="jeep", **HILO)


class TestSignals:
    """Their values, as documented."""

    def test_the_rating_is_a_bayesian_average(self, market: Market) -> None:
        market.store({}, {"imported_rating": 480, "imported_review_count": 30})
        only = DEFAULT.model_dump()
        for name, each in only["signals"].items():
            each["on"] = name == "rating"
        unrated, rated = scores(market, SearchRequest(), Profile.model_validate(only))
        assert unrated == pytest.approx(0.1 * 4.6, abs=1e-4)
        rating = DEFAULT.signals.rating
        prior = rating.prior_reviews
        average = (30 * 4.8 + prior * rating.prior_mean) / (30 + prior)
        assert rated == pytest.approx(0.1 * average, abs=1e-4)

    @pytest.mark.parametrize("signal", ["rating", "reviews", "distance", "freshness", "price"])
    def test_each_can_be_switched_off(self, market: Market, signal: str) -> None:
        market.median(10_000)
        market.store({"imported_rating": 480, "imported_review_count": 30} | HILO)
        request = SearchRequest(near=Near(19.7, -155.1), now=datetime.now(UTC))
        (on,), (off,) = scores(market, request), scores(market, request, changed(signal, on=False))
        assert on > off > 0

    def test_a_price_below_the_median_gives_points_up_to_a_bound(self, market: Market) -> None:
        market.median(10_000)
        rates = [15_000, 10_000, 8_000, 6_000, 1_000]
        market.store(*({"daily_rate_cents": cents} for cents in rates), {"body": "Hearse"})
        off = scores(market, SearchRequest(), changed("price", on=False))
        gains = [
            on - without for on, without in zip(scores(market, SearchRequest()), off, strict=True)
        ]
        assert gains == pytest.approx([0, 0, 0.03, 0.06, 0.06, 0], abs=1e-6)

    def test_all_off_scores_nothing(self, market: Market) -> None:
        market.store({}, {"lat": None, "lon": None})
        content = DEFAULT.model_dump()
        for each in content["signals"].values():
            each["on"] = False
        assert scores(market, SearchRequest(), Profile.model_validate(content)) == [0, 0]

    def test_a_vehicle_without_a_place_gets_nothing_for_distance(self, market: Market) -> None:
        market.store({"lat": None, "lon": None})
        request = SearchRequest(near=Near(19.7, -155.1))
        off = changed("distance", on=False)
        assert scores(market, request) == scores(market, request, off)


class TestDocument:
    """A profile is validated; its version says when anything in it changes."""

    def test_the_default_gives_a_reason_for_everything(self) -> None:
        content = json.loads(
            (Path(signals.__file__).parents[1] / "profiles/default.json").read_text()
        )
        assert all(each["reason"] for each in content["signals"].values())
        assert Profile.model_validate(content) == DEFAULT

    def test_signals_and_typo_stay_below_the_least_difference_of_words(self) -> None:
        with pytest.raises(ValidationError, match="lower them below 1"):
            changed("distance", points=0.9)
        changed("distance", points=0.9, on=False)

    @pytest.mark.parametrize(
        ("signal", "wrong"),
        [
            ("rating", {"prior_mean": 5.1}),
            ("rating", {"points_per_star": -0.1}),
            ("rating", {"prior_reviews": 0}),
            ("reviews", {"points": float("nan")}),
            ("distance", {"half_km": 0}),
            ("freshness", {"reason": ""}),
            ("freshness", {"boost": 1}),
        ],
    )
    def test_values_out_of_bounds_are_refused(self, signal: str, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            changed(signal, **wrong)

    def test_the_prior_weighs_what_it_does_in_the_documents(self) -> None:
        assert DEFAULT.signals.rating.prior_reviews == PRIOR_REVIEWS
        with pytest.raises(ValidationError, match="documents weigh the prior as 10 reviews"):
            changed("rating", prior_reviews=PRIOR_REVIEWS + 1)

    def test_weights_are_of_fields_that_text_searches(self) -> None:
        content = DEFAULT.model_dump()
        content["text"]["weights"] = {"wheels": 3}
        with pytest.raises(ValidationError, match="not searched by text: wheels"):
            Profile.model_validate(content)
        content["text"]["weights"] = {"make": 9}
        assert Profile.model_validate(content).text.weights["make"] == 9

    def test_any_change_is_another_version(self) -> None:
        assert changed("rating").version == DEFAULT.version
        assert changed("rating", prior_mean=4.5).version != DEFAULT.version


class TestPages:
    """Walks by score, among ties and scores a last bit apart, while others write."""

    def test_a_cursor_of_another_profile_is_refused(
        self, market: Market, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        market.store({}, {})
        cursor = market.search(limit=1)["nextCursor"]
        by_price = market.search(limit=1, sort="price")["nextCursor"]
        monkeypatch.setattr("api.routes.search.DEFAULT", changed("rating", prior_mean=4.5))
        answer = market.api.get("/v1/search/vehicles", params={"limit": 1, "cursor": cursor})
        assert answer.json()["type"].endswith("invalid-cursor")
        assert market.search(limit=1, sort="price", cursor=by_price)["items"]

    @pytest.mark.parametrize("q", [{}, {"q": "toyotta rav4"}])
    def test_every_vehicle_once(self, market: Market, q: dict[str, str]) -> None:
        # 600 that score alike three by three, and 400 that stand a tenth of a metre apart.
        ids = market.store(
            *({"imported_rating": 450, "imported_review_count": n % 3} for n in range(600)),
            *({"lat": 19.7 + n / 1e6, "lon": -155.0885} for n in range(400)),
        )
        market.learn()
        seen: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            page = market.search(**q, **HILO, limit=70, **cursor)
            seen += [item["id"] for item in page["items"]]
            market.store({}, {"make": "Kia"})
            if not page["hasMore"]:
                break
            cursor = {"cursor": page["nextCursor"]}
        untouched = [vehicle_id for vehicle_id in seen if vehicle_id in set(ids)]
        assert sorted(untouched) == ids

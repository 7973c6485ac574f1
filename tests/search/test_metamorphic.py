"""What must hold between searches, whatever the data: no oracle is asked, each engine is its own.

A filter and its opposite make the whole; what a facet promises, a search with it keeps; a tighter
filter never adds a hit; the pages together are the set. `RIDES_SOAK=3000` asks ten times as much.
"""

import os
import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.market import Market
from tests.search.test_against_sql import FEATURES, MAKES, PLACES, TODAY, fill

pytestmark = pytest.mark.usefixtures("without_suggestions")
Asked = dict[str, Any]
EXAMPLES = int(os.environ.get("RIDES_SOAK", "300")) // 20
ranked = st.sampled_from(["relevance", "price", "-price", "rating", "newest"])


def searched(test: Callable[..., None]) -> Callable[..., None]:
    """A test of random searches, the same ones every time."""
    budget = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # a smaller example is not worth minutes of searches
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    return budget(given(data=st.data())(test))


def some(values: Any) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(list(values)), min_size=1, max_size=2, unique=True)


def days() -> st.SearchStrategy[Asked]:
    """No dates, fixed ones, flexible ones, or any days of a month."""

    def stay(start: int, length: int, flex: int) -> Asked:
        first = TODAY + timedelta(days=start)
        last = first + timedelta(days=length)
        return {"start": str(first), "end": str(last)} | ({"flexDays": flex} if flex else {})

    def of_month(ahead: int, length: int) -> Asked:
        month: date = TODAY + timedelta(days=ahead)
        return {"month": f"{month:%Y-%m}", "days": length}

    return st.one_of(
        st.just({}),
        st.builds(stay, st.integers(1, 60), st.integers(1, 9), st.sampled_from([0, 0, 2, 7])),
        st.builds(of_month, st.sampled_from([31, 62]), st.integers(1, 28)),
    )


def around() -> st.SearchStrategy[Asked]:
    points = st.sampled_from([{"lat": place[3], "lon": place[4]} for place in PLACES])
    return st.builds(lambda point, km: point | {"radiusKm": km}, points, st.sampled_from([5, 60]))


filters = st.fixed_dictionaries(
    {},
    optional={
        "make": some([*MAKES, "kia"]),
        "body": some(["SUV", "Sedan", "Pickup"]),
        "fuel": some(["Petrol", "ELECTRIC"]),
        "features": some(FEATURES),
        "yearMin": st.sampled_from([2015, 2018]),
        "seatsMin": st.sampled_from([4, 5, 7]),
        "ratingMin": st.sampled_from([4.2, 4.51]),
        "instantBook": st.booleans(),
        "q": st.sampled_from(["toyota", "kia or saab", "rav4", "hilo", "clean island"]),
    },
)


@st.composite
def searches(draw: st.DrawFn, *without: str) -> Asked:
    asked = draw(filters) | draw(days()) | draw(st.one_of(st.just({}), around()))
    if ("start" in asked or "month" in asked) and draw(st.booleans()):
        asked["priceBasis"] = "total"
    if draw(st.booleans()):
        asked["priceMax"] = draw(st.sampled_from([4500, 12_345, 40_000]))
    return {name: value for name, value in asked.items() if name not in without}


@pytest.fixture(scope="module")
def filled(lasting: Market) -> Market:
    """One random marketplace for all tests here: none of them writes."""
    return fill(lasting, random.Random(43))


def hits(engine: Market, asked: Asked) -> int:
    page = engine.search(**asked | {"limit": 1, "facets": "none"})
    count: int = page["total"]["value"]
    return count


@searched
def test_a_filter_and_its_opposite_make_the_whole(engine: Market, data: st.DataObject) -> None:
    asked = data.draw(searches("instantBook", "priceMax"))
    whole = hits(engine, asked)
    yes, no = (hits(engine, asked | {"instantBook": each}) for each in (True, False))
    assert yes + no == whole, asked
    limit = data.draw(st.integers(2000, 90_000))
    below, above = (
        hits(engine, asked | {"priceMax": limit}),
        hits(engine, asked | {"priceMin": limit + 1}),
    )
    assert below + above == whole, (asked, limit)
    # Not every vehicle has a year: the whole is then what has one.
    dated = hits(engine, asked | {"yearMin": asked.get("yearMin", 1900)})
    early, late = (hits(engine, asked | each) for each in ({"yearMax": 2018}, {"yearMin": 2019}))
    assert early + late == dated, asked


@searched
def test_what_a_facet_counts_is_what_its_filter_finds(engine: Market, data: st.DataObject) -> None:
    asked = data.draw(searches())
    page = engine.search(**asked, limit=1)
    for name in ("make", "body", "features"):
        facet = page["facets"][name]
        others = {each: value for each, value in asked.items() if each != name}
        for each in data.draw(st.permutations(facet))[:2]:
            chosen = [each["value"]]
            if name == "features":  # all must match: one more, beside those that are asked for
                chosen += asked.get(name, [])
            assert hits(engine, others | {name: chosen}) == each["count"], (asked, name, each)
    makes = sum(each["count"] for each in page["facets"]["make"])
    without_make = {name: value for name, value in asked.items() if name != "make"}
    assert makes + page["facetStats"]["make"]["otherCount"] == hits(engine, without_make), asked
    bars = sum(each["count"] for each in page["facets"]["price"]["buckets"])
    without_price = {name: value for name, value in asked.items() if name != "priceMax"}
    assert bars == hits(engine, without_price), asked


TIGHTER: list[Asked] = [
    {"priceMax": 3000}, {"yearMin": 2019}, {"seatsMin": 7}, {"ratingMin": 4.8}, {"make": ["Kia"]},
    {"features": ["GPS"]}, {"instantBook": True}, {"bbox": "-156,19,-155,20"}, {"q": "toyota"},
    {"start": str(TODAY + timedelta(days=20)), "end": str(TODAY + timedelta(days=24))},
    {"month": f"{TODAY + timedelta(days=62):%Y-%m}", "days": 9},
]  # fmt: skip
DATES = {"start", "end", "month", "days", "flexDays"}


@searched
def test_a_tighter_filter_never_adds_hits(engine: Market, data: st.DataObject) -> None:
    more = data.draw(st.sampled_from(TIGHTER))
    taken = DATES if DATES & more.keys() else set(more)
    asked = data.draw(searches(*taken, "priceBasis")) | {"limit": 100, "facets": "none"}
    whole, part = engine.walk(**asked), engine.walk(**asked | more)
    assert set(part) <= set(whole), (asked, more)


@searched
def test_the_pages_together_are_the_set(engine: Market, data: st.DataObject) -> None:
    asked = data.draw(searches()) | {"sort": data.draw(ranked), "facets": "none"}
    whole = engine.walk(**asked, limit=100)
    assert engine.walk(**asked, limit=data.draw(st.integers(5, 40))) == whole, asked
    assert len(set(whole)) == len(whole) == hits(engine, asked), asked

"""Both engines are one: random structured requests on random data get the same page from either.

The same ids in the same order, totals, facets, histogram and items; only highlights and who
answered may differ. `RIDES_SOAK=2000` asks more of it than `make test` does.
"""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from runtime.settings import Settings
from search.page import distance_km
from search.request import Near
from search.understand.vocabulary import EMPTY
from tests.market import Market
from tests.search.test_against_sql import PLACES, TODAY, fill, random_search

REQUESTS = int(os.environ.get("RIDES_SOAK", "1400"))
WORDS = ["toyota", "rav4", "hilo", "citroen", "c3", "gps", "roof racks", "truck", "ev", "corralejo"]
MISSPELT = ["toyoat", "citreon", "toyta", "yarris"]
# Of a field: an order by relevance is held to the scores (test_engines_by_text.py).
SORTS = ["price", "-price", "rating", "newest"]


@pytest.fixture(scope="module")
def alone(settings: Settings) -> Iterator[TestClient]:
    """The same marketplace where no Elasticsearch is configured."""
    without = settings.model_copy(update={"elasticsearch_url": ""})
    with TestClient(create_app(without), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def both(market: Market, alone: TestClient) -> tuple[Market, Market]:
    """A random marketplace, and the same one asked through PostgreSQL; neither knows a name yet."""
    fill(market, random.Random(23))
    for api in (market.api, alone):
        api.app.state.vocabulary.current = EMPTY  # type: ignore[attr-defined]
    return market, market.through(alone)


def random_request(rng: random.Random) -> dict[str, Any]:
    """A search of the other test, with map sections, totals, every order and several pages."""
    asked = random_search(rng)
    if rng.random() < 0.3:
        _, _, _, lat, lon = rng.choice(PLACES)
        half = rng.choice([0.05, 0.1, 5])
        east, west = lon + half, rng.choice([lon - half, 179.0])  # 179: over the 180th meridian
        asked["bbox"] = f"{west},{lat - half},{east},{lat + half}"
    if "start" in asked and rng.random() < 0.5:
        asked["flexDays"] = rng.choice([1, 3, 7])
    if "start" not in asked and rng.random() < 0.3:
        month = TODAY + timedelta(days=rng.choice([0, 31, 62, 124]))
        days = rng.choice([1, 4, 7, 30]) if month > TODAY and month.month != 2 else 1
        asked |= {"month": f"{month:%Y-%m}", "days": days}
    if ("start" in asked or "month" in asked) and rng.random() < 0.5:
        asked |= {"priceBasis": "total", "priceMax": rng.choice([20_000, 60_000])}
        if asked.get("priceMin", 0) > asked["priceMax"]:
            del asked["priceMin"]
    if rng.random() < 0.25:
        asked["q"] = " ".join(rng.choices(WORDS + MISSPELT, k=rng.choice([1, 1, 2])))
    asked["sort"] = rng.choice(SORTS + ["distance"] * ("lat" in asked))
    return asked | {"limit": rng.choice([1, 20, 100])}


def same(asked: dict[str, Any], one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["total"] == other["total"], asked
    assert one["facets"] == other["facets"], asked
    assert one["facetStats"] == other["facetStats"], asked
    assert one["hasMore"] == other["hasMore"], asked
    if asked["sort"] == "distance":
        nearly_the_same_order(asked, one["items"], other["items"])
    else:
        assert shown(one["items"]) == shown(other["items"]), asked


def shown(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All of the items but the excerpts, which the engines cut at other places."""
    return [item | {"highlights": None} for item in items]


def nearly_the_same_order(
    asked: dict[str, Any], one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    """Two items may change places where their distances differ by a millimetre at most."""
    point = Near(asked["lat"], asked["lon"])

    def far(item: dict[str, Any]) -> float:
        place = item["location"]
        return -1 if place["lat"] is None else distance_km(point, place["lat"], place["lon"])

    assert len(one) == len(other), asked
    for mine, yours in zip(shown(one), shown(other), strict=True):
        if mine != yours:
            assert far(mine) == pytest.approx(far(yours), abs=1e-6), asked


@pytest.mark.usefixtures("without_suggestions")
@pytest.mark.timeout(900)  # what hangs, not what is slow: a busy machine took 288 s
def test_random_requests_get_the_same_page_from_both(both: tuple[Market, Market]) -> None:
    elastic, postgres = both
    rng = random.Random(29)
    found = 0
    for _ in range(REQUESTS):
        asked = random_request(rng)
        one, other = elastic.search(**asked), postgres.search(**asked)
        assert (one["meta"]["engine"], other["meta"]["engine"]) == ("elasticsearch", "postgres")
        assert not other["meta"]["degraded"]
        same(asked, one, other)
        found += one["total"]["value"]
    assert found > 5 * REQUESTS  # most searches must find something, or they prove nothing


def test_values_beyond_the_first_twenty_are_the_same(market: Market, alone: TestClient) -> None:
    market.store(*({"make": f"Make {n % 23}", "body": f"Body {n % 31}"} for n in range(80)))
    asked = {"body": ["body 30", "Body 3", "Tank"], "facets": "make,body", "sort": "newest"}
    same(asked, market.search(**asked), market.through(alone).search(**asked))


def test_a_walk_begun_on_one_engine_ends_on_the_other(both: tuple[Market, Market]) -> None:
    elastic, postgres = both
    for sort in SORTS:
        expected = elastic.walk(sort=sort, limit=100, facets="none")
        for first, second in ((elastic, postgres), (postgres, elastic)):
            walked, cursor = [], {}
            for n in range(1000):
                page = (first, second)[n % 2].search(sort=sort, limit=11, **cursor)
                walked += [item["id"] for item in page["items"]]
                if not page["hasMore"]:
                    break
                cursor = {"cursor": page["nextCursor"]}
            assert walked == expected, sort

"""Suggestions, facet values and maps are the same from either engine, and as the search counts.

Random questions on random data, as in `test_engines.py`.
"""

import os
import random
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from search.fields import FACETS, camel
from tests import factory
from tests.market import Market
from tests.search.test_against_sql import PLACES, TODAY, random_search
from tests.search.test_engines import alone, both, random_request  # noqa: F401 - fixtures

QUESTIONS = int(os.environ.get("RIDES_SOAK", "80"))
WORLD = "-180,-90,180,90"
NAMES = [
    "Toyota RAV4", "Citroën C3", "Kia Soul", "Saab 9-3", "Land Rover Range Rover", "Ford F-150",
    "Hilo", "Canary Islands", "United States", "Air conditioning", "Roof rack", "Škoda Fabia",
]  # fmt: skip


def ask(market: Market, route: str, **asked: Any) -> dict[str, Any]:
    answer = market.api.get(f"/v1/search/{route}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def same(both: tuple[Market, Market], route: str, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """What both answer, but for who did."""
    one, other = (ask(market, route, **asked) for market in both)
    engines = [answer.pop("meta")["engine"] for answer in (one, other)]
    assert engines == ["elasticsearch", "postgres"]
    if route == "clusters":
        _nearly(one), _nearly(other)
    assert one == other, asked
    return one


def _nearly(found: dict[str, Any]) -> None:
    """Degrees to a millionth; vehicles in no order, since relevance is an engine's own."""
    for cluster in found["clusters"]:
        for part in ("centroid", "bounds"):
            cluster[part] = {side: round(at, 6) for side, at in cluster[part].items()}
    found["items"] = sorted(
        ({**each, "highlights": {}} for each in found["items"]), key=lambda each: each["id"]
    )


def as_facet_values(asked: dict[str, Any]) -> dict[str, Any]:
    """A search as the search inside a facet takes it: without an order, its text as `text`."""
    names = {"q": "text"}
    return {names.get(name, name): value for name, value in asked.items() if name != "sort"}


def typed(rng: random.Random) -> str:
    """The beginnings of some words of a name, in any order, perhaps with a typo."""
    words = rng.choice(NAMES).replace("-", rng.choice(["-", "", " "])).split()
    rng.shuffle(words)
    words = [word[: rng.randint(1, len(word))] for word in words[: rng.randint(1, 3)]]
    if rng.random() < 0.4:
        at = rng.randint(1, 6)
        words[0] = words[0][:at] + rng.choice("aex") + words[0][at + rng.randint(0, 1) :]
    return rng.choice([str, str.lower, str.upper])(" ".join(words))


def test_random_words_are_suggested_the_same(both: tuple[Market, Market]) -> None:  # noqa: F811
    both[0].store(
        {"make": "Land Rover", "model": "Range Rover"},
        {"make": "Ford", "model": "F-150"},
        {"make": "FORD", "model": "F-150"},
        {"make": "Škoda", "model": "Fabia", "city": "Hilo", "region": "Île-de-France"},
        {"make": "Seat", "model": "C3", "status": "unlisted"},
        {"make": "Tatra", "model": "Hilo", "city": "Kona", "status": "archived"},
    )
    rng = random.Random(41)
    found = corrected = 0
    for _ in range(QUESTIONS):
        answer = same(both, "suggest", {"q": typed(rng), "limit": rng.choice([1, 2, 5, 20])})
        found += any(answer["sections"].values())
        corrected += answer["corrected"]
    assert found > QUESTIONS / 2
    assert corrected > QUESTIONS / 20


def test_hidden_names_do_not_keep_a_typo_from_being_forgiven(
    market: Market,
    alone: TestClient,  # noqa: F811
) -> None:
    market.store({"make": "Ford", "model": None}, {"make": "Ferd", "status": "unlisted"})
    answer = same((market, market.through(alone)), "suggest", {"q": "ferd"})
    assert answer["corrected"]
    assert [each["value"] for each in answer["sections"]["makes"]] == ["Ford"]


def test_only_so_many_values_of_a_section_are_looked_at(
    market: Market,
    alone: TestClient,  # noqa: F811
) -> None:
    makes = [f"Make {n % 7}" for n in range(40)] + ["make 3", "MAKE 3"]
    market.store(*({"make": make, "model": f"Model {n % 11}"} for n, make in enumerate(makes)))
    engines = (market, market.through(alone))
    for limit in (1, 2, 3, 20):
        for q in ("make", "m", "mod", "model 1 make", "mdoel"):
            same(engines, "suggest", {"q": q, "limit": limit})


def test_random_facet_values_are_the_same(both: tuple[Market, Market]) -> None:  # noqa: F811
    rng = random.Random(43)
    found = 0
    for _ in range(QUESTIONS):
        asked = random_request(rng) if rng.random() < 0.5 else {"sort": "price"}
        asked = as_facet_values(asked)
        asked["limit"] = rng.choice([1, 3, 100])
        words = rng.choice([*["", "s", "c", "a", "h", "r", "k"] * 2, "un st", "roo ra", typed(rng)])
        asked |= {"facet": camel(rng.choice(FACETS)), "q": words}
        found += len(same(both, "facet-values", asked)["values"])
    assert found > QUESTIONS / 3


def test_random_maps_are_the_same(both: tuple[Market, Market]) -> None:  # noqa: F811
    rng = random.Random(47)
    host = factory.store_account(both[0].conn, "host")
    for n in range(80):
        lat, lon = (19.7, -155.1) if n < 60 else (rng.uniform(-90, 90), rng.uniform(-180, 180))
        factory.store_vehicle(both[0].conn, host_id=host, lat=round(lat, 6), lon=round(lon, 6))
    both[0].store(*({"lat": lat, "lon": lon} for lat in (-90, 0, 90) for lon in (-180, 0, 180)))
    clustered = few = 0
    for _ in range(QUESTIONS):
        asked = random_request(rng) if rng.random() < 0.5 else random_search(rng)
        if rng.random() < 0.5:
            asked = {}
        for name in ("sort", "limit"):
            asked.pop(name, None)
        if rng.random() < 0.7:
            asked["bbox"] = WORLD
        elif "bbox" not in asked:
            _, _, _, lat, lon = rng.choice(PLACES)
            asked["bbox"] = f"{lon - 0.1},{lat - 0.1},{lon + 0.1},{lat + 0.1}"
        answer = same(both, "clusters", asked | {"zoom": rng.choice([0, 2, 6.5, 11, 24])})
        counted = sum(each["count"] for each in answer["clusters"]) + len(answer["items"])
        assert answer["total"] == {"value": counted, "exact": True}
        clustered += bool(answer["clusters"])
        few += bool(answer["items"])
    assert clustered > QUESTIONS / 4
    assert few > QUESTIONS / 10


@pytest.mark.parametrize("engine", [0, 1], ids=["elasticsearch", "postgres"])
def test_all_count_what_the_search_counts(
    both: tuple[Market, Market],  # noqa: F811
    engine: int,
) -> None:
    market, rng = both[engine], random.Random(53)
    for _ in range(QUESTIONS // 3):
        asked = random_request(rng) | {"sort": "price", "limit": 1, "bbox": WORLD}
        facet = camel(rng.choice(FACETS))
        page = market.search(**asked | {"facets": facet})
        asked = {name: value for name, value in asked.items() if name not in ("sort", "limit")}
        under = as_facet_values(asked) | {"facet": facet, "limit": 100}
        values = ask(market, "facet-values", **under)["values"]
        counts = {each["value"]: each["count"] for each in values}
        shown = {
            each["value"]: each["count"]
            for each in page["facets"][facet]
            if each["count"] or each["selected"]
        }
        assert counts == shown, asked
        found = ask(market, "clusters", zoom=3, **asked)
        assert found["total"] == page["total"], asked


def test_notice_counts_as_in_the_search(both: tuple[Market, Market]) -> None:  # noqa: F811
    """The hosts' notice is measured from now by all of them."""
    both[0].store(*({"notice_days": days, "make": f"Notice {days}"} for days in range(5)))
    asked = {"start": str(TODAY), "end": str(TODAY + timedelta(days=2))}
    for market in both:
        page = market.search(**asked, facets="make", bbox=WORLD, make="Notice 3")
        values = ask(market, "facet-values", facet="make", q="notice", limit=100, **asked)["values"]
        shown = {each["value"]: each["count"] for each in page["facets"]["make"] if each["count"]}
        assert {each["value"]: each["count"] for each in values} == {
            name: count for name, count in shown.items() if name.startswith("Notice")
        }
        assert "Notice 4" not in shown
        assert ask(market, "clusters", bbox=WORLD, zoom=2, make="Notice 4", **asked)["items"] == []

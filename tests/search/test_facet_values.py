"""Searching inside one facet, under a search."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from search.facet_values import FacetQuestion, build
from search.fields import camel
from search.query import body
from search.request import SearchRequest
from search.words import matches, words
from tests.market import Market
from tests.search import oracle
from tests.search.test_against_sql import random_market, random_search  # noqa: F401 - a fixture


def ask(market: Market, facet: str, **parameters: Any) -> dict[str, Any]:
    answer = market.api.get("/v1/search/facet-values", params={"facet": facet} | parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["facet"] == facet
    return found


def counts(market: Market, facet: str, **parameters: Any) -> dict[str, int]:
    values = ask(market, facet, **parameters)["values"]
    return {each["value"]: each["count"] for each in values}


@pytest.fixture
def fleet(market: Market) -> Market:
    market.store(
        {"make": "Jeep", "model": "Wrangler", "features": ["GPS", "Roof rack"]},
        {"make": "Jeep", "model": "Wrangler Unlimited", "features": ["Bike rack"]},
        {"make": "Citroën", "model": "C3", "body": "Hatchback"},
        {"make": "Kia", "model": "Soul", "body": "Hatchback"},
    )
    return market


def test_values_have_a_word_that_begins_so(fleet: Market) -> None:
    assert counts(fleet, "model", q="wran") == {"Wrangler": 1, "Wrangler Unlimited": 1}
    assert counts(fleet, "model", q="unl WRAN") == {"Wrangler Unlimited": 1}
    assert counts(fleet, "make", q="CITROE") == {"Citroën": 1}
    assert counts(fleet, "features", q="rack") == {"Bike rack": 1, "Roof rack": 1}
    assert counts(fleet, "model", q="wrangle x") == {}


def test_without_words_there_are_all_values(fleet: Market) -> None:
    assert counts(fleet, "make") == {"Jeep": 2, "Citroën": 1, "Kia": 1}
    assert counts(fleet, "make", q="!") == {"Jeep": 2, "Citroën": 1, "Kia": 1}


def test_the_search_applies_but_for_the_facets_own_filter(fleet: Market) -> None:
    without = {"Citroën": 1, "Kia": 1}
    assert counts(fleet, "make", body="Hatchback", make="Jeep") == without | {"Jeep": 0}
    assert counts(fleet, "make", text="wrangler") == {"Jeep": 2}
    assert counts(fleet, "features", q="rack", features="gps") == {"Roof rack": 1}


def test_text_is_understood_as_in_a_search(fleet: Market) -> None:
    fleet.store({"make": "Jeep", "model": "Renegade", "daily_rate_cents": 9_000})
    fleet.learn()
    text = "jeep under $80"
    found, page = ask(fleet, "model", text=text), fleet.search(q=text, facets="model")
    assert found["understood"] == page["understood"]
    assert [each["kind"] for each in found["understood"]] == ["make", "price"]
    assert counts(fleet, "model", text=text) == {"Wrangler": 1, "Wrangler Unlimited": 1}
    # A make that is understood is a filter like any other: the facet leaves out its own.
    assert counts(fleet, "make", text=text) == fleet.facet("make", q=text)
    kept = ask(fleet, "make", text=text, keep=["price"])
    assert [each["kind"] for each in kept["understood"]] == ["make"]
    assert {each["value"]: each["count"] for each in kept["values"]} == {"Jeep": 0}


def test_misspelt_words_are_corrected_as_in_a_search(fleet: Market) -> None:
    fleet.learn()
    assert counts(fleet, "make", text="wranlger") == {"Jeep": 2}


def test_values_are_marked_and_selected(fleet: Market) -> None:
    assert ask(fleet, "make", q="je", make="jeep")["values"] == [
        {"value": "Jeep", "label": "<em>Je</em>ep", "count": 2, "selected": True}
    ]


def test_selected_values_are_in_a_list_that_is_not_searched(fleet: Market) -> None:
    """Beyond the limit, and without a vehicle: how else would they be taken back?"""
    assert counts(fleet, "make", make=["kia", "Jeep"], limit=1) == {"Jeep": 2, "Kia": 1}
    assert counts(fleet, "make", make="Jeep", priceMax=100) == {"Jeep": 0}
    assert counts(fleet, "features", features=["GPS", "Sunroof"]) == {"GPS": 0, "Sunroof": 0}
    assert counts(fleet, "make", make="Kia", q="je") == {"Jeep": 2}


@pytest.mark.parametrize(("facet", "q"), [("make", "k"), ("features", "k"), ("make", "")])
def test_more_values_than_asked_for(market: Market, facet: str, q: str) -> None:
    names = [f"K{n}" for n in range(5)]
    market.store(*({"make": name, "features": [name, "GPS"]} for name in names))
    found = ask(market, facet, q=q, limit=3)
    assert [each["value"] for each in found["values"]] == names[:3]
    assert found["hasMore"]
    assert not ask(market, facet, q="k", limit=5)["hasMore"]


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("q=a", "facet", "required"),
        ("facet=price", "facet", "'make', 'model', 'body'"),
        ("facet=make&limit=101", "limit", "less than or equal to 100"),
        ("facet=make&sort=price", "sort", "unknown parameter"),
        ("facet=make&cursor=x", "cursor", "unknown parameter"),
        ("facet=make&facett=x", "facett", "did you mean facet?"),
        ("facet=make&facet=model", "facet", "only once"),
        ("facet=make&lat=1", "lon", "come together"),
        ("facet=make&q=" + "a" * 101, "q", "at most 100 characters"),
    ],
)
def test_wrong_parameters(market: Market, query: str, parameter: str, says: str) -> None:
    answer = market.api.get(f"/v1/search/facet-values?{query}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == parameter
    assert says in error["message"] or says in error["message"].lower()


def test_random_questions(random_market: Market) -> None:  # noqa: F811
    rng = random.Random(23)
    found = 0
    for _ in range(100):
        asked, name = random_search(rng), rng.choice(oracle.FACETS)
        everything = oracle.facet(random_market.conn, {}, name)
        q = rng.choice(["", "no such", *(value[: rng.randint(1, 9)] for value in everything)])
        expected = {
            value: count
            for value, count in oracle.facet(random_market.conn, asked, name).items()
            if matches(value, words(q))
        }
        if not q:
            found_too = {value.lower() for value in expected}
            chosen = {value.lower(): value for value in asked.get(camel(name), ())}
            expected |= {v: 0 for low, v in chosen.items() if low not in found_too}
        assert counts(random_market, name, q=q, limit=100, **asked) == expected, (asked, name, q)
        found += len(expected)
    assert found > 60


def test_a_whole_body() -> None:
    request = SearchRequest(
        text="hilo",
        filters={"make": ("Jeep",), "body": ("SUV",)},
        ranges={"daily_rate": (None, 9000)},
        facets=("make",),
        limit=7,
    )
    narrowed = SearchRequest(
        text="hilo", filters={"body": ("SUV",)}, ranges={"daily_rate": (None, 9000)}
    )
    under = body.counted(narrowed)
    assert {"terms": {"body.key": ["SUV"]}} in under["bool"]["filter"]
    assert build(FacetQuestion.of(request, "make", "Citroë")) == {
        "query": {"bool": {"filter": [under, {"prefix": {"make.words": "citroe"}}]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": {"values": {"terms": {"field": "make", "size": 7}}},
        "timeout": "1s",
    }


def test_the_same_question_is_the_same_at_any_moment() -> None:
    """So Elasticsearch answers it from its cache until something changes."""
    moments = [datetime(2026, 11, 30, 12, minute, tzinfo=UTC) for minute in (0, 1)]
    asked = [
        build(FacetQuestion.of(SearchRequest(text="hilo", now=each), "make", "Citroë"))
        for each in moments
    ]
    assert asked[0] == asked[1]

"""The page that is sent is the page that OpenAPI declares: no key more, none missing."""

from typing import Any

from pydantic import BaseModel

from api.schemas.search import Alternatives, DidYouMean, GivenUp, Item, Relaxed, SearchPage
from tests.market import Market


def keys(model: type[BaseModel], *, without: tuple[str, ...] = ()) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()} - set(without)


def test_a_page_has_the_declared_keys(market: Market) -> None:
    market.store({"features": ["GPS"], "photos": ["https://cdn.example/1.jpg"]})
    everything: dict[str, Any] = {
        "q": "toyota", "lat": 19.7, "lon": -155, "start": "2099-01-01", "end": "2099-01-03",
        "flexDays": 1, "make": "Toyota", "features": "GPS",
    }  # fmt: skip
    page = market.search(**everything)
    assert set(page) == keys(SearchPage)
    (item,) = page["items"]
    assert set(item) == keys(Item)
    assert item["photoUrl"] == "https://cdn.example/1.jpg"
    SearchPage.model_validate(page)


def test_total_window_and_distance_are_there_only_when_asked_for(market: Market) -> None:
    market.store({})
    (item,) = market.search()["items"]
    assert set(item) == keys(Item, without=("total", "window", "distanceKm"))


def test_suggestions_have_the_declared_keys(market: Market) -> None:
    market.store({})
    market.learn()
    suggestions = market.search(q="toyoto", seatsMin=9)["suggestions"]
    assert set(suggestions) == keys(Alternatives)
    assert suggestions["didYouMean"] is None
    (without,) = suggestions["relaxed"]
    assert set(without) == keys(Relaxed)
    assert all(set(each) == keys(GivenUp) for each in without["relaxed"])
    page = market.search(q="toyoto")
    assert set(page["suggestions"]["didYouMean"]) == keys(DidYouMean)
    SearchPage.model_validate(page)


def test_a_page_that_needs_no_suggestions_has_none(market: Market) -> None:
    market.store({}, {}, {}, {}, {})
    assert market.search(make="Toyota")["suggestions"] == {"didYouMean": None, "relaxed": []}


def test_meta_says_who_answered_and_how_fresh_the_index_is(market: Market) -> None:
    meta = market.search()["meta"]
    assert (meta["engine"], meta["degraded"], meta["profile"]) == (
        "elasticsearch",
        False,
        "default",
    )
    assert meta["indexAgeMs"] >= 0
    assert meta["tookMs"] > 0


def test_without_an_index_postgresql_answers_and_says_so(market: Market) -> None:
    (vehicle,) = market.store({})
    market.elastic.indices.delete_alias(index="*", name=market.alias)
    try:
        page = market.search()
        assert [item["id"] for item in page["items"]] == [vehicle]
        assert (page["meta"]["engine"], page["meta"]["degraded"]) == ("postgres", True)
    finally:
        serving = market.conn.execute(
            "SELECT index_name FROM index_builds WHERE state = 'serving'"
        ).fetchone()
        assert serving
        market.elastic.indices.put_alias(index=serving[0], name=market.alias)

"""What a process learns of the vehicles: names and words, the same from either engine."""

import asyncio
import random
from typing import Any

import pytest
from elasticsearch import AsyncElasticsearch

from search.postgres import vocabulary as of_postgres
from search.understand import vocabulary
from search.understand.source import VocabularySource
from search.understand.vocabulary import Vocabulary
from tests.market import Market
from tests.search.test_against_sql import fill

GONE = "http://127.0.0.1:1"  # nobody listens there


def of_index(market: Market) -> Vocabulary:
    return vocabulary.read(market.elastic, market.alias)


def of_database(market: Market) -> Vocabulary:
    """Of what PostgreSQL tells, as a process without Elasticsearch learns it."""
    return polled(market, "").current


def polled(market: Market, url: str | None = None, *, times: int = 1) -> VocabularySource:
    """A source over this Elasticsearch, another, or none, after so many polls."""
    url = str(market.elastic.transport.node_pool.get().base_url) if url is None else url

    async def poll() -> VocabularySource:
        client = AsyncElasticsearch(url) if url else None
        source = VocabularySource(client, market.alias, market.database_url)
        for _ in range(times):
            await source.poll()
        if client:
            await client.close()
        return source

    return asyncio.run(poll())


def test_names_come_from_the_visible_vehicles(market: Market) -> None:
    market.store({"make": "Citroën", "model": "C3", "features": ["GPS"]}, {"status": "unlisted"})
    known = polled(market).current
    assert known == of_index(market)
    assert {"citroen", "c3", "gps", "suv", "hilo", "hawaii", "unitedstates"} <= set(known.terms)
    assert "toyota" not in known.terms
    assert known.terms["hilo"][0].point == pytest.approx((19.7074, -155.0885), abs=1e-3)


def test_words_come_from_every_field_joined_too_with_their_vehicles(market: Market) -> None:
    car = {"make": "Land Rover", "model": "LR4", "city": "Hāna", "features": ["Child seat"]}
    market.store(car, car, car | {"model": "Defender", "body": None}, {"status": "unlisted"})
    words = of_index(market).words
    assert {word: words[word] for word in ("land", "landrover", "hana", "child", "suv")} == {
        "land": 3, "landrover": 3, "hana": 3, "child": 3, "suv": 2
    }  # fmt: skip
    assert (words["lr4"], words["roverlr4"], words["defender"]) == (2, 2, 1)
    assert "toyota" not in words


def test_the_epoch_changes_with_the_names_and_words_only(market: Market) -> None:
    market.store({})
    before = of_index(market)
    market.store({})
    assert of_index(market).epoch == before.epoch
    assert of_index(market).words["toyota"] == 2 * before.words["toyota"]
    market.store({"city": "Lihue"})
    assert of_index(market).epoch != before.epoch


@pytest.mark.parametrize("seed", range(3))
def test_both_engines_tell_the_same_vocabulary(market: Market, seed: int) -> None:
    fill(market, random.Random(seed))
    assert of_database(market).epoch == of_index(market).epoch
    assert of_database(market) == of_index(market)


ODD: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "without what may be missing": [
        {"model": None, "body": None, "fuel": None, "transmission": None}
        | dict.fromkeys(["lat", "lon", "city", "region", "country"])
    ],
    "a place without a position": [{"lat": None, "lon": None}, {"city": "Kona"}],
    "a place on both sides of the 180th meridian": [
        {"city": "Taveuni", "lat": -16.8, "lon": lon} for lon in (179.9, -179.9)
    ],
    "a name of many places": [
        {"city": "Springfield", "region": f"Region {n}", "country": f"Country {n % 11}"}
        for n in range(13)
    ],
    "a model of several makes, and ties": [
        {"make": make, "model": model} for make in ("b", "B", "é") for model in ("X", "x", None)
    ],
    "quotes and signs": [{"make": "O'Neil \"%s\"", "model": "\\ % {0} :p", "city": "Kea'au"}],
}  # fmt: skip


@pytest.mark.parametrize("vehicles", ODD.values(), ids=ODD)
def test_odd_vehicles_are_the_same_vocabulary(
    market: Market, vehicles: list[dict[str, Any]]
) -> None:
    market.store(*vehicles)
    assert of_database(market) == of_index(market)


def test_a_place_across_the_180th_meridian_has_no_point(market: Market) -> None:
    market.store(*ODD["a place on both sides of the 180th meridian"])
    assert [term.point for term in of_index(market).terms["taveuni"]] == [None]


def test_the_most_frequent_of_too_many_are_the_same(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.store(*({"make": f"Make {n % 7}", "model": f"M{n % 5}"} for n in range(30)))
    for module in (vocabulary, of_postgres):
        monkeypatch.setattr(module, "MOST_MAKES", 4)
        monkeypatch.setattr(module, "MOST_MODELS", 2)
    monkeypatch.setattr(of_postgres, "STATEMENT", of_postgres._statement())
    assert of_database(market) == of_index(market)
    assert len([name for name in of_index(market).terms if name.startswith("make")]) == 4


def test_while_the_index_never_answered_postgresql_tells(market: Market) -> None:
    market.store({})
    assert polled(market, GONE).current.epoch == of_index(market).epoch


def test_what_postgresql_told_is_refreshed(market: Market) -> None:
    market.store({})
    source = polled(market, "")
    market.store({"make": "Kia"})
    asyncio.run(source.poll())
    assert source.current == of_index(market)


@pytest.mark.parametrize("url", [None, ""])
def test_what_has_not_changed_is_not_made_again(market: Market, url: str | None) -> None:
    market.store({})
    expected, made = of_index(market), []
    of_answer = vocabulary.from_answer

    def watched(answer: Any) -> Vocabulary:
        made.append(answer)
        return of_answer(answer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "from_answer", watched)
        assert polled(market, url, times=3).current == expected
    assert len(made) == 1


def test_once_learnt_from_the_index_it_stays_while_that_is_away(market: Market) -> None:
    market.store({})
    source = polled(market)
    known = source.current
    market.store({"make": "Kia"})
    source._client = None
    asyncio.run(source.poll())
    assert source.current is known

"""Asking for less where little is found: in a fixed order, counted, ready to be sent."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from runtime.settings import Settings
from search import dead_ends, did_you_mean
from search.breaker import State
from search.engine import Engine, SearchUnavailableError
from tests import factory
from tests.market import Market
from tests.search.test_against_sql import fill
from tests.search.test_engines import random_request

TODAY = datetime.now(UTC).date()
KIA = {"make": "Kia", "model": "Soul", "description": ""}
FAR = {"city": "Lihue", "lat": 21.98, "lon": -159.37}


@pytest.fixture
def postgres(market: Market, settings: Settings) -> Iterator[Market]:
    """The marketplace where no Elasticsearch is configured."""
    alone = settings.model_copy(update={"elasticsearch_url": ""})
    with TestClient(create_app(alone), raise_server_exceptions=False) as api:
        yield market.through(api)


def relaxed(market: Market, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = market.search(**asked)["suggestions"]["relaxed"]
    return found


def labels(market: Market, **asked: Any) -> list[tuple[int, str]]:
    """Counts and what was given up."""
    return [
        (each["count"], ", ".join(one["label"] for one in each["relaxed"]))
        for each in relaxed(market, **asked)
    ]


def test_an_empty_page_says_what_to_give_up_and_shows_it(market: Market) -> None:
    dear, _ = market.store(
        KIA | {"daily_rate_cents": 9_000}, {"make": "Jeep", "model": "Gladiator"}
    )
    market.learn()
    page = market.search(q="kia in hilo under $80")
    assert (page["items"], page["total"]["value"]) == ([], 0)
    dearer, jeep = page["suggestions"]["relaxed"]
    items = dearer.pop("items")
    assert dearer == {
        "relaxed": [
            {"parameter": "priceMax", "was": 8000, "now": 10000, "label": "Up to 100 a day"}
        ],
        "parameters": {"make": ["Kia"], "city": ["Hilo"], "priceMax": 10000},
        "count": 1,
    }
    assert [item["id"] for item in items] == [dear]
    assert jeep["relaxed"] == [
        {"parameter": "make", "was": ["Kia"], "now": None, "label": "Any make"}
    ]
    assert "items" not in jeep


def test_where_enough_is_found_nothing_is_suggested(market: Market) -> None:
    market.store(*[KIA] * dead_ends.FEW, *[{}] * dead_ends.FEW)
    market.learn()
    assert relaxed(market, q="kia under $80") == []


def test_where_little_is_found_more_is_suggested_without_items(market: Market) -> None:
    market.store(KIA, *[KIA | {"daily_rate_cents": 9_000}] * 3)
    page = market.search(make="Kia", priceMax=8_000)
    assert (len(page["items"]), page["total"]["value"]) == (1, 1)
    (dearer,) = page["suggestions"]["relaxed"]
    assert dearer["count"] == 4
    assert "items" not in dearer


def test_later_pages_suggest_nothing(market: Market) -> None:
    market.store(KIA, KIA, KIA | {"daily_rate_cents": 9_000})
    first = market.search(make="Kia", priceMax=8_000, limit=1)
    assert len(first["suggestions"]["relaxed"]) == 1
    second = market.search(make="Kia", priceMax=8_000, limit=1, cursor=first["nextCursor"])
    assert second["suggestions"]["relaxed"] == []


ORDER: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    # what is stored, what is asked for besides a Kia, what is given up
    ({}, {"q": "surfboard"}, ["Without “surfboard”"]),
    ({"imported_rating": 450, "imported_review_count": 9}, {"ratingMin": 4.8}, ["Any rating"]),
    ({"instant_book": False}, {"instantBook": True}, ["With or without instant booking"]),
    ({"year": 2018}, {"yearMin": 2020, "yearMax": 2021}, ["Any model year, Any model year"]),
    (FAR, {"lat": 22.05, "lon": -159.37, "radiusKm": 5}, ["Within 10 km"]),
    (FAR, {"lat": 22.12, "lon": -159.37, "radiusKm": 5}, ["Within 20 km"]),
    (FAR, {"lat": 22.48, "lon": -159.37, "radiusKm": 5}, ["At any distance"]),
    ({"daily_rate_cents": 9_950}, {"priceMax": 8_000}, ["Up to 100 a day"]),
    ({"daily_rate_cents": 10_001}, {"priceMax": 8_000}, ["Any price"]),
    ({"daily_rate_cents": 6_400}, {"priceMin": 8_000}, ["From 64 a day"]),
    ({"features": ["GPS"]}, {"features": ["GPS", "Sunroof"]}, ["Without Sunroof"]),
    ({}, {"features": ["GPS", "Sunroof"]}, ["Without GPS, Sunroof"]),
    ({"fuel": "Hybrid"}, {"fuel": "Petrol"}, ["Any fuel"]),
    ({"title": "My soul mate"}, {"q": "mate 2019"}, ["Without “2019”"]),
    ({"title": "2019 mate"}, {"q": "mate kia 1999 1998"}, ["Without “mate 1999 1998”"]),
    ({}, {"model": "Rio"}, ["Any Kia"]),
    ({"body": "Wagon"}, {"body": "SUV"}, ["Any body style"]),
    ({"seats": 5}, {"seatsMin": 7}, ["Any number of seats"]),
    ({}, {"city": "Lihue", "region": "Hawaii"}, ["Any city"]),
    ({}, {"city": "Lihue", "region": "Alaska"}, ["Any city, Any region"]),
    ({}, {"bbox": "0,0,1,1"}, ["Anywhere"]),
]  # fmt: skip


@pytest.mark.parametrize(("stored", "asked", "expected"), ORDER)
def test_each_demand_may_be_given_up(
    market: Market, stored: dict[str, Any], asked: dict[str, Any], expected: list[str]
) -> None:
    other = {"make": "Land Rover", "model": "Rover", "body": "Van", "lat": None, "lon": None}
    market.store(KIA | stored, other | {"city": "Hana"})
    market.learn()
    found = labels(market, make="Kia", **asked)
    assert found[0] == (1, expected[0])


def test_around_a_city_before_anywhere(market: Market) -> None:
    market.store(
        {"city": "Hilo"},
        KIA | {"city": "Keaau", "lat": 19.6222, "lon": -155.0372},
        KIA | FAR,
    )
    market.learn()
    (around, *others) = relaxed(market, q="kia in hilo")
    assert around["relaxed"][0] == {
        "parameter": "city", "was": ["Hilo"], "now": None, "label": "Around Hilo, not only in it"
    }  # fmt: skip
    assert around["parameters"].keys() == {"make", "lat", "lon", "radiusKm"}
    assert around["count"] == 1
    assert [each["relaxed"][0]["label"] for each in others] == ["Any make", "Any city"]


def test_things_are_given_up_in_the_order_of_the_documentation(market: Market) -> None:
    """Each vehicle lacks one thing of what is asked for."""
    right = KIA | {"features": ["GPS"], "body": "SUV", "title": "surf"}
    lacking = [
        {"title": None}, {"imported_rating": 400, "imported_review_count": 9},
        {"daily_rate_cents": 6_000}, {"features": []}, {"fuel": "Diesel"}, {"make": "Jeep"},
        {"body": "Van"}, {"seats": 2},
    ]  # fmt: skip
    rated = {"imported_rating": 500, "imported_review_count": 9}
    market.store(*({**right, **rated, **each} for each in lacking))
    asked = {
        "q": "surf", "ratingMin": 4.5, "priceMax": 5_000, "features": "GPS", "fuel": "Petrol",
        "make": "Kia", "body": "SUV", "seatsMin": 4, "city": "Hilo",
    }  # fmt: skip
    market.learn()
    found = labels(market, **asked)
    assert found == [
        (1, "Without “surf”"), (1, "Any rating"), (1, "Up to 63 a day"), (1, "Without GPS")
    ]  # fmt: skip
    assert len(found) == dead_ends.MOST_RELAXED


def test_where_one_thing_does_not_do_the_fewest_together_do(market: Market) -> None:
    market.store(KIA | {"daily_rate_cents": 9_950, "seats": 4})
    market.learn()
    found = labels(market, make="Kia", priceMax=5_000, seatsMin=7, city="Hilo", fuel="Petrol")
    assert found == [(1, "Any number of seats, Any price")]


def test_to_ask_for_nothing_is_the_last_resort(market: Market) -> None:
    market.store(KIA, KIA)
    market.learn()
    assert labels(market, q="xyzzy") == [(2, "Without “xyzzy”")]
    (everything,) = relaxed(market, q="the xyzzy car")
    assert everything["parameters"] == {}
    assert len(everything["items"]) == 2
    # Where something is found, it is no help.
    assert labels(market, make="Kia") == []


def test_days_are_moved_but_never_given_up(market: Market) -> None:
    (kia,) = market.store(KIA)
    start = TODAY + timedelta(days=30)
    market.book(kia, str(start + timedelta(days=1)), str(start + timedelta(days=40)))
    asked = {"make": "Kia", "start": str(start), "end": str(start + timedelta(days=3))}
    (moved,) = relaxed(market, **asked)
    assert moved["relaxed"] == [
        {"parameter": "flexDays", "was": 0, "now": 3, "label": "Up to 3 days earlier or later"}
    ]
    assert moved["items"][0]["window"]["start"] == str(start - timedelta(days=3))
    market.book(kia, str(TODAY), str(start + timedelta(days=1)))
    assert relaxed(market, **asked) == []


def test_hidden_vehicles_are_not_counted(market: Market, postgres: Market) -> None:
    _, jeep = market.store(KIA | {"status": "unlisted"}, {"make": "Jeep", "model": "Gladiator"})
    for each in (market, postgres):
        each.learn()
        (everything,) = relaxed(each, make="Kia", seatsMin=9)
        assert everything["count"] == 1
        assert [item["id"] for item in everything["items"]] == [jeep]


# Counts are what sending the parameters finds


def sends_what_it_counts(market: Market, asked: dict[str, Any]) -> int:
    found = relaxed(market, **asked)
    total = market.search(**asked)["total"]["value"]
    for each in found:
        page = market.search(**each["parameters"])  # 200, or it fails
        assert page["total"]["value"] == each["count"] > total, (asked, each)
        if "items" in each:
            ids = [item["id"] for item in page["items"]]
            assert [item["id"] for item in each["items"]] == ids[: dead_ends.MOST_ITEMS]
    return len(found)


def choosy(rng: random.Random) -> dict[str, Any]:
    """A random search that finds little."""
    asked = random_request(rng) | {"facets": "none", "limit": 20}
    more: dict[str, Any] = {"ratingMin": 4.9, "seatsMin": 7, "yearMin": 2021, "make": "Saab"}
    more |= {"features": ["GPS", "Sunroof", "Bluetooth"]}
    for name in rng.sample(list(more), 2):
        asked[name] = more[name]
    if asked.get("yearMax", 2100) < asked.get("yearMin", 0):
        del asked["yearMax"]
    return asked


def without_excerpts(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the engines must agree on: excerpts are cut where each of them likes."""
    return [
        each | {"items": [item | {"highlights": {}} for item in each.get("items", [])]}
        for each in found
    ]


def test_random_searches_count_what_is_found_alike_on_both_engines(
    market: Market, postgres: Market
) -> None:
    """Dates begin today, where notice and time zones matter."""
    fill(market, random.Random(5))
    market.conn.execute("UPDATE vehicles SET notice_days = id % 4")
    market.drain()
    rng = random.Random(41)
    found = 0
    for n in range(40):
        asked = choosy(rng) | {"sort": "price"}
        if n % 4 == 0:
            start = TODAY + timedelta(days=rng.randint(0, 3))
            asked = {name: asked[name] for name in asked.keys() - {"month", "days"}}
            asked |= {"start": str(start), "end": str(start + timedelta(days=2))}
        found += sends_what_it_counts(market, asked)
        one, other = relaxed(market, **asked), relaxed(postgres, **asked)
        assert without_excerpts(one) == without_excerpts(other), asked
    assert found > 40


TEXTS = [
    "toyota rav4 under $20 near hilo",
    "citroen c4 surfboard in lihue under $80",
    "7 seater kia with gps and sunroof in corralejo",
    "a saab near arrecife 2023 or newer",
    "hawaii yaris electric manual",
    "toyata in hilo under $10",
    "for 9 people, rated 5, next weekend",
]


def test_texts_count_what_is_found(market: Market, postgres: Market) -> None:
    fill(market, random.Random(6))
    for each in (market, postgres):
        each.learn()
        for q in TEXTS:
            assert sends_what_it_counts(each, {"q": q}), q


def test_what_a_rest_of_a_text_would_say_anew_stays_text(market: Market) -> None:
    """Without "surfboard", the seats that were kept as text are not read after all."""
    market.store({"make": "Hyundai", "model": "Kona", "title": "Kona 2 seater"}, {"city": "Kona"})
    market.learn()
    assert sends_what_it_counts(market, {"q": "kona surfboard 2 seater", "keep": "seats"})


# A courtesy: it never makes a search fail


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    async def fail(*_: Any) -> list[int]:
        msg = "overloaded"
        raise SearchUnavailableError(msg)

    monkeypatch.setattr(Engine, "count", fail)
    return monkeypatch


def test_failing_suggestions_are_absent(market: Market, failing: pytest.MonkeyPatch) -> None:
    market.store(KIA)
    page = market.search(make="Kia", seatsMin=9)
    assert page["suggestions"] == {"didYouMean": None, "relaxed": []}
    assert (page["meta"]["engine"], page["meta"]["degraded"]) == ("elasticsearch", False)
    assert market.api.app.state.searches.breaker.state == State.CLOSED  # type: ignore[attr-defined]


def test_late_suggestions_are_absent(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.store(KIA)
    monkeypatch.setattr(dead_ends, "PATIENCE_S", 0)
    assert market.search(make="Kia", seatsMin=9)["suggestions"]["relaxed"] == []


def test_an_engine_that_stands_in_counts_nothing(market: Market, settings: Settings) -> None:
    market.store(KIA)
    gone = settings.model_copy(update={"elasticsearch_url": "http://127.0.0.1:1"})
    with TestClient(create_app(gone), raise_server_exceptions=False) as api:
        page = market.through(api).search(make="Kia", seatsMin=9)
    assert page["meta"]["degraded"]
    assert page["suggestions"]["relaxed"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {
            "q": "kia from 2099-01-01 to 2101-01-01",
            "seatsMin": 9,
        },  # longer than a parameter may say
        {"q": "kia with sunroof", "features": [f"f{n}" for n in range(20)]},
        {"q": "citroan " * 24},  # put right, it is too long
    ],
)
def test_nothing_is_suggested_that_would_be_refused(market: Market, asked: dict[str, Any]) -> None:
    market.store(KIA | {"features": ["Sunroof"]}, {"make": "Citroen", "model": "Cactuses"})
    market.learn()
    sends_what_it_counts(market, asked)


def test_one_request_counts_them_all(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.store(KIA, {"make": "Jeep", "model": "Gladiator"})
    market.learn()
    asked: list[int] = []
    count = Engine.count

    async def counted(self: Engine, requests: Any) -> list[int]:
        asked.append(len(requests))
        return await count(self, requests)

    monkeypatch.setattr(Engine, "count", counted)
    market.search(q="kia gladiater with surfboard under $20 in hilo", instantBook=True)
    market.search(make="Kia")  # little, but nothing to give up but everything
    market.search()
    assert len(asked) == 2
    assert max(asked) <= dead_ends.MOST_COUNTED + 4


def test_a_vehicle_that_was_just_taken_is_not_shown(market: Market) -> None:
    taken, free = market.store(KIA, KIA)
    start, end = TODAY + timedelta(days=20), TODAY + timedelta(days=23)
    factory.store_booking(market.conn, taken, start, end)
    (less,) = relaxed(market, make="Kia", seatsMin=9, start=str(start), end=str(end))
    assert [item["id"] for item in less["items"]] == [free]


def test_near_words_are_looked_up_once(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search that is tried instead holds the same words."""
    looked_up: list[str] = []

    def own(word: str, letters: Callable[[str], int] = did_you_mean._letters) -> int:
        looked_up.append(word)
        return letters(word)

    market.store(KIA)
    market.learn()
    monkeypatch.setattr(did_you_mean, "_letters", own)
    assert relaxed(market, q="kia sool wonderful under $30 with sunruf")
    assert sorted(looked_up) == ["sool", "sunruf", "wonderful"]

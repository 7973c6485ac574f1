"""`GET /v1/vehicles/{id}/similar`: others of its kind, nearest first, on both engines."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.search import Item
from api.schemas.similar import SimilarMeta, SimilarVehicles
from runtime.settings import Settings
from tests import factory
from tests.market import Market
from tests.search.test_contract import keys
from tests.search.test_truth import DATES, END, START

OAHU = {"lat": 21.3069, "lon": -157.8583, "city": "Honolulu"}  # 340 km from the factory's Hilo
Vehicle = dict[str, Any]


def similar(market: Market, vehicle: int, **asked: Any) -> dict[str, Any]:
    answer = market.api.get(f"/v1/vehicles/{vehicle}/similar", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(market: Market, vehicle: int, **asked: Any) -> list[int]:
    return [item["id"] for item in similar(market, vehicle, **asked)["items"]]


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        ({}, {"model": "4Runner"}),
        ({"model": "4Runner"}, {"make": "Kia", "model": "Soul"}),
        ({"make": "Kia", "model": "Soul"}, {"model": "Sienna", "body": "Van"}),
        ({"seats": 7}, {"seats": 4}),
        ({"daily_rate_cents": 6000}, {"daily_rate_cents": 7000}),
        ({"daily_rate_cents": 7000}, {"daily_rate_cents": 9000}),
        ({"fuel": "petrol"}, {"fuel": "Diesel"}),
        ({"transmission": "Automatic"}, {"transmission": "Manual"}),
        ({"lat": 19.72}, {"lat": 19.83}),
        ({"lat": 19.83}, {"lat": 20.2}),
        ({"year": 2001}, {"seats": None}),
    ],
)
def test_the_more_alike_comes_first(place: Market, nearer: Vehicle, farther: Vehicle) -> None:
    far, near, vehicle = place.store(farther, nearer, {})
    assert ids(place, vehicle) == [near, far]


def test_another_kind_or_island_is_not_alike(place: Market) -> None:
    vehicle, *_ = place.store({}, {"make": "Ford", "model": "Transit", "body": "Van"}, OAHU)
    assert ids(place, vehicle) == []


def test_the_same_model_name_of_another_make_is_nothing(place: Market) -> None:
    vehicle, _, mazda = place.store(
        {"make": "Mazda", "model": "3", "body": None},
        {"make": "Tesla", "model": "3", "body": None},
        {"make": "Mazda", "model": "6", "body": None},
    )
    assert ids(place, vehicle) == [mazda]


def test_without_a_place_it_is_the_region_that_is_near(place: Market) -> None:
    nowhere = {"lat": None, "lon": None}
    vehicle, same, _ = place.store(nowhere, OAHU, {"region": "Utah"})
    found = similar(place, vehicle)["items"]
    assert [item["id"] for item in found] == [same]
    assert "distanceKm" not in found[0]


def test_a_vehicle_that_says_nothing_of_itself_has_its_makes_others(place: Market) -> None:
    silent: Vehicle = dict.fromkeys(
        ("model", "year", "body", "fuel", "transmission", "seats", "lat", "lon", "region", "city",
         "country")
    )  # fmt: skip
    vehicle, other, _ = place.store(silent, {}, {"make": "Kia"})
    assert ids(place, vehicle) == [other]


def test_only_what_is_free_on_the_days_with_its_total(place: Market) -> None:
    vehicle, free, taken, just_taken = place.store({}, {}, {}, {})
    place.book(taken, START.isoformat(), END.isoformat())
    factory.store_booking(place.conn, just_taken, START, END)  # the index has not heard of it
    (item,) = similar(place, vehicle, **DATES)["items"]
    quote = place.api.get(f"/v1/vehicles/{free}/quote", params=DATES).json()
    assert (item["id"], item["total"]) == (free, quote["total"])
    assert ids(place, vehicle) == [free, taken, just_taken]


def test_what_was_just_hidden_is_not_shown(place: Market) -> None:
    vehicle, hidden, shown = place.store({}, {}, {})
    place.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [hidden])
    assert ids(place, vehicle) == [shown]


def test_no_host_floods_it(place: Market) -> None:
    host = factory.store_account(place.conn, "host")
    fleet = {"host_id": host, "listed_at": "2026-01-01"}
    vehicle, one, two, _, other = place.store(
        fleet, fleet, fleet, fleet, {"listed_at": "2026-01-01"}
    )
    assert ids(place, vehicle, limit=3) == [one, other, two]


def test_items_are_those_of_a_search(place: Market) -> None:
    vehicle, _ = place.store({}, {"photos": ["https://cdn.example/1.jpg"]})
    page = similar(place, vehicle, **DATES)
    SimilarVehicles.model_validate(page)
    assert set(page) == keys(SimilarVehicles)
    assert set(page["meta"]) == keys(SimilarMeta)
    assert set(page["items"][0]) == keys(Item, without=("window",))
    assert page["items"][0]["distanceKm"] == 0
    assert page["meta"]["degraded"] is False


def test_the_limit_is_kept_over_the_whole_kind(place: Market) -> None:
    vehicle, *others = place.store(*({"listed_at": "2026-01-01"} for _ in range(30)))
    assert len(ids(place, vehicle)) == 20
    assert ids(place, vehicle, limit=100) == others


@pytest.mark.parametrize("status", ["unlisted", "archived"])
def test_of_one_that_is_not_listed_there_are_none(market: Market, status: str) -> None:
    hidden, _ = market.store({"status": status}, {})
    for vehicle in (hidden, 4711):
        answer = market.api.get(f"/v1/vehicles/{vehicle}/similar")
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("vehicle-not-found")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"start": "2099-01-01"}, "end"),
        ({"start": "2099-01-02", "end": "2099-01-01"}, "end"),
        ({"start": "2001-01-01", "end": "2001-01-05"}, "start"),
        ({"q": "toyota"}, "q"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_wrong_parameters_are_named(market: Market, asked: dict[str, Any], pointer: str) -> None:
    (vehicle,) = market.store({})
    answer = market.api.get(f"/v1/vehicles/{vehicle}/similar", params=asked)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_with_elasticsearch_gone_postgresql_answers(market: Market, settings: Settings) -> None:
    vehicle, other = market.store({}, {})
    gone = settings.model_copy(update={"elasticsearch_url": "http://127.0.0.1:1"})
    with TestClient(create_app(gone)) as api:
        page = api.get(f"/v1/vehicles/{vehicle}/similar").json()
    assert [item["id"] for item in page["items"]] == [other]
    assert (page["meta"]["engine"], page["meta"]["degraded"]) == ("postgres", True)

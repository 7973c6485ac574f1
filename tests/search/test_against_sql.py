"""Random structured searches: the same vehicles, order, totals, facets and prices as SQL finds.

The market is random but small, so that filters meet, ties abound and every value is selected
somewhere.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import factory
from tests.market import Market
from tests.search import oracle

TODAY = datetime.now(UTC).date()
MAKES = {"Toyota": ["RAV4", "Yaris"], "Citroën": ["C3", "C4"], "Kia": ["Soul"], "Saab": ["9-3"]}
PLACES = [
    ("Hilo", "Hawaii", "United States", 19.7074, -155.0885),
    ("Lihue", "Hawaii", "United States", 21.9811, -159.3711),
    ("Arrecife", "Canary Islands", "Spain", 28.9630, -13.5477),
    ("Corralejo", "Canary Islands", "Spain", 28.7300, -13.8670),
]
FEATURES = ["Air conditioning", "Bluetooth", "GPS", "Roof rack", "Sunroof"]
BODIES, FUELS = ["SUV", "Sedan", "Pickup", None], ["Petrol", "Electric", None]
VEHICLES, SEARCHES = 150, 150


def random_vehicle(rng: random.Random) -> dict[str, Any]:
    make = rng.choice(list(MAKES))
    city, region, country, lat, lon = rng.choice(PLACES)
    placed = rng.random() > 0.05
    return {
        "make": make,
        "model": rng.choice([*MAKES[make], None]),
        "year": rng.choice([2015, 2018, 2018, 2021, None]),
        "body": rng.choice(BODIES),
        "fuel": rng.choice(FUELS),
        "transmission": rng.choice(["Automatic", "Manual", None]),
        "seats": rng.choice([2, 5, 5, 7, None]),
        "features": rng.sample(FEATURES, rng.randint(0, 4)),
        "daily_rate_cents": rng.choice([2900, 4500, 4500, 8000, 12_345]),
        "imported_rating": rng.choice([None, 420, 450, 450, 500]),
        "imported_review_count": rng.choice([0, 3, 3, 40]),
        "instant_book": rng.random() < 0.6,
        "min_days": rng.choice([1, 1, 3]),
        "max_days": rng.choice([5, 30, 365]),
        "lat": round(lat + rng.uniform(-0.2, 0.2), 6) if placed else None,
        "lon": round(lon + rng.uniform(-0.2, 0.2), 6) if placed else None,
        "city": city,
        "region": region,
        "country": country,
        "listed_at": f"2025-01-{rng.randint(1, 28):02}",
        "status": rng.choices(["listed", "unlisted", "archived"], [20, 1, 1])[0],
    }


def random_search(rng: random.Random) -> dict[str, Any]:
    options: dict[str, Any] = {
        "make": lambda: rng.sample([*MAKES, "kia", "Lada"], rng.randint(1, 2)),
        "model": lambda: [rng.choice(["RAV4", "c3", "9-3"])],
        "body": lambda: rng.sample(["SUV", "Sedan", "Pickup"], rng.randint(1, 2)),
        "fuel": lambda: [rng.choice(["Petrol", "ELECTRIC"])],
        "transmission": lambda: [rng.choice(["Automatic", "manual"])],
        "city": lambda: rng.sample([place[0] for place in PLACES], 2),
        "region": lambda: [rng.choice(["Hawaii", "Canary Islands"])],
        "country": lambda: [rng.choice(["Spain", "united states"])],
        "features": lambda: rng.sample(FEATURES, rng.randint(1, 2)),
        "yearMin": lambda: rng.choice([2015, 2018]),
        "yearMax": lambda: rng.choice([2018, 2021]),
        "seatsMin": lambda: rng.choice([4, 5, 7]),
        "ratingMin": lambda: rng.choice([4.2, 4.5, 4.51]),
        "instantBook": lambda: rng.random() < 0.5,
        "priceMin": lambda: rng.choice([2900, 4500]),
        "priceMax": lambda: rng.choice([4500, 12_345]),
    }
    asked = {name: options[name]() for name in rng.sample(list(options), rng.randint(0, 4))}
    if rng.random() < 0.4:
        start = TODAY + timedelta(days=rng.randint(1, 60))
        end = start + timedelta(days=rng.randint(1, 9))
        asked |= {"start": start.isoformat(), "end": end.isoformat()}
    if rng.random() < 0.4:
        _, _, _, lat, lon = rng.choice(PLACES)
        asked |= {"lat": lat, "lon": lon}
        if rng.random() < 0.7:
            asked["radiusKm"] = rng.choice([5, 15, 60])
    return asked


@pytest.fixture
def random_market(market: Market) -> Market:
    return fill(market, random.Random(7))


def fill(market: Market, rng: random.Random) -> Market:
    for _ in range(VEHICLES):
        vehicle = factory.store_vehicle(market.conn, **random_vehicle(rng))
        start = TODAY + timedelta(days=rng.randint(0, 3))
        while rng.random() < 0.7:
            start += timedelta(days=rng.randint(0, 20))
            end = start + timedelta(days=rng.randint(1, 14))
            status = rng.choice(["confirmed", "held", "active", "cancelled"])
            factory.store_booking(market.conn, vehicle, start, end, status=status)
            start = end
        for _ in range(rng.choice([0, 0, 1, 3])):
            factory.store_review(market.conn, vehicle, rng.choice([100, 350, 488, 500]))
    market.drain()
    return market


def test_random_searches(random_market: Market) -> None:
    rng = random.Random(11)
    found = 0
    for number in range(SEARCHES):
        asked = random_search(rng)
        sorts = [sort for sort in oracle.ORDER if sort != "distance" or "lat" in asked]
        sort = rng.choice(sorts)
        page = random_market.search(**asked, sort=sort, limit=100)
        expected = oracle.ids(random_market.conn, asked, sort)
        assert page["total"]["value"] == len(expected), (number, asked)
        assert [item["id"] for item in page["items"]] == expected[:100], (number, asked, sort)
        check_facets(random_market, page["facets"], asked)
        found += len(expected)
    assert found > 10 * SEARCHES  # most searches must find something, or they prove nothing


def check_facets(market: Market, facets: dict[str, Any], asked: dict[str, Any]) -> None:
    for name in oracle.FACETS:
        expected = oracle.facet(market.conn, asked, name)
        counted = {each["value"]: each["count"] for each in facets[name]}
        for value in {each.lower(): each for each in asked.get(name, [])}.values():
            if value.lower() not in {each.lower() for each in expected}:
                expected[value] = 0
        assert counted == expected, (name, asked)
    prices = oracle.prices(market.conn, asked)
    price = facets["price"]
    assert (price["min"], price["max"]) == (min(prices, default=None), max(prices, default=None))
    for bucket in price["buckets"]:
        inside = [each for each in prices if 0 <= each - bucket["from"] < price["interval"]]
        assert bucket["count"] == len(inside)
    assert sum(bucket["count"] for bucket in price["buckets"]) == len(prices)


def test_walking_a_random_search_finds_every_vehicle_once(random_market: Market) -> None:
    rng = random.Random(17)
    for _ in range(15):
        asked = random_search(rng)
        walked = random_market.walk(**asked, limit=7)
        assert sorted(walked) == sorted(oracle.ids(random_market.conn, asked, "price"))

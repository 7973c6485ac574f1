"""The main job, end to end: real listings in, found, booked, gone from the search, back again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.tokens import sign_token
from listings.importing import import_files
from listings.report import Report
from tests.conftest import SECRET
from tests.factory import store_account
from tests.market import Market

LISTINGS = Path(__file__).parents[2] / "shared" / "data" / "turo-us.csv"
NEAR_SEATTLE: dict[str, Any] = {"q": "tesla model x", "lat": 47.6, "lon": -122.33, "radiusKm": 60}
START = datetime.now(UTC).date() + timedelta(days=60)
DATES = {"start": START.isoformat(), "end": (START + timedelta(days=4)).isoformat()}


@pytest.fixture
def seattle(market: Market) -> Market:
    if not LISTINGS.exists():
        pytest.skip("the real listings are not beside this checkout: ../shared/data")
    import_files(market.conn, [LISTINGS], Report())
    market.drain()
    return market


def test_find_book_and_cancel_a_real_listing(seattle: Market) -> None:
    before = seattle.search(**NEAR_SEATTLE, **DATES)
    assert before["items"], "there are Teslas around Seattle"
    tesla = before["items"][0]
    assert (tesla["make"], tesla["model"]) == ("Tesla", "Model X")
    assert tesla["rating"] >= 1
    assert tesla["dailyRate"] >= 2000
    assert tesla["distanceKm"] <= 60
    assert tesla["total"] > 4 * tesla["dailyRate"]

    renter = store_account(seattle.conn)
    token = sign_token(renter, "renter", secret=SECRET)
    headers = {"Authorization": f"Bearer {token}"}
    order = {"vehicleId": tesla["id"], **DATES}
    booked = seattle.api.post("/v1/bookings", json=order, headers=headers)
    assert booked.status_code == 201, booked.text
    assert booked.json()["total"] == tesla["total"]
    again = seattle.api.post("/v1/bookings", json=order, headers=headers)
    assert again.status_code == 409
    assert again.json()["type"].endswith("vehicle-unavailable")
    seattle.drain()

    during = seattle.search(**NEAR_SEATTLE, **DATES)
    assert tesla["id"] not in [item["id"] for item in during["items"]]
    assert during["total"]["value"] == before["total"]["value"] - 1
    assert_one_less(before["facets"], during["facets"], tesla)

    path = f"/v1/bookings/{booked.json()['id']}/cancel"
    assert seattle.api.post(path, headers=headers).json()["status"] == "cancelled"
    seattle.drain()
    after = seattle.search(**NEAR_SEATTLE, **DATES)
    assert (after["items"], after["facets"]) == (before["items"], before["facets"])


def assert_one_less(
    before: dict[str, Any], during: dict[str, Any], vehicle: dict[str, Any]
) -> None:
    """Every facet bucket that contained the vehicle counts one less, every other one the same."""
    has = vehicle | vehicle["location"]
    for name, values in before.items():
        if name == "price":
            continue
        counts = {each["value"]: each["count"] for each in during[name]}
        for each in values:
            mine = has[name]
            contained = each["value"] in mine if isinstance(mine, list) else each["value"] == mine
            assert counts.get(each["value"], 0) == each["count"] - contained, (name, each)
    prices = [sum(b["count"] for b in facets["price"]["buckets"]) for facets in (before, during)]
    assert prices[1] == prices[0] - 1


def test_walking_with_text_facets_dates_and_radius_finds_every_vehicle_once(
    seattle: Market,
) -> None:
    asked = {
        "q": "toyota", "fuel": ["Hybrid", "Petrol"], "body": ["Car", "SUV"], **DATES,
        "lat": 34.05, "lon": -118.24, "radiusKm": 120,
    }  # fmt: skip
    total = seattle.search(**asked)["total"]["value"]
    walked = seattle.walk(**asked, limit=7)
    assert len(walked) == len(set(walked)) == total > 20

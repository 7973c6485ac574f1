"""Flexible dates: one window of the asked length, starting near the asked day, is enough."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from search.query.body import build
from search.request import Dates, SearchRequest
from tests import factory
from tests.market import Market


def day(offset: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=offset)).isoformat()


def asked(start: int, end: int, flex: int) -> dict[str, Any]:
    return {"start": day(start), "end": day(end), "flexDays": flex}


def windows(market: Market, **parameters: Any) -> dict[int, tuple[str, str]]:
    """The window of every vehicle that is found; all on one page, and counted."""
    page = market.search(limit=100, **parameters)
    assert page["total"]["value"] == len(page["items"])
    return {item["id"]: (item["window"]["start"], item["window"]["end"]) for item in page["items"]}


def test_a_vehicle_that_is_free_a_little_later_is_found(market: Market) -> None:
    free, booked, long_booked = market.store({}, {}, {})
    market.book(booked, day(8), day(11))
    market.book(long_booked, day(5), day(40))
    market.assert_search([free], start=day(10), end=day(13))
    assert windows(market, **asked(10, 13, 1)) == {
        free: (day(9), day(12)),
        booked: (day(11), day(14)),
    }


def test_the_window_must_fit_into_one_gap(market: Market) -> None:
    (vehicle,) = market.store({})
    market.book(vehicle, day(10), day(12))
    market.book(vehicle, day(14), day(30))
    assert windows(market, **asked(13, 16, 1)) == {}
    assert windows(market, **asked(13, 15, 1)) == {vehicle: (day(12), day(14))}


def test_the_total_is_that_of_the_window(market: Market) -> None:
    market.store({"daily_rate_cents": 5000, "weekly_discount_pct": 10})
    (item,) = market.search(**asked(20, 27, 3), priceBasis="total", sort="price")["items"]
    (plain,) = market.search(start=day(20), end=day(27))["items"]
    assert item["total"] == plain["total"]
    assert "window" not in plain


def test_facets_count_vehicles_once_however_many_windows_they_have(market: Market) -> None:
    jeep, *_ = market.store({"make": "Jeep"}, {"make": "Jeep"}, {"make": "Kia"})
    market.book(jeep, day(0), day(60))
    assert market.facet("make", **asked(20, 22, 7)) == {"Jeep": 1, "Kia": 1}


def test_the_page_has_what_is_free_now_not_what_was(market: Market) -> None:
    moved, gone = market.store({}, {})
    first = datetime.now(UTC).date()
    factory.store_booking(market.conn, moved, first, first + timedelta(days=20))
    factory.store_booking(market.conn, gone, first, first + timedelta(days=60))
    page = market.search(**asked(20, 22, 2))
    assert [(item["id"], item["window"]["start"]) for item in page["items"]] == [(moved, day(20))]


def test_today_and_notice_cut_windows_off(market: Market) -> None:
    zone = "Pacific/Honolulu"
    none, two = market.store({"time_zone": zone}, {"time_zone": zone, "notice_days": 2})
    today = datetime.now(ZoneInfo(zone)).date()
    start, end = today + timedelta(days=1), today + timedelta(days=3)
    flexible = {"start": start.isoformat(), "end": end.isoformat(), "flexDays": 7}
    found = windows(market, **flexible)
    assert {vehicle: window[0] for vehicle, window in found.items()} == {
        none: today.isoformat(),
        two: (today + timedelta(days=2)).isoformat(),
    }


def test_random_calendars_give_the_first_window_that_fits(market: Market) -> None:
    rng = random.Random(3)
    calendars: dict[int, set[int]] = {}
    for _ in range(40):
        vehicle = factory.store_vehicle(market.conn, min_days=rng.choice([1, 3]))
        taken: set[int] = set()
        for start in range(12, 40, rng.randint(3, 9)):
            length = rng.randint(1, 3)
            first = datetime.now(UTC).date() + timedelta(days=start)
            end = first + timedelta(days=length)
            factory.store_booking(market.conn, vehicle, first, end)
            taken |= set(range(start, start + length))
        calendars[vehicle] = taken
    shortest = dict(market.conn.execute("SELECT id, min_days FROM vehicles").fetchall())
    market.drain()
    for _ in range(40):
        start, days, flex = rng.randint(18, 30), rng.randint(1, 5), rng.randint(1, 7)
        expected = {}
        for vehicle, taken in calendars.items():
            fitting = [
                first
                for first in range(start - flex, start + flex + 1)
                if days >= shortest[vehicle] and not taken & set(range(first, first + days))
            ]
            if fitting:
                expected[vehicle] = (day(fitting[0]), day(fitting[0] + days))
        assert windows(market, **asked(start, start + days, flex)) == expected


def test_pages_of_flexible_dates_are_the_whole_list(market: Market) -> None:
    ids = market.store(*({} for _ in range(11)))
    for vehicle in ids[::2]:
        market.book(vehicle, day(8), day(11))
    assert market.walk(**asked(10, 12, 1), limit=3) == ids


def test_the_windows_are_ways_of_one_filter() -> None:
    def contains(start: str, end: str) -> dict[str, Any]:
        window = {"gte": start, "lt": end, "relation": "contains"}
        return {"range": {"free": window}}

    request = SearchRequest(dates=Dates(date(2027, 3, 1), date(2027, 3, 4), flex=1))
    assert build(request)["query"]["bool"]["filter"][1:] == [
        {
            "bool": {
                "should": [
                    contains("2027-02-28", "2027-03-03"),
                    contains("2027-03-01", "2027-03-04"),
                    contains("2027-03-02", "2027-03-05"),
                ]
            }
        },
        {"range": {"min_days": {"lte": 3}}},
        {"range": {"max_days": {"gte": 3}}},
    ]


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"flexDays": 2}, "flexDays"),
        ({"flexDays": 8, "start": "2027-03-01", "end": "2027-03-04"}, "flexDays"),
        ({"flexDays": -1, "start": "2027-03-01", "end": "2027-03-04"}, "flexDays"),
    ],
)
def test_more_than_a_week_or_without_dates_is_refused(
    market: Market, parameters: dict[str, Any], wrong: str
) -> None:
    answer = market.api.get("/v1/search/vehicles", params=parameters)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == wrong

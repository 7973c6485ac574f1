"""Any days of a month: one window of so many days that lies in the month is enough."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.dependencies import now
from runtime.settings import Settings
from search.query.body import build
from search.request import Dates, SearchRequest
from tests import factory
from tests.market import Market

MARCH = {"month": "2098-03", "days": 4}
JANUARY = datetime(2098, 1, 15, 12, tzinfo=UTC)  # March is still within the longest notice
Clock = Callable[[datetime], None]


@pytest.fixture
def at(market: Market, alone: TestClient) -> Iterator[Clock]:
    """Set the clock of both APIs."""
    everywhere = [api.app.dependency_overrides for api in (market.api, alone)]  # type: ignore[attr-defined]

    def set_clock(moment: datetime) -> None:
        for overrides in everywhere:
            overrides[now] = lambda: moment

    set_clock(JANUARY)
    yield set_clock
    for overrides in everywhere:
        del overrides[now]


@pytest.fixture(scope="module")
def alone(settings: Settings) -> Iterator[TestClient]:
    """The same marketplace where no Elasticsearch is configured."""
    without = settings.model_copy(update={"elasticsearch_url": ""})
    with TestClient(create_app(without), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(params=["elasticsearch", "postgres"])
def found(
    market: Market, alone: TestClient, at: Clock, request: pytest.FixtureRequest
) -> Callable[..., dict[int, str]]:
    """The window of every vehicle that an engine finds: all on one page, and counted."""
    api = alone if request.param == "postgres" else market.api

    def windows(**asked: Any) -> dict[int, str]:
        answer = api.get("/v1/search/vehicles", params={"limit": 100} | asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert (page["meta"]["engine"], page["meta"]["degraded"]) == (request.param, False)
        assert page["total"]["value"] == len(page["items"])
        makes = page["facets"].get("make", [])
        assert sum(each["count"] for each in makes) == len(page["items"])
        return {item["id"]: " ".join(item["window"].values()) for item in page["items"]}

    return windows


Found = Callable[..., dict[int, str]]


def test_the_first_window_that_is_free_is_the_item_s(market: Market, found: Found) -> None:
    free, busy, full = market.store({}, {}, {})
    market.book(busy, "2098-02-20", "2098-03-03")
    market.book(busy, "2098-03-06", "2098-03-17")
    for start in range(1, 32, 4):
        market.book(full, f"2098-03-{start:02}", f"2098-03-{start + 1:02}")
    assert found(**MARCH) == {free: "2098-03-01 2098-03-05", busy: "2098-03-17 2098-03-21"}
    assert found(month="2098-03", days=3)[full] == "2098-03-02 2098-03-05"


def test_the_last_return_is_on_the_first_of_the_next_month(market: Market, found: Found) -> None:
    until_the_end, too_late = market.store({}, {})
    market.book(until_the_end, "2098-03-01", "2098-03-28")
    market.book(too_late, "2098-03-01", "2098-03-29")
    assert found(**MARCH) == {until_the_end: "2098-03-28 2098-04-01"}


def test_a_month_with_room_for_one_window_only_says_it_too(market: Market, found: Found) -> None:
    (vehicle,) = market.store({})
    assert found(month="2098-02", days=28) == {vehicle: "2098-02-01 2098-03-01"}


def test_the_hosts_rules_hold(market: Market, found: Found) -> None:
    weekly, short, four = market.store({"min_days": 7}, {"max_days": 3}, {"min_days": 4})
    assert found(**MARCH) == {four: "2098-03-01 2098-03-05"}
    assert set(found(month="2098-03", days=3)) == {short}
    assert set(found(month="2098-03", days=7)) == {weekly, four}


def test_notice_cuts_windows_off(market: Market, found: Found) -> None:
    none, some, much = market.store(*({"notice_days": days} for days in (0, 60, 73)))
    # 15 January and 60 days are 16 March; 73 are 29 March, whose fourth day is April's.
    assert found(**MARCH) == {none: "2098-03-01 2098-03-05", some: "2098-03-16 2098-03-20"}
    assert found(month="2098-03", days=3)[much] == "2098-03-29 2098-04-01"


def test_of_the_current_month_only_what_is_left(market: Market, found: Found, at: Clock) -> None:
    zones = ("Pacific/Honolulu", "UTC", "Pacific/Kiritimati")
    early, middle, late = market.store(*({"time_zone": zone} for zone in zones))
    at(datetime(2098, 3, 20, 10, 30, tzinfo=UTC))  # three dates at once
    assert found(**MARCH) == {
        early: "2098-03-20 2098-03-24",
        middle: "2098-03-20 2098-03-24",
        late: "2098-03-21 2098-03-25",
    }
    at(datetime(2098, 3, 28, 10, 30, tzinfo=UTC))
    assert found(**MARCH) == {
        early: "2098-03-28 2098-04-01",
        middle: "2098-03-28 2098-04-01",
    }


def test_the_total_of_the_days_is_filter_order_and_histogram(market: Market, found: Found) -> None:
    cheap, dear = market.store({"daily_rate_cents": 5000}, {"daily_rate_cents": 9000})
    total = {"priceBasis": "total", "sort": "-price"}
    assert list(found(**MARCH, **total)) == [dear, cheap]
    assert list(found(**MARCH, **total, priceMax=22_000)) == [cheap]  # 4 days and 10 % fee
    page = market.search(**MARCH, **total)
    assert [item["total"] for item in page["items"]] == [39_600, 22_000]
    assert (page["facets"]["price"]["min"], page["facets"]["price"]["max"]) == (22_000, 39_600)


def test_what_was_just_taken_moves_its_window(market: Market, found: Found) -> None:
    moved, gone = market.store({}, {})
    factory.store_booking(market.conn, moved, date(2098, 3, 1), date(2098, 3, 10))
    factory.store_booking(market.conn, gone, date(2098, 2, 1), date(2098, 4, 10))
    page = market.search(**MARCH)
    assert [(item["id"], item["window"]["start"]) for item in page["items"]] == [
        (moved, "2098-03-10")
    ]


def test_a_cursor_belongs_to_its_month_and_days(market: Market, found: Found, at: Clock) -> None:
    ids = market.store(*({} for _ in range(7)))
    assert market.walk(**MARCH, limit=2) == ids
    cursor = market.search(**MARCH, limit=2)["nextCursor"]
    at(JANUARY + timedelta(days=1))
    assert market.walk(**MARCH, limit=2, cursor=cursor) == ids[2:]
    others = [{"month": "2098-04"}, {"days": 5}, {"days": None, "month": None}]
    dates = {"start": "2098-03-01", "end": "2098-03-05"}
    for other in [*others, {"days": None, "month": None} | dates]:
        asked = MARCH | {"cursor": cursor} | other
        given = {name: value for name, value in asked.items() if value is not None}
        assert market.api.get("/v1/search/vehicles", params=given).status_code == 400


def test_the_map_and_a_facet_s_values_know_months_too(market: Market) -> None:
    month = (datetime.now(UTC).date() + timedelta(days=100)).replace(day=1)
    free, booked = market.store({"make": "Kia"}, {"make": "Jeep"})
    factory.store_booking(market.conn, booked, month, month + timedelta(days=30))
    market.drain()
    asked = {"month": f"{month:%Y-%m}", "days": 4, "priceBasis": "total"}
    view = market.api.get(
        "/v1/search/clusters", params=asked | {"bbox": "-156,19,-155,20", "zoom": 9}
    ).json()
    assert [item["id"] for item in view["items"]] == [free]
    values = market.api.get("/v1/search/facet-values", params=asked | {"facet": "make"}).json()
    assert [each["value"] for each in values["values"]] == ["Kia"]


def test_the_windows_are_ways_of_one_filter() -> None:
    dates = Dates.of_month(date(2098, 2, 1), 26)
    assert build(SearchRequest(dates=dates))["query"]["bool"]["filter"][1:] == [
        {
            "bool": {
                "should": [
                    {"range": {"free": {"gte": first, "lt": end, "relation": "contains"}}}
                    for first, end in (
                        ("2098-02-01", "2098-02-27"),
                        ("2098-02-02", "2098-02-28"),
                        ("2098-02-03", "2098-03-01"),
                    )
                ]
            }
        },
        {"range": {"min_days": {"lte": 26}}},
        {"range": {"max_days": {"gte": 26}}},
    ]


@pytest.mark.parametrize(
    ("wrong", "pointer", "says"),
    [
        ({"month": "2098-03"}, "days", "come together"),
        ({"days": 4}, "month", "come together"),
        ({"start": "2098-03-01", "end": "2098-03-05", "days": 4}, "days", "goes with month only"),
        ({"month": "2098-3", "days": 4}, "month", "YYYY-MM"),
        ({"month": "2098-13", "days": 4}, "month", "YYYY-MM"),
        ({"month": "march", "days": 4}, "month", "YYYY-MM"),
        ({"month": "2097-12", "days": 4}, "month", "18 months ahead"),
        ({"month": "2099-08", "days": 4}, "month", "18 months ahead"),
        (MARCH | {"days": 0}, "days", "greater than or equal to 1"),
        (MARCH | {"days": 31}, "days", "less than or equal to 30"),
        (MARCH | {"month": "2098-02", "days": 29}, "days", "at most 28"),
        ({"month": "2098-01", "days": 19}, "days", "not so many are left"),
        (MARCH | {"start": "2098-03-01", "end": "2098-03-05"}, "month", "excludes start, end"),
        (MARCH | {"start": "2098-03-01"}, "month", "excludes start, end"),
        (MARCH | {"flexDays": 1}, "month", "excludes start, end and flexDays"),
    ],
)
def test_what_cannot_be_is_refused(
    market: Market, at: Clock, wrong: dict[str, Any], pointer: str, says: str
) -> None:
    answer = market.api.get("/v1/search/vehicles", params=wrong)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], says in error["message"]) == (pointer, True)


@pytest.mark.parametrize("month", ["2098-01", "2099-07"])
def test_months_at_the_bounds_are_allowed(market: Market, at: Clock, month: str) -> None:
    (vehicle,) = market.store({})
    assert market.ids(month=month, days=1) == [vehicle]

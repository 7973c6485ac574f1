"""Only what can be booked: pages are checked against PostgreSQL, whatever the index still says.

Nothing here drains after its writes, so the index is behind for as long as a test lasts.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from fastapi.testclient import TestClient

from accounts.tokens import sign_token
from api.app import create_app
from runtime.settings import Settings
from search.query import notice
from tests import factory
from tests.conftest import SECRET
from tests.market import NOTHING, Market


def day(offset: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=offset)


START, END = day(30), day(33)
DATES: dict[str, Any] = {"start": START.isoformat(), "end": END.isoformat()}


def take(market: Market, *vehicles: int) -> None:
    """Book the days of DATES behind the index's back."""
    for vehicle in vehicles:
        factory.store_booking(market.conn, vehicle, START, END)


def test_what_was_just_taken_is_not_shown_for_those_days(market: Market) -> None:
    taken, free = market.store({}, {})
    take(market, taken)
    assert market.ids(**DATES) == [free]
    assert market.ids() == [taken, free]
    later = {"start": END.isoformat(), "end": (END + timedelta(days=2)).isoformat()}
    assert market.ids(**later) == [taken, free]


def test_what_was_just_hidden_is_not_shown_at_all(market: Market) -> None:
    hidden, shown = market.store({}, {})
    market.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [hidden])
    assert market.ids() == market.ids(**DATES) == [shown]


def test_rules_that_just_changed_hold_at_once(market: Market) -> None:
    a, b, free = market.store({}, {}, {})
    market.conn.execute("UPDATE vehicles SET min_days = 7 WHERE id = %s", [a])
    market.conn.execute("UPDATE vehicles SET notice_days = 60 WHERE id = %s", [b])
    assert market.ids(**DATES) == [free]


def test_a_page_shows_what_postgresql_has_of_a_vehicle(market: Market) -> None:
    """The index gives a page its order, and no documents unless words are marked in them."""
    market.store({"title": "As it is in both"})
    market.conn.execute(
        "UPDATE vehicle_search_documents SET item = replace(item, 'is in both', 'is here')"
    )
    assert [item["title"] for item in market.search()["items"]] == ["As it is here"]
    assert [item["title"] for item in market.search(sort="price")["items"]] == ["As it is here"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        DATES,
        DATES | {"flexDays": "3"},
        {"lat": "19.7", "lon": "-155.1", "radiusKm": "50"},
        DATES | {"lat": "19.7", "lon": "-155.1", "radiusKm": "50"},
    ],
)
def test_where_postgresql_lacks_an_item_the_index_has_the_same(
    market: Market, parameters: dict[str, Any]
) -> None:
    at = {"lat": 19.7, "lon": -155.08}
    ids = market.store(
        at | {"title": 'A "so-called",\n,"photoUrl":\\ Ü 20 %s', "photos": ["https://x.example/1"]},
        at | {"imported_rating": 455, "imported_review_count": 3, "photos": ["photos/7/a b"]},
        at | {"model": None, "seats": None, "city": None, "region": None, "features": ["USB"]},
    )
    whole = market.search(**parameters)["items"]
    assert len(whole) == 3
    # As a worker of before items were kept writes.
    market.conn.execute("UPDATE vehicle_search_documents SET version = version + 1, item = '{}'")
    assert market.search(**parameters)["items"] == whole
    market.conn.execute("UPDATE vehicle_search_documents SET item = NULL WHERE id = %s", [ids[0]])
    assert market.search(**parameters)["items"] == whole
    market.conn.execute("DELETE FROM vehicle_search_documents WHERE id = %s", [ids[1]])
    assert market.search(**parameters)["items"] == whole
    market.conn.execute("UPDATE vehicle_search_documents SET hidden = true, item = NULL")
    assert market.search(**parameters)["items"] == whole


class TestRefill:
    """What follows moves up, and the pages stay the list without what was taken."""

    @pytest.fixture
    def ids(self, market: Market) -> list[int]:
        return market.store(*({} for _ in range(20)))

    def test_a_page_is_full_again(self, market: Market, ids: list[int]) -> None:
        take(market, *ids[1:3])
        page = market.search(**DATES, limit=4, facets="none")
        assert [item["id"] for item in page["items"]] == [ids[0], *ids[3:6]]
        after = market.search(**DATES, limit=4, cursor=page["nextCursor"])
        assert [item["id"] for item in after["items"]] == ids[6:10]

    def test_the_counts_are_the_index_s(self, market: Market, ids: list[int]) -> None:
        take(market, *ids[:2])
        page = market.search(**DATES, limit=4)
        assert page["total"]["value"] == 20
        assert page["facets"]["make"] == [{"value": "Toyota", "count": 20, "selected": False}]

    @pytest.mark.parametrize("limit", [1, 3, 7, 100])
    @pytest.mark.parametrize(
        "taken", [slice(0, 12), slice(8, 20), slice(0, 20), slice(1, 20, 2), slice(19, 20)]
    )
    def test_the_pages_are_the_list_without_the_taken(
        self, market: Market, ids: list[int], limit: int, taken: slice
    ) -> None:
        take(market, *ids[taken])
        left = [vehicle for vehicle in ids if vehicle not in ids[taken]]
        assert market.walk(**DATES, limit=limit, facets="none") == left

    def test_at_most_three_rounds_then_the_page_is_short(
        self, market: Market, ids: list[int]
    ) -> None:
        take(market, *ids[:10])
        page = market.search(**DATES, limit=2, facets="none")
        assert (page["items"], page["hasMore"]) == ([], True)
        after = market.search(**DATES, limit=2, facets="none", cursor=page["nextCursor"])
        assert [item["id"] for item in after["items"]] == ids[10:12]


def test_no_search_that_starts_after_a_booking_shows_the_vehicle(market: Market) -> None:
    """One books all vehicles over HTTP, others search meanwhile; the index never hears of it."""
    ids = market.store(*({} for _ in range(60)))
    renter = sign_token(factory.store_account(market.conn), "renter", secret=SECRET)
    booked: set[int] = set()

    def book() -> None:
        for vehicle in ids[:50]:
            order = {"vehicleId": vehicle, **DATES}
            headers = {"Authorization": f"Bearer {renter}"}
            answer = market.api.post("/v1/bookings", json=order, headers=headers)
            assert answer.status_code == 201, answer.text
            booked.add(vehicle)

    writer = threading.Thread(target=book)
    writer.start()
    searches = 0
    while writer.is_alive() or not searches:
        known = frozenset(booked)
        page = market.search(**NOTHING, **DATES, limit=20)
        if not page["meta"]["degraded"]:  # a page that says that it could not be checked in time
            assert not known & {item["id"] for item in page["items"]}
            searches += 1
    writer.join()
    assert len(booked) == 50
    assert market.walk(**NOTHING, **DATES, limit=9) == ids[50:]


class TestNotice:
    """A pick-up day must keep the host's notice, counted from today where the vehicle stands."""

    def test_counts_and_pages_agree_in_every_time_zone(self, market: Market) -> None:
        zones = ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC", "Pacific/Honolulu"]
        market.store(*({"time_zone": zone, "notice_days": n} for zone in zones for n in (0, 1, 3)))
        for offset in range(-1, 6):
            start = day(offset)
            todays = {zone: datetime.now(ZoneInfo(zone)).date() for zone in zones}
            expected = sum(
                start - today >= timedelta(days=n) for today in todays.values() for n in (0, 1, 3)
            )
            page = market.search(start=start.isoformat(), end=day(offset + 2).isoformat())
            assert page["total"]["value"] == len(page["items"]) == expected

    @pytest.mark.parametrize("hour", range(24))
    @pytest.mark.parametrize("days", [(16,), tuple(range(12, 19))])
    def test_the_filter_puts_every_zone_on_its_own_date(
        self, hour: int, days: tuple[int, ...]
    ) -> None:
        now = datetime(2027, 3, 14, hour, 44, 59, tzinfo=UTC)
        windows = {date(2027, 3, n): {"terms": {"free": [n]}} for n in days}
        (clause,) = notice.kept(windows, now)
        for zone in available_timezones():
            today = now.astimezone(ZoneInfo(zone)).date()
            for needed in range(4):
                for free in days:
                    keeps = today + timedelta(days=needed) <= date(2027, 3, free)
                    vehicle = {"time_zone": zone, "notice_days": needed, "free": free}
                    assert matches(clause, vehicle) == keeps, vehicle

    def test_a_far_day_keeps_any_notice(self) -> None:
        now = datetime(2027, 3, 14, 12, tzinfo=UTC)
        assert notice.kept({date(2027, 6, 13): FREE}, now) == [FREE]
        assert notice.kept({date(2027, 6, 11): FREE}, now) != [FREE]


FREE: dict[str, Any] = {"term": {"free": "whatever the days are"}}


def matches(clause: dict[str, Any], vehicle: dict[str, Any]) -> bool:
    """What Elasticsearch makes of the clauses that the filter is made of."""
    ((kind, body),) = clause.items()
    if kind == "bool":
        return (
            all(matches(each, vehicle) for each in body.get("filter", []))
            and not any(matches(each, vehicle) for each in body.get("must_not", []))
            and ("should" not in body or any(matches(each, vehicle) for each in body["should"]))
        )
    ((name, asked),) = body.items()
    if kind == "terms":
        return vehicle[name] in asked
    return vehicle[name] <= asked.get("lte", 999) and vehicle[name] > asked.get("gt", -999)


@pytest.fixture
def cut_off(settings: Settings, market: Market) -> Iterator[TestClient]:
    """The API on the same index, with a database that nobody answers for."""
    unreachable = settings.model_copy(update={"database_url": "postgresql://u@127.0.0.1:1/gone"})
    with TestClient(create_app(unreachable)) as client:
        yield client


def test_without_the_database_pages_come_unchecked_and_say_so(
    market: Market, cut_off: TestClient
) -> None:
    ids = market.store({}, {})
    page = cut_off.get("/v1/search/vehicles", params=DATES).json()
    assert [item["id"] for item in page["items"]] == ids
    assert page["meta"]["degraded"] is True
    assert market.search(**DATES)["meta"]["degraded"] is False


def test_a_connection_that_the_server_closed_is_replaced(market: Market) -> None:
    (vehicle,) = market.store({})
    assert market.ids(**DATES) == [vehicle]
    market.conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'rides search' AND datname = current_database()"
    )
    page = market.search(**DATES)
    assert ([item["id"] for item in page["items"]], page["meta"]["degraded"]) == ([vehicle], False)


def test_a_database_that_is_slow_keeps_no_search_waiting(market: Market) -> None:
    (vehicle,) = market.store({})
    with market.conn.transaction():
        market.conn.execute("LOCK TABLE vehicles")
        page = market.search(**DATES)
    assert ([item["id"] for item in page["items"]], page["meta"]["degraded"]) == ([vehicle], True)
    assert market.search(**DATES)["meta"]["degraded"] is False

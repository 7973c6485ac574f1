"""What holds on either engine: the check and its refills, windows, notice, what text says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from runtime.settings import Settings
from tests import factory
from tests.market import Market

TODAY = datetime.now(UTC).date()
START, END = TODAY + timedelta(days=20), TODAY + timedelta(days=23)
DATES = {"start": START.isoformat(), "end": END.isoformat()}
ZONES = ("Pacific/Kiritimati", "Pacific/Honolulu", "UTC", "Pacific/Pago_Pago")


@pytest.fixture(params=["", "http://127.0.0.1:1"], ids=["alone", "fallen back"])
def postgres(settings: Settings, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """The API where no Elasticsearch is configured, and where it is gone."""
    without = settings.model_copy(update={"elasticsearch_url": request.param})
    with TestClient(create_app(without), raise_server_exceptions=False) as client:
        yield client


def search(api: TestClient, **asked: Any) -> dict[str, Any]:
    answer = api.get("/v1/search/vehicles", params=asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def ids(page: dict[str, Any]) -> list[int]:
    return [item["id"] for item in page["items"]]


def alike(market: Market, number: int) -> list[int]:
    """So many vehicles that differ in nothing: relevance orders them by id."""
    return market.store(*({"listed_at": "2025-01-01"} for _ in range(number)))


def test_what_was_just_taken_is_replaced_by_the_same_engine(
    market: Market, postgres: TestClient
) -> None:
    stored = alike(market, 9)
    for vehicle in stored[1:3]:
        factory.store_booking(market.conn, vehicle, START, END)
    page = search(postgres, **DATES, limit=3)
    assert ids(page) == [stored[0], *stored[3:5]]
    assert page["meta"]["engine"] == "postgres"


def test_a_walk_that_postgresql_began_is_refilled_there(
    market: Market, postgres: TestClient
) -> None:
    """Relevance is an engine's own order: what moves up comes from the one that began."""
    stored = alike(market, 9)
    first = search(postgres, **DATES, limit=3)
    factory.store_booking(market.conn, stored[3], START, END)
    page = market.search(**DATES, limit=3, cursor=first["nextCursor"])
    assert (ids(page), page["meta"]["engine"]) == (stored[4:7], "postgres")


def test_flexible_dates_find_the_same_windows(market: Market, postgres: TestClient) -> None:
    _, booked, long_booked = market.store({}, {}, {})
    market.book(booked, str(START - timedelta(days=2)), str(START + timedelta(days=1)))
    market.book(long_booked, str(TODAY), str(END + timedelta(days=9)))
    asked = DATES | {"flexDays": 1, "sort": "price"}
    assert search(postgres, **asked)["items"] == market.search(**asked)["items"]
    assert len(ids(search(postgres, **asked))) == 2


@pytest.mark.parametrize("days", range(4))
@pytest.mark.parametrize("flex", [0, 2])
def test_notice_counts_where_the_vehicle_stands(
    market: Market, postgres: TestClient, days: int, flex: int
) -> None:
    market.store(*({"time_zone": zone, "notice_days": n} for zone in ZONES for n in range(4)))
    start = TODAY + timedelta(days=days)
    asked = {"start": str(start), "end": str(start + timedelta(days=2)), "sort": "price"}
    asked |= {"flexDays": flex} if flex else {}
    one, other = market.search(**asked), search(postgres, **asked)
    assert (ids(one), one["total"]) == (ids(other), other["total"])
    assert one["facets"] == other["facets"]


def test_text_is_understood_as_on_the_other_engine(market: Market, postgres: TestClient) -> None:
    hilo, near, *_ = market.store(
        {"daily_rate_cents": 4000},
        {"daily_rate_cents": 4000, "city": "Keaau", "lat": 19.6222, "lon": -155.0372},
        {"daily_rate_cents": 9000},
        {"make": "Kia", "model": "Soul", "daily_rate_cents": 4000},
    )
    market.learn()
    assert postgres.portal
    postgres.portal.call(postgres.app.state.vocabulary.poll)  # type: ignore[attr-defined]
    asked = {"q": "toyota under $80 near hilo", "sort": "price"}
    page, other = search(postgres, **asked), market.search(**asked)
    assert ids(page) == ids(other) == [hilo, near]
    assert page["understood"] == other["understood"]
    assert [each["kind"] for each in page["understood"]] == ["make", "price", "place"]

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.calendar import Days, availability, cut, quote_for
from bookings.errors import InvalidDatesError, VehicleNotFoundError
from tests.bookings.conftest import NOW, day
from tests.factory import store_block, store_booking, store_vehicle

pytestmark = pytest.mark.anyio

BOOKED = st.lists(
    st.tuples(st.integers(-10, 40), st.integers(1, 10)).map(
        lambda pair: Days(day(pair[0]), day(pair[0] + pair[1]))
    ),
    max_size=6,
)


def days_in(ranges):
    return [
        ordinal for start, end in ranges for ordinal in range(start.toordinal(), end.toordinal())
    ]


@given(BOOKED)
def test_every_day_of_the_window_is_either_taken_or_free(booked):
    window = Days(day(0), day(30))
    booked = [each for each in booked if each.start < window.end and each.end > window.start]
    taken, free = cut(window, booked)
    whole = set(days_in([window]))
    assert sorted(days_in(taken) + days_in(free)) == sorted(whole)
    assert set(days_in(taken)) == set(days_in(booked)) & whole


def test_neighbours_merge_and_the_window_clips():
    booked = [Days(day(5), day(9)), Days(day(-3), day(2)), Days(day(3), day(5))]
    assert cut(Days(day(0), day(8)), booked) == (
        [Days(day(0), day(2)), Days(day(3), day(8))],
        [Days(day(2), day(3))],
    )


async def test_only_bookings_that_take_days_of_this_vehicle_count(conn, session):
    vehicle = store_vehicle(conn)
    for offset, status in enumerate(["held", "confirmed", "active", "cancelled", "completed"]):
        start = day(1 + 2 * offset)
        store_booking(conn, vehicle, start, start.replace(day=start.day + 1), status=status)
    store_booking(conn, store_vehicle(conn), day(0), day(10))
    found = await availability(session, vehicle_id=vehicle, first=day(0), until=day(10), now=NOW)
    assert found.taken == [Days(day(n), day(n + 1)) for n in (1, 3, 5)]


async def test_what_a_host_keeps_is_taken_and_merges_with_what_is_booked(conn, session):
    vehicle = store_vehicle(conn)
    store_booking(conn, vehicle, day(1), day(3))
    store_block(conn, vehicle, day(3), day(5))
    store_block(conn, vehicle, day(9), day(40))
    store_block(conn, store_vehicle(conn), day(0), day(10))
    found = await availability(session, vehicle_id=vehicle, first=day(0), until=day(10), now=NOW)
    assert found.taken == [Days(day(1), day(5)), Days(day(9), day(10))]
    quoted = await quote_for(session, vehicle_id=vehicle, start=day(4), end=day(6), now=NOW)
    assert quoted.obstacle == "taken"


async def test_the_window_starts_today_where_the_vehicle_stands_and_lasts_90_days(conn, session):
    vehicle = store_vehicle(conn, notice_days=2)
    # Already tomorrow in London.
    now = datetime(2027, 5, 21, 5, tzinfo=UTC)
    found = await availability(session, vehicle_id=vehicle, first=None, until=None, now=now)
    assert found.window == (date(2027, 5, 20), date(2027, 8, 18))
    assert found.free == [found.window]
    assert found.earliest_start == date(2027, 5, 22)
    assert found.time_zone == "Pacific/Honolulu"


@pytest.mark.parametrize("until", [day(0), day(-1), day(367)])
async def test_a_window_has_1_to_366_days(conn, session, until):
    vehicle = store_vehicle(conn)
    with pytest.raises(InvalidDatesError, match=r"^to must be"):
        await availability(session, vehicle_id=vehicle, first=day(0), until=until, now=NOW)


async def test_a_quote_says_that_free_days_can_be_booked(conn, session):
    vehicle = store_vehicle(conn, cleaning_fee_cents=2_500)
    found = await quote_for(session, vehicle_id=vehicle, start=day(1), end=day(4), now=NOW)
    assert (found.days, found.currency, found.quote.total_cents) == (3, "USD", 19_000)
    assert found.obstacle is None


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (day(0), day(4), "too-soon"),
        (day(1), day(2), "too-short"),
        (day(1), day(20), "too-long"),
        (day(8), day(11), "taken"),
    ],
)
async def test_a_quote_says_why_days_cannot_be_booked_and_still_prices_them(
    conn, session, start, end, reason
):
    vehicle = store_vehicle(conn, notice_days=1, min_days=2, max_days=10)
    store_booking(conn, vehicle, day(10), day(12))
    found = await quote_for(session, vehicle_id=vehicle, start=start, end=end, now=NOW)
    assert found.obstacle == reason
    assert found.quote.total_cents == 5_500 * found.days


async def test_an_unlisted_vehicle_has_no_calendar_and_no_price(conn, session):
    vehicle = store_vehicle(conn, status="unlisted")
    with pytest.raises(VehicleNotFoundError):
        await availability(session, vehicle_id=vehicle, first=None, until=None, now=NOW)
    with pytest.raises(VehicleNotFoundError):
        await quote_for(session, vehicle_id=vehicle, start=day(1), end=day(2), now=NOW)

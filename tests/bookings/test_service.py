import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from accounts.tokens import Principal
from bookings import bookable, changes, holds, service
from bookings.errors import (
    BookingNotCancellableError,
    BookingNotFoundError,
    InvalidDatesError,
    OwnVehicleError,
    UnknownRenterError,
    VehicleNotFoundError,
    VehicleUnavailableError,
)
from models import BookingStatus, Role
from tests.bookings.conftest import NOW, day
from tests.factory import store_account, store_booking, store_vehicle

pytestmark = pytest.mark.anyio


async def cancel(session, booking, account, role=Role.RENTER):
    return await changes.cancel(
        session, booking_id=booking, principal=Principal(account, role), now=NOW
    )


def status_of(conn, booking):
    return conn.execute("SELECT status FROM bookings WHERE id = %s", [booking]).fetchone()[0]


async def test_days_are_held_for_15_minutes_at_the_quoted_total(conn, book):
    vehicle = store_vehicle(conn, cleaning_fee_cents=2_500, weekly_discount_pct=10)
    renter = store_account(conn)
    booking = await book(renter, vehicle, day(1), day(8))
    assert booking.status == BookingStatus.HELD
    assert booking.expires_at == NOW + timedelta(minutes=15)
    assert (booking.vehicle_id, booking.renter_id) == (vehicle, renter)
    assert (booking.during.lower, booking.during.upper) == (day(1), day(8))
    assert (booking.total_cents, booking.currency) == (37_150, "USD")


@pytest.mark.parametrize(
    ("start", "end"),
    [(day(5), day(8)), (day(4), day(6)), (day(7), day(9)), (day(6), day(7)), (day(1), day(20))],
)
async def test_taken_days_are_refused(conn, book, start, end):
    vehicle = store_vehicle(conn)
    store_booking(conn, vehicle, day(5), day(8))
    with pytest.raises(VehicleUnavailableError, match="choose other days"):
        await book(store_account(conn), vehicle, start, end)


async def test_the_day_of_return_is_the_next_renters(conn, book):
    vehicle = store_vehicle(conn)
    store_booking(conn, vehicle, day(5), day(8))
    renter = store_account(conn)
    assert (await book(renter, vehicle, day(8), day(9))).id
    assert (await book(renter, vehicle, day(4), day(5))).id


@pytest.mark.parametrize("status", ["cancelled", "expired", "declined", "completed"])
async def test_days_that_were_given_back_can_be_booked(conn, book, status):
    vehicle = store_vehicle(conn)
    store_booking(conn, vehicle, day(5), day(8), status=status)
    assert (await book(store_account(conn), vehicle, day(5), day(8))).id


async def test_after_a_refusal_the_connection_still_works(conn, book):
    vehicle = store_vehicle(conn)
    renter = store_account(conn)
    store_booking(conn, vehicle, day(5), day(8))
    with pytest.raises(VehicleUnavailableError):
        await book(renter, vehicle, day(5), day(8))
    assert (await book(renter, vehicle, day(8), day(9))).id


@pytest.mark.parametrize("status", ["unlisted", "archived"])
async def test_only_a_listed_vehicle_can_be_booked(conn, book, status):
    vehicle = store_vehicle(conn, status=status)
    renter = store_account(conn)
    with pytest.raises(VehicleNotFoundError):
        await book(renter, vehicle, day(1), day(2))
    with pytest.raises(VehicleNotFoundError):
        await book(renter, 2**63 - 1, day(1), day(2))


async def test_a_host_does_not_book_the_hosts_own_vehicle(conn, book):
    host = store_account(conn, "host")
    with pytest.raises(OwnVehicleError):
        await book(host, store_vehicle(conn, host_id=host), day(1), day(2))


async def test_an_account_that_is_gone_does_not_book(conn, book):
    with pytest.raises(UnknownRenterError):
        await book(2**62, store_vehicle(conn), day(1), day(2))


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (day(1), day(1), "end"),
        (day(1), day(367), "end"),
        (day(-1), day(1), "start"),
        (day(0), day(4), "start"),
        (day(1), day(2), "end"),
        (day(1), day(32), "end"),
    ],
)
async def test_dates_that_break_a_rule_are_refused_by_field(conn, book, start, end, field):
    vehicle = store_vehicle(conn, notice_days=1, min_days=2, max_days=30)
    with pytest.raises(InvalidDatesError) as refused:
        await book(store_account(conn), vehicle, start, end)
    assert [name for name, _ in refused.value.fields] == [field]


async def test_today_can_be_booked_as_long_as_it_is_today_where_the_vehicle_stands(conn, book):
    vehicle = store_vehicle(conn)
    renter = store_account(conn)
    # One minute before and after midnight in Honolulu.
    before, after = (
        datetime(2027, 5, 21, 9, 59, tzinfo=UTC),
        datetime(2027, 5, 21, 10, 1, tzinfo=UTC),
    )
    with pytest.raises(InvalidDatesError, match="2027-05-21 or later"):
        await book(renter, vehicle, day(0), day(1), now=after)
    assert (await book(renter, vehicle, day(0), day(1), now=before)).id


async def test_a_total_that_no_column_could_hold_is_refused_in_time(conn, book):
    vehicle = store_vehicle(conn, daily_rate_cents=10_000_000)
    renter = store_account(conn)
    with pytest.raises(InvalidDatesError, match="choose fewer days"):
        await book(renter, vehicle, day(1), day(300))
    assert (await book(renter, vehicle, day(1), day(190))).total_cents == 2_079_000_000


@pytest.mark.parametrize("status", ["held", "confirmed"])
async def test_renter_host_and_admin_may_cancel(conn, transactions, status):
    host, renter = store_account(conn, "host"), store_account(conn)
    admin = store_account(conn, "admin")
    vehicle = store_vehicle(conn, host_id=host)
    for who, role in ((renter, Role.RENTER), (host, Role.HOST), (admin, Role.ADMIN)):
        booking = store_booking(conn, vehicle, day(5), day(8), renter_id=renter, status=status)
        async with transactions.begin() as session:
            assert (await cancel(session, booking, who, role)).status == BookingStatus.CANCELLED
        assert status_of(conn, booking) == "cancelled"


async def test_cancelling_again_gives_the_same_answer(conn, session):
    renter = store_account(conn)
    booking = store_booking(conn, store_vehicle(conn), day(5), day(8), renter_id=renter)
    first = (await cancel(session, booking, renter)).updated_at
    again = await cancel(session, booking, renter)
    assert (again.status, again.updated_at) == (BookingStatus.CANCELLED, first)


@pytest.mark.parametrize("status", ["active", "completed", "expired", "declined"])
async def test_what_has_begun_or_ended_stays(conn, session, status):
    renter = store_account(conn)
    booking = store_booking(
        conn, store_vehicle(conn), day(5), day(8), renter_id=renter, status=status
    )
    with pytest.raises(BookingNotCancellableError, match=f"is {status}"):
        await cancel(session, booking, renter)
    assert status_of(conn, booking) == status


async def test_a_change_between_reading_and_cancelling_is_noticed(conn, transactions):
    """The owner hands over the keys while the renter's cancellation waits for the vehicle."""
    renter = store_account(conn)
    booking = store_booking(conn, store_vehicle(conn), day(5), day(8), renter_id=renter)
    async with transactions.begin() as other, transactions.begin() as session:
        await other.execute(text("SELECT FROM vehicles FOR NO KEY UPDATE"))
        cancelling = asyncio.create_task(cancel(session, booking, renter))
        await until_one_waits_for_a_lock(conn)
        await other.execute(text("UPDATE bookings SET status = 'active'"))
        await other.commit()
        with pytest.raises(BookingNotCancellableError, match="is active"):
            await cancelling
    assert status_of(conn, booking) == "active"


async def until_one_waits_for_a_lock(conn):
    async with asyncio.timeout(10):
        while not conn.execute(  # noqa: ASYNC110 - it is the server that waits, not a task of ours
            "SELECT 1 FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).fetchone():
            await asyncio.sleep(0.01)


async def test_strangers_cannot_tell_a_booking_of_others_from_none(conn, session):
    booking = store_booking(conn, store_vehicle(conn), day(5), day(8))
    stranger = Principal(store_account(conn, "host"), Role.HOST)
    with pytest.raises(BookingNotFoundError) as others:
        await service.get(session, booking_id=booking, principal=stranger)
    with pytest.raises(BookingNotFoundError) as none:
        await service.get(session, booking_id=booking + 1, principal=stranger)
    assert str(others.value).replace(str(booking), "N") == str(none.value).replace(
        str(booking + 1), "N"
    )
    with pytest.raises(BookingNotFoundError):
        await cancel(session, booking, stranger.account_id, Role.HOST)
    assert status_of(conn, booking) == "confirmed"


async def test_lists_are_newest_first_in_pages_without_gap_or_repeat(conn, session):
    host, renter = store_account(conn, "host"), store_account(conn)
    vehicle = store_vehicle(conn, host_id=host)
    mine = [store_booking(conn, vehicle, day(n), day(n + 1), renter_id=renter) for n in range(5)]
    store_booking(conn, store_vehicle(conn), day(0), day(1))
    for account, as_host in ((renter, False), (host, True)):
        seen, before, more = [], None, True
        while more:
            page, more = await service.list_bookings(
                session, account_id=account, as_host=as_host, before=before, limit=2
            )
            seen += [booking.id for booking in page]
            before = seen[-1]
        assert seen == mine[::-1]
    assert await service.list_bookings(
        session, account_id=renter, as_host=True, before=None, limit=2
    ) == ([], False)


async def test_what_can_be_booked_is_what_hold_would_take(conn, book):
    free = store_vehicle(conn)
    taken, unlisted = store_vehicle(conn), store_vehicle(conn, status="unlisted")
    notice, short = store_vehicle(conn, notice_days=9), store_vehicle(conn, max_days=2)
    store_booking(conn, taken, day(3), day(6))
    asked = [free, taken, unlisted, notice, short, 2**62]
    rows = conn.execute(*bookable.statement(asked, [day(5)], 3, NOW)).fetchall()
    assert rows == [(free, day(5))]
    renter = store_account(conn)
    for vehicle in set(asked) - {free}:
        with pytest.raises((VehicleUnavailableError, VehicleNotFoundError, InvalidDatesError)):
            await book(renter, vehicle, day(5), day(8))
    assert await book(renter, free, day(5), day(8))


def changed_after_each_look(monkeypatch, change, times=1):
    """Between look and lock of the first so many attempts somebody else does this."""
    look, left = holds._look, iter(range(times))

    async def looked(*arguments):
        seen = await look(*arguments)
        if next(left, None) is not None:
            change()
        return seen

    monkeypatch.setattr(holds, "_look", looked)


async def test_a_price_that_changes_meanwhile_is_paid_as_it_is_now(conn, book, monkeypatch):
    vehicle, renter = store_vehicle(conn, daily_rate_cents=5_000), store_account(conn)
    dearer = "UPDATE vehicles SET daily_rate_cents = 9000"
    changed_after_each_look(monkeypatch, lambda: conn.execute(dearer))
    booking = await book(renter, vehicle, day(1), day(3))
    assert booking.lines[0][-1] == 18_000


FORBID = {
    "unlisted": "UPDATE vehicles SET status = 'unlisted'",
    "min_days": "UPDATE vehicles SET min_days = 9",
    "blocked": (
        "INSERT INTO calendar_blocks (vehicle_id, during)"
        f" SELECT id, daterange('{day(2)}', '{day(4)}') FROM vehicles"
    ),
}


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ("unlisted", VehicleNotFoundError),
        ("min_days", InvalidDatesError),
        ("blocked", VehicleUnavailableError),
    ],
)
async def test_what_forbids_it_meanwhile_is_seen(conn, session, book, monkeypatch, how, refusal):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    changed_after_each_look(monkeypatch, lambda: conn.execute(FORBID[how]))
    with pytest.raises(refusal):
        await book(renter, vehicle, day(1), day(3))
    assert await service.list_bookings(
        session, account_id=renter, as_host=False, before=None, limit=9
    ) == ([], False)


async def test_whoever_was_faster_has_the_days(conn, book, monkeypatch):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    changed_after_each_look(
        monkeypatch, lambda: store_booking(conn, vehicle, day(2), day(4), status="held")
    )
    with pytest.raises(VehicleUnavailableError):
        await book(renter, vehicle, day(1), day(3))


async def test_a_vehicle_that_changes_all_the_time_is_given_up(conn, book, monkeypatch):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    dearer = "UPDATE vehicles SET cleaning_fee_cents = cleaning_fee_cents + 1"
    changed_after_each_look(monkeypatch, lambda: conn.execute(dearer), holds.ATTEMPTS - 1)
    assert (await book(renter, vehicle, day(1), day(3))).id
    changed_after_each_look(monkeypatch, lambda: conn.execute(dearer), holds.ATTEMPTS)
    with pytest.raises(VehicleUnavailableError):
        await book(renter, vehicle, day(5), day(7))


async def test_a_hold_that_is_over_gives_its_days_away_at_once(conn, book):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    await book(renter, vehicle, day(1), day(3))
    later = NOW + holds.LASTS
    with pytest.raises(VehicleUnavailableError):
        await book(renter, vehicle, day(2), day(4), later - timedelta(seconds=1))
    assert (await book(renter, vehicle, day(2), day(4), later)).id
    assert statuses(conn) == ["expired", "held"]


async def test_and_its_money_goes_back(conn, book):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    over = (await book(renter, vehicle, day(1), day(3))).id
    conn.execute(
        "INSERT INTO payments (booking_id, provider, key, status, amount_cents, currency, target)"
        " VALUES (%s, 'sandbox', 'one', 'authorised', 11000, 'USD', 'captured')",
        [over],
    )
    assert (await book(renter, vehicle, day(2), day(4), NOW + holds.LASTS)).id
    assert statuses(conn) == ["expired", "held"]
    assert conn.execute("SELECT target FROM payments").fetchall() == [("voided",)]


def statuses(conn):
    return [status for (status,) in conn.execute("SELECT status FROM bookings ORDER BY id")]

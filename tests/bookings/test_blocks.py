"""A day is booked or blocked, never both, however many ask at once."""

import asyncio
import os
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from accounts.tokens import Principal
from bookings import blocks, service
from bookings.errors import (
    BlockNotFoundError,
    DaysNotFreeError,
    InvalidDatesError,
    TooManyError,
    VehicleArchivedError,
    VehicleNotFoundError,
    VehicleUnavailableError,
)
from bookings.transitions import lock
from models import Booking, CalendarBlock, Role
from models.session import async_engine, sessions
from tests.bookings.conftest import NOW, day
from tests.conftest import create_database, database_name
from tests.factory import store_account, store_block, store_booking, store_vehicle

pytestmark = pytest.mark.anyio

ROUNDS = 12
BOTH = """
    SELECT count(*) FROM bookings AS a JOIN calendar_blocks AS b USING (vehicle_id)
    WHERE a.during && b.during AND a.status IN ('held', 'confirmed', 'active')
"""


def both(conn):
    """How many pairs of a booking and a block share a day."""
    (count,) = conn.execute(BOTH).fetchone()
    return count


@pytest.fixture
def host(conn):
    return Principal(store_account(conn, "host"), Role.HOST)


@pytest.fixture
def vehicle(conn, host):
    return store_vehicle(conn, host_id=host.account_id)


async def block(session, vehicle, host, start, end, **more):
    return await blocks.block(
        session,
        vehicle_id=vehicle,
        principal=host,
        start=start,
        end=end,
        **({"note": "", "now": NOW} | more),
    )


async def test_a_host_need_not_wait_for_the_clock_to_end_a_hold_that_is_over(
    conn, session, vehicle, host
):
    over = store_booking(conn, vehicle, day(1), day(4), status="held", expires_at=NOW)
    assert await block(session, vehicle, host, day(3), day(6))
    await session.commit()
    assert both(conn) == 0
    (status,) = conn.execute("SELECT status FROM bookings WHERE id = %s", [over]).fetchone()
    assert status == "expired"


async def test_a_hold_that_is_not_over_keeps_its_days_from_the_host(conn, session, vehicle, host):
    until = NOW + timedelta(seconds=1)
    store_booking(conn, vehicle, day(1), day(4), status="held", expires_at=until)
    with pytest.raises(DaysNotFreeError):
        await block(session, vehicle, host, day(3), day(6))


async def test_without_the_triggers_checking_before_inserting_books_blocked_days(settings, worker):
    template = database_name(os.environ["RIDES_DATABASE_URL"])
    scratch = create_database(f"rides_{worker}_blocks", template)
    engine = async_engine(settings.model_copy(update={"database_url": scratch}))
    everybody_has_looked = asyncio.Barrier(2)

    async def check_then_insert(vehicle, row):
        async with sessions(engine).begin() as session:
            assert not await service.is_taken(session, vehicle, day(1), day(4))
            await everybody_has_looked.wait()
            session.add(row)

    with psycopg.connect(scratch, autocommit=True) as conn:
        conn.execute("DROP TRIGGER no_booking_of_blocked_days ON bookings")
        conn.execute("DROP TRIGGER no_block_of_booked_days ON calendar_blocks")
        vehicle = store_vehicle(conn)
        booking = Booking(
            vehicle_id=vehicle,
            renter_id=store_account(conn),
            during=Range(day(1), day(4)),
            total_cents=1,
            currency="USD",
        )
        kept = CalendarBlock(vehicle_id=vehicle, during=Range(day(2), day(3)))
        await asyncio.gather(check_then_insert(vehicle, booking), check_then_insert(vehicle, kept))
        assert both(conn) == 1
    await engine.dispose()


async def test_the_same_two_around_the_services_cannot_both_win(conn, transactions, vehicle):
    """Rows inserted without a look and without a lock: the triggers alone decide."""
    renter = store_account(conn)

    async def insert(row):
        try:
            async with transactions.begin() as session:
                session.add(row)
        except IntegrityError as error:
            return type(error.orig)
        return "won"

    for turn in range(ROUNDS):
        during = Range(day(1 + 3 * turn), day(4 + 3 * turn))
        booking = Booking(
            vehicle_id=vehicle, renter_id=renter, during=during, total_cents=1, currency="USD"
        )
        kept = CalendarBlock(vehicle_id=vehicle, during=during)
        outcomes = await asyncio.gather(insert(booking), insert(kept))
        assert set(outcomes) == {"won", psycopg.errors.ExclusionViolation}
    assert both(conn) == 0


async def test_of_renters_and_a_host_at_once_one_wins_every_round(
    conn, transactions, book, vehicle, host
):
    renters = [store_account(conn) for _ in range(7)]

    async def keep(host, vehicle, start, end):
        async with transactions.begin() as session:
            await lock(session, vehicle)
            host_is_first.set()
            await block(session, vehicle, host, start, end)

    async def attempt(act, who, *days):
        if act is book:
            await host_is_first.wait()
        try:
            await act(who, vehicle, *days)
        except (VehicleUnavailableError, DaysNotFreeError):
            return "lost"
        return "won"

    won = []
    for turn in range(ROUNDS):
        host_is_first = asyncio.Event()
        if turn % 2:  # nobody waits: renters are faster
            host_is_first.set()
        days = day(1 + 3 * turn), day(4 + 3 * turn)
        all_of_them = [(keep, host), *((book, each) for each in renters)]
        outcomes = await asyncio.gather(*(attempt(act, who, *days) for act, who in all_of_them))
        assert sorted(outcomes) == ["lost"] * 7 + ["won"]
        won.append(all_of_them[outcomes.index("won")][0])
    assert both(conn) == 0
    assert set(won) == {keep, book}


async def test_a_booking_cannot_come_back_over_a_block(conn, vehicle):
    cancelled = store_booking(conn, vehicle, day(1), day(4), status="cancelled")
    elsewhere = store_booking(conn, vehicle, day(10), day(12))
    store_block(conn, vehicle, day(3), day(6))
    for change in ("status = 'held'", f"status = 'confirmed', during = '[{day(5)},{day(7)})'"):
        with pytest.raises(psycopg.errors.ExclusionViolation, match="keeps days"):
            conn.execute(f"UPDATE bookings SET {change} WHERE id = %s", [cancelled])
    with pytest.raises(psycopg.errors.ExclusionViolation, match="keeps days"):
        conn.execute(
            "UPDATE bookings SET during = daterange(%s, %s) WHERE id = %s",
            [day(5), day(8), elsewhere],
        )


async def test_a_calendar_is_not_written_where_the_check_would_be_blind(conn, vehicle):
    conn.execute("SET default_transaction_isolation = 'repeatable read'")
    try:
        with pytest.raises(psycopg.errors.RaiseException, match="repeatable read"):
            store_block(conn, vehicle, day(1), day(2))
    finally:
        conn.execute("RESET default_transaction_isolation")


async def test_blocked_days_cannot_be_booked_until_they_are_given_back(
    conn, session, book, vehicle, host
):
    kept = await block(session, vehicle, host, day(2), day(4), note="Service")
    assert (kept.during, kept.note) == (Range(day(2), day(4)), "Service")
    await session.commit()
    renter = store_account(conn)
    with pytest.raises(VehicleUnavailableError):
        await book(renter, vehicle, day(3), day(6))
    assert (await book(renter, vehicle, day(4), day(6))).status == "held"
    await blocks.unblock(session, vehicle_id=vehicle, block_id=kept.id, principal=host)
    await session.commit()
    assert (await book(renter, vehicle, day(3), day(4))).status == "held"


async def test_booked_and_blocked_days_cannot_be_blocked(conn, session, vehicle, host):
    store_booking(conn, vehicle, day(1), day(3))
    store_block(conn, vehicle, day(5), day(7))
    with pytest.raises(DaysNotFreeError, match="booked"):
        await block(session, vehicle, host, day(2), day(4))
    with pytest.raises(DaysNotFreeError, match="blocked"):
        await block(session, vehicle, host, day(6), day(9))
    # The transaction is still good, and the days between are free.
    assert (await block(session, vehicle, host, day(3), day(5))).id


async def test_a_block_has_1_to_365_days_that_are_not_over(session, vehicle, host):
    for start, end in ((day(1), day(1)), (day(2), day(1)), (day(1), day(367)), (day(-3), day(0))):
        with pytest.raises(InvalidDatesError, match="end must be"):
            await block(session, vehicle, host, start, end)
    assert await block(session, vehicle, host, day(-3), day(1))  # today is still to come


async def test_a_vehicle_has_at_most_100_blocks_that_have_not_ended(conn, session, vehicle, host):
    for n in range(100):
        store_block(conn, vehicle, day(2 * n), day(2 * n + 1))
    store_block(conn, vehicle, day(-9), day(-8))
    with pytest.raises(TooManyError, match="100 blocks"):
        await block(session, vehicle, host, day(300), day(301))
    listed = await blocks.blocks(session, vehicle_id=vehicle, principal=host, now=NOW)
    assert [each.during.lower for each in listed] == [day(2 * n) for n in range(100)]


async def test_a_calendar_is_its_hosts_and_of_admins(conn, session, vehicle, host):
    kept = await block(session, vehicle, host, day(1), day(2))
    stranger = Principal(store_account(conn, "host"), Role.HOST)
    with pytest.raises(VehicleNotFoundError):
        await block(session, vehicle, stranger, day(3), day(4))
    with pytest.raises(VehicleNotFoundError):
        await blocks.blocks(session, vehicle_id=vehicle, principal=stranger, now=NOW)
    with pytest.raises(VehicleNotFoundError):
        await blocks.unblock(session, vehicle_id=vehicle, block_id=kept.id, principal=stranger)
    admin = Principal(store_account(conn, "admin"), Role.ADMIN)
    other = store_vehicle(conn)
    with pytest.raises(BlockNotFoundError):
        await blocks.unblock(session, vehicle_id=other, block_id=kept.id, principal=admin)
    await blocks.unblock(session, vehicle_id=vehicle, block_id=kept.id, principal=admin)


async def test_an_archived_vehicle_has_no_days_to_keep(conn, session, host):
    vehicle = store_vehicle(conn, host_id=host.account_id, status="archived")
    with pytest.raises(VehicleArchivedError):
        await block(session, vehicle, host, day(1), day(2))

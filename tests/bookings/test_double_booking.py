"""Nobody gets days that somebody else has, however many ask at once.

The first test shows that the race is real: without the constraint, checking before inserting is
not enough. The others run the same crowd against what is deployed.
"""

import asyncio
import os

import psycopg
import pytest
from sqlalchemy.dialects.postgresql import Range

from accounts.tokens import Principal
from bookings import changes, service
from bookings.errors import VehicleUnavailableError
from models import Booking, Role
from models.session import async_engine, sessions
from tests.bookings.conftest import NOW, day
from tests.bookings.overlaps import overlaps
from tests.conftest import create_database, database_name
from tests.factory import store_account, store_vehicle

pytestmark = pytest.mark.anyio

CROWD = 16
ROUNDS = 8


async def one_of_the_crowd(book, renter, vehicle, start, end):
    """'won' or 'lost'; anything else is an error and fails the test."""
    try:
        await book(renter, vehicle, start, end)
    except VehicleUnavailableError:
        return "lost"
    return "won"


async def test_without_the_constraint_checking_before_inserting_books_twice(settings, worker):
    template = database_name(os.environ["RIDES_DATABASE_URL"])
    scratch = create_database(f"rides_{worker}_race", template)
    engine = async_engine(settings.model_copy(update={"database_url": scratch}))
    everybody_has_looked = asyncio.Barrier(2)

    async def check_then_insert(renter, vehicle):
        async with sessions(engine).begin() as session:
            assert not await service.is_taken(session, vehicle, day(1), day(4))
            await everybody_has_looked.wait()
            session.add(
                Booking(
                    vehicle_id=vehicle,
                    renter_id=renter,
                    during=Range(day(1), day(4)),
                    total_cents=1,
                    currency="USD",
                )
            )

    with psycopg.connect(scratch, autocommit=True) as conn:
        conn.execute("ALTER TABLE bookings DROP CONSTRAINT no_double_booking")
        vehicle = store_vehicle(conn)
        await asyncio.gather(
            check_then_insert(store_account(conn), vehicle),
            check_then_insert(store_account(conn), vehicle),
        )
        assert overlaps(conn) == 1
    await engine.dispose()


async def test_of_a_crowd_that_asks_for_the_same_days_one_wins_every_round(conn, book):
    vehicle = store_vehicle(conn)
    renters = [store_account(conn) for _ in range(CROWD)]
    for turn in range(ROUNDS):
        start, end = day(1 + 3 * turn), day(4 + 3 * turn)
        outcomes = await asyncio.gather(
            *(one_of_the_crowd(book, renter, vehicle, start, end) for renter in renters)
        )
        assert sorted(outcomes) == ["lost"] * (CROWD - 1) + ["won"]
    assert overlaps(conn) == 0


async def test_a_crowd_that_asks_for_overlapping_days_never_overlaps_and_somebody_wins(conn, book):
    renters = [store_account(conn) for _ in range(CROWD)]
    for _ in range(ROUNDS):
        vehicle = store_vehicle(conn)
        outcomes = await asyncio.gather(
            *(
                one_of_the_crowd(book, renter, vehicle, day(1 + n), day(4 + n))
                for n, renter in enumerate(renters)
            )
        )
        # 16 wishes of three days over 18 days: at least every fifth can be had.
        assert outcomes.count("won") >= 4
    assert overlaps(conn) == 0


async def test_a_crowd_that_books_and_cancels_ends_without_overlap(conn, book, transactions):
    vehicle = store_vehicle(conn)
    renters = [store_account(conn) for _ in range(CROWD)]

    async def book_and_cancel(renter):
        for turn in range(ROUNDS):
            outcome = await one_of_the_crowd(
                book, renter, vehicle, day(1 + turn % 3), day(4 + turn % 3)
            )
            if outcome == "won":
                async with transactions.begin() as session:
                    page, _ = await service.list_bookings(
                        session, account_id=renter, as_host=False, before=None, limit=1
                    )
                    mine = Principal(renter, Role.RENTER)
                    await changes.cancel(session, booking_id=page[0].id, principal=mine, now=NOW)

    await asyncio.gather(*(book_and_cancel(renter) for renter in renters))
    assert overlaps(conn) == 0
    (won, kept) = conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE status <> 'cancelled') FROM bookings"
    ).fetchone()
    assert won > 0
    assert kept == 0


async def test_an_insert_around_the_service_is_refused_by_the_table(conn):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    insert = (
        "INSERT INTO bookings (vehicle_id, renter_id, during, total_cents, currency)"
        " VALUES (%s, %s, daterange(%s, %s), 1, 'USD')"
    )
    conn.execute(insert, [vehicle, renter, day(1), day(4)])
    with pytest.raises(psycopg.errors.ExclusionViolation):
        conn.execute(insert, [vehicle, renter, day(3), day(6)])

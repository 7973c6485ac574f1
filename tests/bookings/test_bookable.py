"""The statement that searches check their pages with: the same rules as in Python, held to them."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from bookings import bookable, service
from bookings.rules import obstacles
from models import Vehicle, VehicleStatus
from tests.bookings.conftest import NOW, day
from tests.factory import store_block, store_booking, store_vehicle

ZONES = ["Pacific/Honolulu", "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"]


async def bookable_one_by_one(session, ids, start, end, now):
    free = set()
    for vehicle_id in ids:
        vehicle = await session.get(Vehicle, vehicle_id)
        if vehicle.status != VehicleStatus.LISTED or obstacles(vehicle, start, end, now):
            continue
        if not await service.is_taken(session, vehicle_id, start, end):
            free.add(vehicle_id)
    return free


@pytest.mark.anyio
async def test_sql_and_python_find_the_same_bookable(conn, session):
    rng = random.Random(5)
    ids = [
        store_vehicle(
            conn,
            time_zone=rng.choice(ZONES),
            notice_days=rng.choice([0, 0, 1, 2]),
            min_days=rng.choice([1, 1, 3]),
            max_days=rng.choice([3, 30]),
            status=rng.choices(["listed", "unlisted"], [9, 1])[0],
        )
        for _ in range(80)
    ]
    for vehicle in ids:
        start = rng.randint(-2, 4)
        if rng.random() < 0.5:
            status = rng.choice(["held", "confirmed", "active", "cancelled"])
            store_booking(conn, vehicle, day(start), day(start + 2), status=status)
        if rng.random() < 0.3:
            store_block(conn, vehicle, day(start + 3), day(start + 4))
    found = 0
    for hours in range(0, 24, 3):
        now = NOW.astimezone(UTC) + timedelta(hours=hours)
        first, days, choices = rng.randint(0, 3), rng.randint(1, 5), rng.randint(1, 4)
        starts = [day(first + n) for n in range(choices)]
        expected: dict[int, date] = {}
        for start in reversed(starts):
            end = start + timedelta(days=days)
            free = await bookable_one_by_one(session, ids, start, end, now)
            expected |= dict.fromkeys(free, start)
        rows = conn.execute(*bookable.statement(ids, starts, days, now)).fetchall()
        assert dict(rows) == expected
        found += len(rows)
    assert 0 < found < 8 * len(ids)


def test_without_dates_all_that_is_listed(conn):
    listed, unlisted = store_vehicle(conn), store_vehicle(conn, status="unlisted")
    asked = [listed, unlisted, 2**62]
    statement = bookable.statement(asked, [], 0, datetime.now(UTC))
    assert conn.execute(*statement).fetchall() == [(listed, None)]

"""What happens by time alone: holds expire, rentals begin and end.

Each booking in a transaction of its own, under its vehicle's lock; what a crash leaves is found
again by the next call.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bookings.transitions import close, expire, lock, move
from models import Booking, BookingStatus, Vehicle

AT_ONCE = 200  # bookings of a kind; the next call takes the rest
# No calendar is further ahead of UTC than Kiritimati's: lets an index find the candidates.
FURTHEST_AHEAD = timedelta(hours=14)

Change = Callable[[AsyncSession, int], Awaitable[bool]]


async def tick(sessions: async_sessionmaker[AsyncSession], now: datetime) -> int:
    """Move every booking on whose time has come; how many were moved."""

    async def begin(session: AsyncSession, booking_id: int) -> bool:
        of = (BookingStatus.CONFIRMED,)
        return await move(session, booking_id, BookingStatus.ACTIVE, of=of) is not None

    async def complete(session: AsyncSession, booking_id: int) -> bool:
        done = await move(session, booking_id, BookingStatus.COMPLETED, of=(BookingStatus.ACTIVE,))
        if done is not None:
            await close(session, done)
        return done is not None

    async def end_hold(session: AsyncSession, booking_id: int) -> bool:
        return await expire(session, booking_id, now)

    moved = 0
    for due, change in (
        (_hold_is_over(now), end_hold),
        (_has_come(BookingStatus.CONFIRMED, func.lower(Booking.during), now), begin),
        (_has_come(BookingStatus.ACTIVE, func.upper(Booking.during), now), complete),
    ):
        moved += await _each(sessions, due, change)
    return moved


async def _each(
    sessions: async_sessionmaker[AsyncSession], due: ColumnElement[bool], change: Change
) -> int:
    async with sessions.begin() as session:
        rows = await session.execute(
            select(Booking.id, Booking.vehicle_id).join(Vehicle).where(due).limit(AT_ONCE)
        )
        found = rows.all()
    moved = 0
    for booking_id, vehicle_id in found:
        async with sessions.begin() as session:
            await lock(session, vehicle_id)
            # It may have moved meanwhile: rescheduled, or paid at the last moment.
            if await session.scalar(
                select(Booking.id).join(Vehicle).where(Booking.id == booking_id, due)
            ):
                moved += await change(session, booking_id)
    return moved


def _hold_is_over(now: datetime) -> ColumnElement[bool]:
    return and_(Booking.status == BookingStatus.HELD, Booking.expires_at <= now)


def _has_come(
    status: BookingStatus, day: ColumnElement[object], now: datetime
) -> ColumnElement[bool]:
    """Bookings of a status whose `day` has begun on the vehicle's own calendar."""
    local = func.date(func.timezone(Vehicle.time_zone, now))
    return and_(Booking.status == status, day <= (now + FURTHEST_AHEAD).date(), day <= local)

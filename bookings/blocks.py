"""Days that a host keeps: blocked, shown and given back.

The vehicle's row is locked first, as by every write of a calendar. Two constraints have the last
word: blocks do not overlap, and the trigger of `calendar_blocks` refuses days that are booked.
"""

from datetime import date, datetime

import psycopg.errors
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.tokens import Principal
from bookings.errors import (
    BlockNotFoundError,
    DaysNotFreeError,
    InvalidDatesError,
    TooManyError,
)
from bookings.hosting import changeable, owned
from bookings.rules import local_today, rental_days
from bookings.transitions import expire_stale
from models import CalendarBlock

# Each splits the days of a document that search filters by; 52 is a block for every week.
MOST_BLOCKS = 100


async def block(
    session: AsyncSession,
    *,
    vehicle_id: int,
    principal: Principal,
    start: date,
    end: date,
    note: str,
    now: datetime,
) -> CalendarBlock:
    """Keep [start, end) of a vehicle, 1 to 365 days that are neither booked nor blocked.

    Raises:
        VehicleNotFoundError: there is none, or it is somebody else's.
        VehicleArchivedError: it is archived.
        InvalidDatesError: the days are reversed, too many, or over.
        DaysNotFreeError: at least one is booked or blocked; the transaction is still usable.
        TooManyError: 100 blocks have not ended.
    """
    rental_days(start, end)
    vehicle = (await changeable(session, vehicle_id=vehicle_id, principal=principal)).vehicle
    today = local_today(vehicle, now)
    if end <= today:
        message = f"must be after {today}, today on the vehicle's calendar ({vehicle.time_zone})"
        raise InvalidDatesError([("end", message)])
    upcoming = await session.scalar(
        select(func.count())
        .select_from(CalendarBlock)
        .where(CalendarBlock.vehicle_id == vehicle_id, func.upper(CalendarBlock.during) > today)
    )
    if upcoming is not None and upcoming >= MOST_BLOCKS:
        raise TooManyError(vehicle_id, MOST_BLOCKS, "blocks that have not ended")
    await expire_stale(session, vehicle_id, Range(start, end), now)
    statement = (
        insert(CalendarBlock)
        .values(vehicle_id=vehicle_id, during=Range(start, end), note=note)
        .on_conflict_do_nothing(constraint="no_day_blocked_twice")
        .returning(CalendarBlock)
    )
    try:
        async with session.begin_nested():
            stored = (await session.scalars(statement)).one_or_none()
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.ExclusionViolation):
            raise DaysNotFreeError(vehicle_id, "booked") from error
        raise
    if stored is None:
        raise DaysNotFreeError(vehicle_id, "blocked")
    return stored


async def blocks(
    session: AsyncSession, *, vehicle_id: int, principal: Principal, now: datetime
) -> list[CalendarBlock]:
    """The blocks of a vehicle that have not ended, in order.

    Raises:
        VehicleNotFoundError: there is none, or it is somebody else's.
    """
    vehicle = (await owned(session, vehicle_id=vehicle_id, principal=principal)).vehicle
    found = await session.scalars(
        select(CalendarBlock)
        .where(
            CalendarBlock.vehicle_id == vehicle_id,
            func.upper(CalendarBlock.during) > local_today(vehicle, now),
        )
        .order_by(CalendarBlock.during)
    )
    return list(found)


async def unblock(
    session: AsyncSession, *, vehicle_id: int, block_id: int, principal: Principal
) -> None:
    """Give the days of a block back.

    Raises:
        VehicleNotFoundError: there is no such vehicle, or it is somebody else's.
        VehicleArchivedError: it is archived.
        BlockNotFoundError: the vehicle has no such block.
    """
    await changeable(session, vehicle_id=vehicle_id, principal=principal)
    gone = await session.scalar(
        delete(CalendarBlock)
        .where(CalendarBlock.id == block_id, CalendarBlock.vehicle_id == vehicle_id)
        .returning(CalendarBlock.id)
    )
    if gone is None:
        raise BlockNotFoundError(block_id)

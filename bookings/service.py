"""Showing bookings, and what everything that takes or changes them shares.

Every function works in the caller's transaction and commits nothing. Every write locks the
vehicle's row first, then lets the exclusion constraint decide: measured with 64 clients, that is
what neither double-books nor deadlocks. Whatever checks availability without the lock only gives a
better answer sooner.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Protocol, TypeVar

import psycopg.errors
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from accounts.tokens import Principal
from bookings.blocked import blocked
from bookings.errors import BookingNotFoundError, VehicleNotFoundError
from bookings.pricing import LARGEST_TOTAL_CENTS, RateTerms, quote
from bookings.rules import Obstacle, Reason, Rentable, obstacles
from models import TAKES_DAYS, Booking, Payment, Vehicle, VehicleStatus

T = TypeVar("T")
RETRIES = 3
RETRIED = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


class Offered(Rentable, Protocol):
    """The rules and the rates of one vehicle: a row of `vehicles`, or its columns."""

    @property
    def daily_rate_cents(self) -> int:
        """Cents a day."""

    @property
    def weekly_discount_pct(self) -> int:
        """Whole percent, from 7 days."""

    @property
    def monthly_discount_pct(self) -> int:
        """Whole percent, from 28 days."""

    @property
    def cleaning_fee_cents(self) -> int:
        """Cents, once."""


async def get(session: AsyncSession, *, booking_id: int, principal: Principal) -> Booking:
    """A booking that the principal rents or hosts; an admin's are all.

    Raises:
        BookingNotFoundError: also for the bookings of others, so that ids tell a stranger nothing.
    """
    statement = select(Booking).join(Vehicle).where(Booking.id == booking_id)
    if not principal.is_admin:
        me = principal.account_id
        statement = statement.where(or_(Booking.renter_id == me, Vehicle.host_id == me))
    booking = await session.scalar(statement)
    if booking is None:
        raise BookingNotFoundError(booking_id)
    return booking


async def list_bookings(
    session: AsyncSession, *, account_id: int, as_host: bool, before: int | None, limit: int
) -> tuple[list[Booking], bool]:
    """Bookings that the account made, or of its vehicles as their host; newest first.

    Args:
        session: the caller's transaction.
        account_id: whose bookings.
        as_host: of the account's vehicles instead of the account's own trips.
        before: the id of the last booking of the page before; None for the first page.
        limit: at most so many.

    Returns:
        The page, and whether there are more after it.
    """
    statement = select(Booking).order_by(Booking.id.desc()).limit(limit + 1)
    if as_host:
        statement = statement.join(Vehicle).where(Vehicle.host_id == account_id)
    else:
        statement = statement.where(Booking.renter_id == account_id)
    if before is not None:
        statement = statement.where(Booking.id < before)
    found = list(await session.scalars(statement))
    return found[:limit], len(found) > limit


async def payments_of(session: AsyncSession, booking_ids: Sequence[int]) -> dict[int, Payment]:
    """The newest payment of each booking that has one, by booking."""
    found = await session.scalars(
        select(Payment).where(Payment.booking_id.in_(booking_ids)).order_by(Payment.id),
        execution_options={"populate_existing": True},
    )
    return {payment.booking_id: payment for payment in found}


async def is_taken(session: AsyncSession, vehicle_id: int, start: date, end: date) -> bool:
    """Whether a booking or a block has at least one day of [start, end)."""
    return bool(await session.scalar(select(_taken(vehicle_id, start, end))))


async def listed_vehicle(session: AsyncSession, vehicle_id: int) -> Vehicle:
    """The vehicle, as it is now.

    Raises:
        VehicleNotFoundError: there is none, or it is not listed.
    """
    statement = select(Vehicle).where(
        Vehicle.id == vehicle_id, Vehicle.status == VehicleStatus.LISTED
    )
    vehicle = await session.scalar(statement, execution_options={"populate_existing": True})
    if vehicle is None:
        raise VehicleNotFoundError(vehicle_id)
    return vehicle


def rate_terms(vehicle: Offered) -> RateTerms:
    """What `quote` needs of a vehicle."""
    return RateTerms(
        daily_rate_cents=vehicle.daily_rate_cents,
        weekly_discount_pct=vehicle.weekly_discount_pct,
        monthly_discount_pct=vehicle.monthly_discount_pct,
        cleaning_fee_cents=vehicle.cleaning_fee_cents,
    )


def rule_obstacles(vehicle: Offered, start: date, end: date, now: datetime) -> list[Obstacle]:
    """The rules that [start, end) breaks, its price included."""
    found = obstacles(vehicle, start, end, now)
    if quote(rate_terms(vehicle), (end - start).days).total_cents > LARGEST_TOTAL_CENTS:
        message = "makes this rental too expensive to book at once: choose fewer days"
        found.append(Obstacle(Reason.TOO_EXPENSIVE, "end", message))
    return found


def _taken(
    vehicle_id: int | InstrumentedAttribute[int], start: date, end: date
) -> ColumnElement[bool]:
    booked = exists().where(
        Booking.vehicle_id == vehicle_id,
        Booking.status.in_(TAKES_DAYS),
        Booking.during.overlaps(Range(start, end)),
    )
    return booked | blocked(vehicle_id, start, end)


async def retried(session: AsyncSession, attempt: Callable[[], Awaitable[T]]) -> T:
    """Run `attempt` in a savepoint, again when PostgreSQL chose it as a deadlock's victim."""
    for left in range(RETRIES, -1, -1):
        try:
            async with session.begin_nested():
                return await attempt()
        except OperationalError as error:
            if not left or not isinstance(error.orig, RETRIED):
                raise
    raise AssertionError("unreachable")

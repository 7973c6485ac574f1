"""Holding days: the first step of renting. A hold lasts 15 minutes and costs nothing."""

from datetime import date, datetime, timedelta

import psycopg.errors
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bookings.errors import (
    InvalidDatesError,
    OwnVehicleError,
    PriceChangedError,
    UnknownRenterError,
    VehicleUnavailableError,
)
from bookings.pricing import Quote, quote
from bookings.rules import rental_days
from bookings.service import listed_vehicle, rate_terms, retried, rule_obstacles
from bookings.transitions import expire_stale
from models import Booking, BookingStatus, Vehicle

LASTS = timedelta(minutes=15)


async def hold(
    session: AsyncSession,
    *,
    renter_id: int,
    vehicle_id: int,
    start: date,
    end: date,
    now: datetime,
    quoted: Quote | None = None,
    amount: int | None = None,
) -> Booking:
    """Hold [start, end) of a vehicle for 15 minutes, at a price that no longer changes.

    Args:
        session: the caller's transaction; it is still usable after an error below.
        renter_id: the account that rents and pays.
        vehicle_id: the vehicle, listed and not the renter's own.
        start: pick-up day on the vehicle's calendar.
        end: return day, not part of the rental.
        now: the current time, aware; the vehicle's own calendar is derived from it.
        quoted: the price of a quote that still holds; without it, what the days cost now.
        amount: the total in cents that the renter has agreed to.

    Raises:
        VehicleNotFoundError: no listed vehicle has this id.
        OwnVehicleError: the renter is the vehicle's host.
        InvalidDatesError: the dates break a rule; `fields` says which and how to keep it.
        PriceChangedError: the total is not `amount`.
        VehicleUnavailableError: at least one day is taken.
        UnknownRenterError: the account does not exist.
    """

    async def attempt() -> Booking:
        vehicle = await listed_vehicle(session, vehicle_id, lock=True)
        if vehicle.host_id == renter_id:
            raise OwnVehicleError(vehicle_id)
        current = priced(vehicle, start, end, now)  # the rules hold, whatever was quoted
        price = quoted or current
        if amount is not None and amount != price.total_cents:
            raise PriceChangedError(price.total_cents, vehicle.currency)
        during = Range(start, end)
        await expire_stale(session, vehicle_id, during, now)
        return await _insert(session, vehicle, renter_id, during, price, now)

    return await retried(session, attempt)


def priced(vehicle: Vehicle, start: date, end: date, now: datetime) -> Quote:
    """What [start, end) costs now.

    Raises:
        InvalidDatesError: the dates break a rule of the marketplace or of the vehicle.
    """
    days = rental_days(start, end)
    if broken := rule_obstacles(vehicle, start, end, now):
        raise InvalidDatesError([(each.field, each.message) for each in broken])
    return quote(rate_terms(vehicle), days)


async def _insert(
    session: AsyncSession,
    vehicle: Vehicle,
    renter_id: int,
    during: Range[date],
    price: Quote,
    now: datetime,
) -> Booking:
    """Store a hold of a vehicle that is locked; the exclusion constraint has the last word."""
    statement = (
        insert(Booking)
        .values(
            vehicle_id=vehicle.id,
            renter_id=renter_id,
            during=during,
            status=BookingStatus.HELD,
            total_cents=price.total_cents,
            currency=vehicle.currency,
            lines=[list(line) for line in price.lines],
            policy=vehicle.cancellation_policy,
            needs_approval=not vehicle.instant_book,
            expires_at=now + LASTS,
        )
        # With the constraint as arbiter a conflict is an empty answer, not an error that would
        # abort the transaction (nor, unlocked, a queue of deadlocks).
        .on_conflict_do_nothing(constraint="no_double_booking")
        .returning(Booking)
    )
    try:
        booking = (await session.scalars(statement)).one_or_none()
    except IntegrityError as error:
        # The vehicle is locked, so the missing row can only be the renter's.
        if isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
            raise UnknownRenterError from error
        if isinstance(error.orig, psycopg.errors.ExclusionViolation):  # blocked by the host
            raise VehicleUnavailableError(vehicle.id) from error
        raise
    if booking is None:
        raise VehicleUnavailableError(vehicle.id)
    return booking

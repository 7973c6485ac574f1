"""What a renter asks before booking: which days are free, and what these would cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, union_all
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from bookings.blocked import blocks_in
from bookings.errors import InvalidDatesError
from bookings.pricing import Quote, quote
from bookings.rules import Reason, earliest_start, local_today, rental_days
from bookings.service import is_taken, listed_vehicle, rate_terms, rule_obstacles
from models import TAKES_DAYS, Booking

DEFAULT_WINDOW = timedelta(days=90)
LONGEST_WINDOW = timedelta(days=366)


class Days(NamedTuple):
    """The days [start, end)."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Availability:
    """A window cut into days that are taken and days that are not, each in order and merged.

    Taken is what is booked and what the host keeps: which of the two is nobody's business.
    """

    window: Days
    taken: list[Days]
    free: list[Days]
    time_zone: str
    earliest_start: date


@dataclass(frozen=True, slots=True)
class DatedQuote:
    """The price of these days and why they cannot be booked now, if they cannot."""

    days: int
    currency: str
    quote: Quote
    obstacle: Reason | None


async def availability(
    session: AsyncSession,
    *,
    vehicle_id: int,
    first: date | None,
    until: date | None,
    now: datetime,
) -> Availability:
    """Taken and free days in [first, until), by default 90 days from today where the vehicle is.

    Raises:
        VehicleNotFoundError: no listed vehicle has this id.
        InvalidDatesError: the window is empty, reversed or longer than 366 days.
    """
    vehicle = await listed_vehicle(session, vehicle_id)
    start = first or local_today(vehicle, now)
    window = Days(start, until or start + DEFAULT_WINDOW)
    if window.end <= window.start:
        raise InvalidDatesError([("to", "must be after from")])
    if window.end - window.start > LONGEST_WINDOW:
        raise InvalidDatesError([("to", f"must be at most {LONGEST_WINDOW.days} days after from")])
    booked = select(Booking.during).where(
        Booking.vehicle_id == vehicle_id,
        Booking.status.in_(TAKES_DAYS),
        Booking.during.overlaps(Range(*window)),
    )
    found = await session.scalars(union_all(booked, blocks_in(vehicle_id, *window)))
    taken, free = cut(window, (Days(*_bounds(each)) for each in found))
    return Availability(window, taken, free, vehicle.time_zone, earliest_start(vehicle, now))


async def quote_for(
    session: AsyncSession, *, vehicle_id: int, start: date, end: date, now: datetime
) -> DatedQuote:
    """The price of [start, end), and whether `hold` would take it now.

    Raises:
        VehicleNotFoundError: no listed vehicle has this id.
        InvalidDatesError: the dates are reversed or more than 365 days apart.
    """
    days = rental_days(start, end)
    vehicle = await listed_vehicle(session, vehicle_id)
    broken = rule_obstacles(vehicle, start, end, now)
    obstacle = broken[0].reason if broken else None
    if obstacle is None and await is_taken(session, vehicle_id, start, end):
        obstacle = Reason.TAKEN
    return DatedQuote(days, vehicle.currency, quote(rate_terms(vehicle), days), obstacle)


def cut(window: Days, booked: Iterable[Days]) -> tuple[list[Days], list[Days]]:
    """(taken, free) of `window`; neighbours merge, so that they tell nothing of people.

    `booked` may come in any order and reach beyond the window.
    """
    taken: list[Days] = []
    free: list[Days] = []
    reached = window.start
    for each in sorted(booked):
        start, end = max(each.start, window.start), min(each.end, window.end)
        if start > reached:
            free.append(Days(reached, start))
        reached = max(reached, end)
        if taken and start <= taken[-1].end:
            taken[-1] = Days(taken[-1].start, reached)
        else:
            taken.append(Days(start, end))
    if reached < window.end:
        free.append(Days(reached, window.end))
    return taken, free


def _bounds(during: Range[date]) -> tuple[date, date]:
    """The ends of a stored range, which a CHECK keeps from being open."""
    assert during.lower is not None
    assert during.upper is not None
    return during.lower, during.upper

"""Which days of a vehicle may be asked for, whoever has them: the marketplace's and its own rules.

Days are counted on the vehicle's calendar: a car in Honolulu can be booked for "today" when it is
tomorrow in London.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from bookings.errors import InvalidDatesError

LONGEST_DAYS = 365


class Reason(StrEnum):
    """Why days cannot be booked."""

    TOO_SOON = "too-soon"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    TOO_EXPENSIVE = "too-expensive"
    TAKEN = "taken"


class Obstacle(NamedTuple):
    """A rule that the dates break, in which field, and what would satisfy it."""

    reason: Reason
    field: str
    message: str


class Rentable(Protocol):
    """The rules of one vehicle: a row of `vehicles`, or its columns."""

    @property
    def time_zone(self) -> str:
        """An IANA name."""

    @property
    def notice_days(self) -> int:
        """Days between booking and pick-up, at least."""

    @property
    def min_days(self) -> int:
        """Shortest rental."""

    @property
    def max_days(self) -> int:
        """Longest rental."""


def local_today(vehicle: Rentable, now: datetime) -> date:
    """The day it is where the vehicle stands."""
    return now.astimezone(ZoneInfo(vehicle.time_zone)).date()


def earliest_start(vehicle: Rentable, now: datetime) -> date:
    """The first day on which somebody who books now can pick the vehicle up."""
    return local_today(vehicle, now) + timedelta(days=vehicle.notice_days)


def rental_days(start: date, end: date) -> int:
    """The length of [start, end), 1 to 365.

    Raises:
        InvalidDatesError: it is empty, reversed or longer.
    """
    days = (end - start).days
    if days < 1:
        raise InvalidDatesError([("end", "must be after start")])
    if days > LONGEST_DAYS:
        raise InvalidDatesError([("end", f"must be at most {LONGEST_DAYS} days after start")])
    return days


def obstacles(vehicle: Rentable, start: date, end: date, now: datetime) -> list[Obstacle]:
    """The rules of `vehicle` that [start, end) breaks; whether the days are taken is not asked."""
    found = []
    days = (end - start).days
    earliest = earliest_start(vehicle, now)
    if start < earliest:
        message = f"must be {earliest} or later on the vehicle's calendar ({vehicle.time_zone})"
        found.append(Obstacle(Reason.TOO_SOON, "start", message))
    if days < vehicle.min_days:
        message = f"must be at least {vehicle.min_days} days after start for this vehicle"
        found.append(Obstacle(Reason.TOO_SHORT, "end", message))
    if days > vehicle.max_days:
        message = f"must be at most {vehicle.max_days} days after start for this vehicle"
        found.append(Obstacle(Reason.TOO_LONG, "end", message))
    return found

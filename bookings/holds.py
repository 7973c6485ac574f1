"""Holding days: the first step of renting. A hold lasts 15 minutes and costs nothing.

Everybody who rents comes through here, so it takes two round trips past SQLAlchemy: a look without
a lock, which answers most who cannot have the days, then the lock and the insert together, so that
nobody waits for a process that holds the lock. If the vehicle or its days changed in between,
nothing is inserted, and it looks again.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from bookings.errors import (
    InvalidDatesError,
    OwnVehicleError,
    PriceChangedError,
    UnknownRenterError,
    VehicleNotFoundError,
    VehicleUnavailableError,
)
from bookings.pricing import Quote, quote
from bookings.rules import rental_days
from bookings.service import RETRIED, RETRIES, Offered, rate_terms, rule_obstacles
from bookings.transitions import expire_stale, lock
from models import Booking, BookingStatus
from models.bookings import TAKES_DAYS_SQL
from models.session import driver

LASTS = timedelta(minutes=15)
# The first may find that the vehicle has changed since its look, and leaves it locked: the second
# decides, unless the first had to let the lock go as the victim of a deadlock.
ATTEMPTS = 3


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
    asked = _Asked(renter_id, vehicle_id, start, end)
    async with driver(session) as connection:
        for _ in range(ATTEMPTS):
            seen = await _look(connection, asked, now)
            if seen.host_id == renter_id:
                raise OwnVehicleError(vehicle_id)
            current = priced(seen, start, end, now)  # the rules hold, whatever was quoted
            price = quoted or current
            if amount is not None and amount != price.total_cents:
                raise PriceChangedError(price.total_cents, seen.currency)
            if seen.taken:
                raise VehicleUnavailableError(vehicle_id)
            if not seen.renter_exists:
                raise UnknownRenterError
            if seen.stale:
                await lock(session, vehicle_id)
                await expire_stale(session, vehicle_id, Range(start, end), now)
            booking = await _insert(connection, asked, seen, price, now)
            if booking is not None:
                return booking
    raise VehicleUnavailableError(vehicle_id)


def priced(vehicle: Offered, start: date, end: date, now: datetime) -> Quote:
    """What [start, end) costs now.

    Raises:
        InvalidDatesError: the dates break a rule of the marketplace or of the vehicle.
    """
    days = rental_days(start, end)
    if broken := rule_obstacles(vehicle, start, end, now):
        raise InvalidDatesError([(each.field, each.message) for each in broken])
    return quote(rate_terms(vehicle), days)


class _Asked(NamedTuple):
    renter_id: int
    vehicle_id: int
    start: date
    end: date


class _Seen(NamedTuple):
    """The vehicle as it was at a look, and what stands between the renter and the days."""

    host_id: int
    time_zone: str
    notice_days: int
    min_days: int
    max_days: int
    daily_rate_cents: int
    weekly_discount_pct: int
    monthly_discount_pct: int
    cleaning_fee_cents: int
    currency: str
    cancellation_policy: str
    instant_book: bool
    version: str  # of the vehicle's row
    taken: bool  # by a block, or by a booking that is not over
    stale: bool  # only holds that are over have the days
    renter_exists: bool


_VEHICLE = ", ".join(f"v.{column}" for column in _Seen._fields[: _Seen._fields.index("version")])
_BLOCKED = (
    "EXISTS (SELECT FROM calendar_blocks"
    " WHERE vehicle_id = v.id AND during && daterange(%(start)s, %(end)s))"
)
_RENTER = "EXISTS (SELECT FROM accounts WHERE id = %(renter_id)s)"
_LOOK = f"""
    SELECT {_VEHICLE}, v.xmin::text,
        coalesce(held.lasting, false) OR {_BLOCKED}, coalesce(NOT held.lasting, false), {_RENTER}
    FROM vehicles AS v CROSS JOIN LATERAL (
        SELECT bool_or(status <> 'held' OR expires_at > %(now)s) AS lasting
        FROM bookings
        WHERE vehicle_id = v.id AND during && daterange(%(start)s, %(end)s) AND {TAKES_DAYS_SQL}
    ) AS held
    WHERE v.id = %(vehicle_id)s AND v.status = 'listed'
"""  # noqa: S608 - constants only


async def _look(connection: AsyncConnection[TupleRow], asked: _Asked, now: datetime) -> _Seen:
    async with connection.pipeline():  # in which BEGIN travels along
        found = await connection.execute(_LOOK, asked._asdict() | {"now": now})
        row = await found.fetchone()
    if row is None:
        raise VehicleNotFoundError(asked.vehicle_id)
    return _Seen(*row)


# NO KEY UPDATE: reviews and photos that refer to the vehicle need not wait.
_LOCK = "SELECT FROM vehicles WHERE id = %(vehicle_id)s FOR NO KEY UPDATE"
# As a statement of its own it sees what was committed while the lock was waited for. With the
# constraint as arbiter a conflict is an empty answer, not an error that would abort the transaction
# (nor, unlocked, a queue of deadlocks).
_HOLD = f"""
    INSERT INTO bookings (
        vehicle_id, renter_id, during, status, total_cents, currency, lines, policy,
        needs_approval, expires_at
    )
    SELECT v.id, %(renter_id)s, daterange(%(start)s, %(end)s), 'held', %(total_cents)s,
        v.currency, %(lines)s, v.cancellation_policy, NOT v.instant_book, %(expires_at)s
    FROM vehicles AS v
    WHERE v.id = %(vehicle_id)s AND v.xmin::text = %(version)s AND NOT {_BLOCKED}
        AND {_RENTER}
    ON CONFLICT ON CONSTRAINT no_double_booking DO NOTHING
    RETURNING id, created_at, updated_at
"""  # noqa: S608 - constants only


async def _insert(
    connection: AsyncConnection[TupleRow], asked: _Asked, seen: _Seen, price: Quote, now: datetime
) -> Booking | None:
    """Lock and store, in one round trip; None if the vehicle or its days are not as seen."""
    lines = [list(line) for line in price.lines]
    expires_at = now + LASTS
    wanted = asked._asdict() | {
        "total_cents": price.total_cents,
        "lines": Jsonb(lines),
        "expires_at": expires_at,
        "version": seen.version,
    }
    for left in range(RETRIES, -1, -1):
        try:
            async with connection.pipeline():
                await connection.execute("SAVEPOINT hold")
                await connection.execute(_LOCK, wanted)
                stored = await (await connection.execute(_HOLD, wanted)).fetchone()
            break
        except RETRIED:
            if not left:
                raise
            await connection.execute("ROLLBACK TO SAVEPOINT hold")
    if stored is None:
        return None
    booking_id, created_at, updated_at = stored
    return Booking(
        id=booking_id,
        vehicle_id=asked.vehicle_id,
        renter_id=asked.renter_id,
        during=Range(asked.start, asked.end),
        status=BookingStatus.HELD,
        total_cents=price.total_cents,
        currency=seen.currency,
        lines=lines,
        policy=seen.cancellation_policy,
        needs_approval=not seen.instant_book,
        expires_at=expires_at,
        created_at=created_at,
        updated_at=updated_at,
    )

"""Holding days: the first step of renting. A hold lasts 15 minutes and costs nothing.

Everybody who rents comes through here, so it takes two round trips (docs/adr/0038): a look without
a lock, which answers most who cannot have the days, then the lock and the insert together, so that
nobody waits for a process that holds the lock. If the vehicle or its days changed in between,
nothing is inserted, and it looks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import orjson
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

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
from bookings.service import Offered, rate_terms, rule_obstacles
from bookings.transitions import expire_stale, lock
from models import Booking, BookingStatus
from models.bookings import TAKES_DAYS_SQL
from runtime.prepared import Prepared, Value

LASTS = timedelta(minutes=15)
ATTEMPTS = 5  # each but the first needs somebody who changes the vehicle in the same millisecond


class Held(NamedTuple):
    """A booking that holds its days, and the id of the transaction in which it does."""

    booking: Booking  # as it was stored, of no session
    transaction_id: int


async def hold(
    connection: Prepared,
    sessions: async_sessionmaker[AsyncSession],
    *,
    renter_id: int,
    vehicle_id: int,
    start: date,
    end: date,
    now: datetime,
    quoted: Quote | None = None,
    amount: int | None = None,
) -> Held:
    """Hold [start, end) of a vehicle for 15 minutes, at a price that no longer changes.

    Args:
        connection: on which it is done at once, or with the transaction that is open on it.
        sessions: for transactions of their own, which end holds that are over and yet were paid.
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
        psycopg.Error: the database is not there, or chose this as a deadlock's victim.
    """
    rental_days(start, end)  # or it is no range
    asked: dict[str, Value] = {
        "renter_id": renter_id,
        "vehicle_id": vehicle_id,
        "start": start,
        "end": end,
        "now": now,
    }
    for attempt in range(ATTEMPTS):
        seen = await _look(connection, asked)
        if seen is None:
            raise VehicleNotFoundError(vehicle_id)
        if seen.host_id == renter_id:
            raise OwnVehicleError(vehicle_id)
        current = priced(seen, start, end, now)  # the rules hold, whatever was quoted
        price = quoted or current
        if amount is not None and amount != price.total_cents:
            raise PriceChangedError(price.total_cents, seen.currency)
        # In an open transaction the first attempt has left the vehicle locked, even for `sessions`.
        if seen.taken or (seen.paid and attempt):
            raise VehicleUnavailableError(vehicle_id)
        if not seen.renter_exists:
            raise UnknownRenterError
        if seen.paid:
            async with sessions.begin() as session:
                await lock(session, vehicle_id)
                await expire_stale(session, vehicle_id, Range(start, end), now)
        held = await _insert(connection, asked, seen, price)
        if held is not None:
            return held
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


@dataclass(frozen=True, slots=True)
class _Seen:
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
    paid: bool  # of one of those the money must go back
    renter_exists: bool


_DAYS = "daterange(%(start)s, %(end)s)"
_BLOCKED = f"EXISTS (SELECT FROM calendar_blocks WHERE vehicle_id = v.id AND during && {_DAYS})"
_RENTER = "EXISTS (SELECT FROM accounts WHERE id = %(renter_id)s::bigint)"
_PAID = "EXISTS (SELECT FROM payments WHERE booking_id = b.id AND status <> 'voided')"
_LOOK = f"""
    SELECT row_to_json(seen) FROM (
        SELECT host_id, time_zone, notice_days, min_days, max_days, daily_rate_cents,
            weekly_discount_pct, monthly_discount_pct, cleaning_fee_cents, currency,
            cancellation_policy, instant_book, v.xmin::text AS version,
            coalesce(held.lasting, false) OR {_BLOCKED} AS taken,
            coalesce(NOT held.lasting, false) AS stale,
            coalesce(NOT held.lasting AND held.paid, false) AS paid, {_RENTER} AS renter_exists
        FROM vehicles AS v CROSS JOIN LATERAL (
            SELECT bool_or(status <> 'held' OR expires_at > %(now)s) AS lasting,
                bool_or({_PAID}) AS paid
            FROM bookings AS b
            WHERE vehicle_id = v.id AND during && {_DAYS} AND {TAKES_DAYS_SQL}
        ) AS held
        WHERE v.id = %(vehicle_id)s AND v.status = 'listed'
    ) AS seen
"""  # noqa: S608 - constants only


async def _look(connection: Prepared, asked: Mapping[str, Value]) -> _Seen | None:
    for (seen,) in await connection.ask(_LOOK, asked):
        return _Seen(**orjson.loads(seen))
    return None


# NO KEY UPDATE: reviews and photos that refer to the vehicle need not wait.
_LOCK = "SELECT FROM vehicles WHERE id = %(vehicle_id)s FOR NO KEY UPDATE"
# What `transitions.expire` does where there is no money.
_EXPIRE = f"""
    UPDATE bookings AS b SET status = 'expired', updated_at = now()
    WHERE vehicle_id = %(vehicle_id)s AND status = 'held' AND expires_at <= %(now)s
        AND during && {_DAYS} AND NOT {_PAID}
"""  # noqa: S608 - constants only
# As a statement of its own it sees what was committed while the lock was waited for. With the
# constraint as arbiter a conflict is an empty answer, not an error that would abort the transaction
# (nor, unlocked, a queue of deadlocks).
_HOLD = f"""
    INSERT INTO bookings (
        vehicle_id, renter_id, during, status, total_cents, currency, lines, policy,
        needs_approval, expires_at
    )
    SELECT v.id, %(renter_id)s::bigint, {_DAYS}, 'held', %(total_cents)s::integer, v.currency,
        %(lines)s::jsonb, v.cancellation_policy, NOT v.instant_book, %(expires_at)s::timestamptz
    FROM vehicles AS v
    WHERE v.id = %(vehicle_id)s AND v.xmin::text = %(version)s AND NOT {_BLOCKED}
        AND {_RENTER}
    ON CONFLICT ON CONSTRAINT no_double_booking DO NOTHING
    RETURNING id, created_at, updated_at, pg_current_xact_id()
"""  # noqa: S608 - constants only


async def _insert(
    connection: Prepared, asked: Mapping[str, Value], seen: _Seen, price: Quote
) -> Held | None:
    """Lock and store, in one round trip; None if the vehicle or its days are not as seen."""
    now = asked["now"]
    assert isinstance(now, datetime)
    lines = [list(line) for line in price.lines]
    wanted = {
        **asked,
        "total_cents": price.total_cents,
        "lines": orjson.dumps(lines).decode(),
        "expires_at": now + LASTS,
        "version": seen.version,
    }
    expired = [(_EXPIRE, asked)] if seen.stale else []
    *_, stored = await connection.ask_all((_LOCK, asked), *expired, (_HOLD, wanted))
    for booking_id, created_at, updated_at, transaction_id in stored:
        booking = Booking(
            id=int(booking_id),
            vehicle_id=asked["vehicle_id"],
            renter_id=asked["renter_id"],
            during=Range(asked["start"], asked["end"]),
            status=BookingStatus.HELD,
            total_cents=price.total_cents,
            currency=seen.currency,
            lines=lines,
            policy=seen.cancellation_policy,
            needs_approval=not seen.instant_book,
            expires_at=wanted["expires_at"],
            created_at=datetime.fromisoformat(created_at.decode()),
            updated_at=datetime.fromisoformat(updated_at.decode()),
        )
        return Held(booking, int(transaction_id))
    return None

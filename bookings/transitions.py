"""How bookings change state: under the vehicle's lock, by compare-and-set.

Who changes a booking calls `lock` first. What frees days also says what becomes of the money, in
the same transaction: a refund is ordered or a payment marked to be voided here, and the provider
is told afterwards (bookings/payments/cashier.py), however often that takes.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import psycopg.errors
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bookings import ledger
from models import Booking, BookingStatus, Payment, PaymentStatus, PaymentTarget, Refund, Vehicle


async def lock(session: AsyncSession, vehicle_id: int) -> Vehicle:
    """The vehicle, whatever its status, with other booking writes of it kept out until the commit.

    NO KEY UPDATE: reviews and photos that refer to the vehicle need not wait.
    """
    vehicle = await session.scalar(
        select(Vehicle).where(Vehicle.id == vehicle_id).with_for_update(key_share=True),
        execution_options={"populate_existing": True},
    )
    assert vehicle is not None  # bookings keep their vehicle: archived, never deleted
    return vehicle


async def move(
    session: AsyncSession,
    booking_id: int,
    to: BookingStatus,
    *,
    of: Collection[BookingStatus],
    **values: Any,
) -> Booking | None:
    """Give the booking the status `to` and `values` if it has one `of` some statuses, else None."""
    return await session.scalar(
        update(Booking)
        .where(Booking.id == booking_id, Booking.status.in_(of))
        .values(status=to, **values)
        .returning(Booking)
        .execution_options(populate_existing=True)
    )


async def take_days(
    session: AsyncSession, booking: Booking, during: Range[date], **values: Any
) -> bool:
    """Change a booking so that it takes `during`; False, and nothing is changed, if it cannot.

    The vehicle is locked and its stale holds are expired.
    """
    try:
        async with session.begin_nested():
            await session.execute(
                update(Booking)
                .where(Booking.id == booking.id)
                .values(during=during, **values)
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.ExclusionViolation):
            return False
        raise
    await session.refresh(booking)
    return True


async def expire_stale(
    session: AsyncSession, vehicle_id: int, during: Range[date], now: datetime
) -> None:
    """Whoever wants days need not wait for the clock: holds on them that are over end here."""
    stale = await session.scalars(
        select(Booking.id).where(
            Booking.vehicle_id == vehicle_id,
            Booking.status == BookingStatus.HELD,
            Booking.expires_at <= now,
            Booking.during.overlaps(during),
        )
    )
    for booking_id in stale.all():
        await expire(session, booking_id, now)


async def expire(session: AsyncSession, booking_id: int, now: datetime) -> bool:
    """Expire a hold that is over; False if it is none (any more). The vehicle is locked."""
    expired = await session.scalar(
        update(Booking)
        .where(
            Booking.id == booking_id,
            Booking.status == BookingStatus.HELD,
            Booking.expires_at <= now,
        )
        .values(status=BookingStatus.EXPIRED)
        .returning(Booking)
        .execution_options(populate_existing=True)
    )
    if expired is None:
        return False
    await give_back(session, expired, reason="expired", now=now)
    return True


async def live_payment(session: AsyncSession, booking_id: int) -> Payment | None:
    """The payment of a booking that is not voided, locked; there is at most one."""
    return await session.scalar(
        select(Payment)
        .where(Payment.booking_id == booking_id, Payment.status != PaymentStatus.VOIDED)
        .with_for_update(),
        execution_options={"populate_existing": True},
    )


async def give_back(
    session: AsyncSession,
    booking: Booking,
    *,
    reason: str,
    now: datetime,
    cents: int | None = None,
) -> int:
    """Order a refund of `cents`, or of everything; what was not captured is voided.

    Returns:
        The cents that will go back, never more than was captured and not yet ordered back.
    """
    payment = await live_payment(session, booking.id)
    if payment is None:
        return 0
    if payment.status != PaymentStatus.CAPTURED:
        payment.target = PaymentTarget.VOIDED
        payment.due_at = now
        return 0
    left = payment.captured_cents - payment.ordered_cents
    ordered = left if cents is None else min(cents, left)
    if ordered > 0:
        payment.ordered_cents += ordered
        payment.due_at = now
        session.add(Refund(payment_id=payment.id, cents=ordered, reason=reason))
    await session.flush()
    return ordered


async def close(session: AsyncSession, booking: Booking) -> None:
    """The booking is over: what was captured and not ordered back has been earned."""
    payment = await live_payment(session, booking.id)
    if payment is not None and payment.status == PaymentStatus.CAPTURED:
        await ledger.earned(session, booking, payment.captured_cents - payment.ordered_cents)

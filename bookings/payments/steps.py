"""Where a payment stands and what is to be done next: no provider is called here.

`next_step` is pure. `learn` takes in what the provider has done, from its answer or its event, in
any order and any number of times: what is known only moves forwards. Both work on locked rows.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bookings import ledger
from bookings.changes import TAKING_MONEY
from bookings.payments.port import Intent
from bookings.rules import local_today
from bookings.transitions import expire_stale, give_back, lock, move, take_days
from models import (
    Booking,
    BookingStatus,
    Payment,
    PaymentStatus,
    PaymentTarget,
    Refund,
    Vehicle,
    VehicleStatus,
)

# How long a host may take to decide; an authorisation lasts seven days.
HOST_DECIDES_WITHIN = timedelta(hours=24)
# When somebody else takes a payment up that nobody brings to its target.
TAKEN_UP_AFTER = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)

ORDER = {
    PaymentStatus.CREATED: 0,
    PaymentStatus.OPEN: 1,
    PaymentStatus.AUTHORISED: 2,
    PaymentStatus.VOIDED: 3,
    PaymentStatus.CAPTURED: 4,  # money is real, whatever we believed
}


class Step(StrEnum):
    """What to ask the provider for."""

    CREATE = "create"
    CONFIRM = "confirm"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Case(NamedTuple):
    """A payment with all that it is about, locked."""

    vehicle: Vehicle
    booking: Booking
    payment: Payment


def next_step(payment: Payment) -> Step | None:
    """What brings the payment closer to its target; None where it is there or others must act."""
    voided = payment.target == PaymentTarget.VOIDED
    match payment.status:
        case PaymentStatus.CREATED if not voided:
            return Step.CREATE
        case PaymentStatus.OPEN if not voided:
            return Step.CONFIRM if payment.method else None
        case PaymentStatus.OPEN:
            return Step.VOID
        case PaymentStatus.AUTHORISED if voided:
            return Step.VOID
        case PaymentStatus.AUTHORISED if payment.target == PaymentTarget.CAPTURED:
            return Step.CAPTURE
        case PaymentStatus.CAPTURED if payment.ordered_cents > payment.refunded_cents:
            return Step.REFUND
    return None


async def case(session: AsyncSession, payment_id: int) -> Case:
    """The payment, its booking and vehicle, locked in the order of every booking write."""
    statement = (
        select(Booking.vehicle_id, Booking.id)
        .join(Payment, Payment.booking_id == Booking.id)
        .where(Payment.id == payment_id)
    )
    vehicle_id, booking_id = (await session.execute(statement)).one()
    vehicle = await lock(session, vehicle_id)
    booking = await session.get_one(Booking, booking_id, populate_existing=True)
    payment = await session.get_one(
        Payment, payment_id, populate_existing=True, with_for_update=True
    )
    return Case(vehicle, booking, payment)


def schedule(payment: Payment, now: datetime) -> None:
    """Say when to take the payment up again: never, where nothing is to be done."""
    if payment.status == PaymentStatus.CREATED and payment.target == PaymentTarget.VOIDED:
        payment.status = PaymentStatus.VOIDED  # the provider has nothing that could be used
    todo = next_step(payment) is not None
    payment.due_at = now + TAKEN_UP_AFTER if todo else None


def postpone(payment: Payment, now: datetime) -> None:
    """The provider did not answer: try again later, and later each time."""
    payment.attempts = min(payment.attempts + 1, 1000)
    seconds = min(2.0 ** min(payment.attempts, 20), LONGEST_BACKOFF.total_seconds())
    payment.due_at = now + timedelta(seconds=seconds)


def leave_to_renter(payment: Payment) -> None:
    """The bank wants to hear from the renter: the provider's form asks, and an event tells."""
    if payment.status == PaymentStatus.OPEN:
        payment.method = None


async def learn(session: AsyncSession, found: Case, intent: Intent, now: datetime) -> None:
    """Take in the state of the intent; what happens to the booking follows from it."""
    payment = found.payment
    payment.attempts = 0
    payment.intent_id = payment.intent_id or intent.id
    payment.client_secret = payment.client_secret or intent.client_secret
    if ORDER[intent.status] > ORDER[PaymentStatus(payment.status)]:
        payment.status = intent.status
        if intent.status == PaymentStatus.AUTHORISED:
            await _on_authorised(session, found, now)
        elif intent.status == PaymentStatus.CAPTURED:
            payment.captured_cents = min(intent.captured_cents, payment.amount_cents)
            await session.flush()
            await ledger.captured(session, payment)
            await _on_captured(session, found, now)
    schedule(payment, now)
    await session.flush()


async def learn_declined(session: AsyncSession, found: Case, reason: str, now: datetime) -> None:
    """The card was refused: this payment is over, and the renter may try another card."""
    payment = found.payment
    if payment.status in (PaymentStatus.CREATED, PaymentStatus.OPEN):
        payment.failure = reason
        payment.method = None
        payment.target = PaymentTarget.VOIDED
    schedule(payment, now)
    await session.flush()


async def learn_refunded(
    session: AsyncSession, found: Case, refund: Refund, provider_id: str, now: datetime
) -> None:
    """The provider has given this much back."""
    if refund.done_at is None:
        refund.done_at = now
        refund.provider_id = provider_id
        found.payment.refunded_cents += refund.cents
        found.payment.attempts = 0
        await session.flush()
        await ledger.refunded(session, found.booking.id, refund)
    schedule(found.payment, now)
    await session.flush()


async def pending_refund(session: AsyncSession, payment_id: int) -> Refund | None:
    """The oldest refund that is ordered and not done."""
    return await session.scalar(
        select(Refund)
        .where(Refund.payment_id == payment_id, Refund.done_at.is_(None))
        .order_by(Refund.id)
        .limit(1)
    )


async def _on_authorised(session: AsyncSession, found: Case, now: datetime) -> None:
    """The money is promised: take it, or ask the host, if the days are still there."""
    vehicle, booking, payment = found
    if payment.target == PaymentTarget.VOIDED and booking.status != BookingStatus.EXPIRED:
        return
    patience = HOST_DECIDES_WITHIN if booking.needs_approval else TAKING_MONEY
    held = await _keep_days(session, vehicle, booking, until=now + patience, now=now)
    if not held:
        payment.target = PaymentTarget.VOIDED
    elif not booking.needs_approval:
        payment.target = PaymentTarget.CAPTURED
    else:
        payment.target = PaymentTarget.AUTHORISED


async def _on_captured(session: AsyncSession, found: Case, now: datetime) -> None:
    """The money is here: the booking is confirmed, or everything goes back."""
    vehicle, booking, payment = found
    approved = not booking.needs_approval or payment.target == PaymentTarget.CAPTURED
    patience = TAKING_MONEY if approved else HOST_DECIDES_WITHIN
    if not await _keep_days(session, vehicle, booking, until=now + patience, now=now):
        await give_back(session, booking, reason=f"paid when {booking.status}", now=now)
        return
    payment.target = PaymentTarget.CAPTURED if approved else PaymentTarget.AUTHORISED
    if approved:
        await move(session, booking.id, BookingStatus.CONFIRMED, of=(BookingStatus.HELD,))


async def _keep_days(
    session: AsyncSession, vehicle: Vehicle, booking: Booking, *, until: datetime, now: datetime
) -> bool:
    """Whether the booking is held at least until `until`, its days taken again if need be."""
    if booking.status == BookingStatus.HELD:
        later = max(until, booking.expires_at or until)
        await move(
            session, booking.id, BookingStatus.HELD, of=(BookingStatus.HELD,), expires_at=later
        )
        return True
    assert booking.during.lower is not None
    gone = vehicle.status != VehicleStatus.LISTED
    if booking.status != BookingStatus.EXPIRED or gone:
        return False
    if booking.during.lower < local_today(vehicle, now):
        return False
    await expire_stale(session, vehicle.id, booking.during, now)
    return await take_days(
        session, booking, booking.during, status=BookingStatus.HELD, expires_at=until
    )

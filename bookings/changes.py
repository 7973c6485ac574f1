"""What renter and host do with a booking that is there: cancel, approve, decline, move.

Money is only decided about here; the provider is told afterwards, by the cashier.
"""

from datetime import date, datetime, timedelta

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.tokens import Principal
from bookings import policies
from bookings.errors import (
    BookingNotAwaitingHostError,
    BookingNotCancellableError,
    BookingNotReschedulableError,
    CostsMoreError,
    NotYourPartError,
    PriceChangedError,
    VehicleUnavailableError,
)
from bookings.holds import priced
from bookings.pricing import LineCode
from bookings.rules import local_today
from bookings.service import get, payments_of, retried
from bookings.transitions import close, expire_stale, give_back, live_payment, lock, move, take_days
from models import Booking, BookingStatus, CancellationPolicy, PaymentStatus, PaymentTarget, Vehicle

CANCELLABLE = (BookingStatus.HELD, BookingStatus.CONFIRMED)
# How long a hold still takes its days while money that is promised is being taken.
TAKING_MONEY = timedelta(minutes=5)


async def cancel(
    session: AsyncSession, *, booking_id: int, principal: Principal, now: datetime
) -> Booking:
    """Cancel a booking that has not begun, for its renter, its vehicle's host or an admin.

    A renter gets back what the policy says, at a host's or an admin's word everything goes back.
    Cancelling what is already cancelled changes nothing and gives the same answer.

    Raises:
        BookingNotFoundError: no such booking, or it is not the principal's business.
        BookingNotCancellableError: it has begun, ended, expired or was declined.
    """

    async def attempt() -> Booking:
        booking = await get(session, booking_id=booking_id, principal=principal)
        vehicle = await lock(session, booking.vehicle_id)
        # Compare-and-set: whatever happened since the read above, only these states give way.
        cancelled = await move(session, booking_id, BookingStatus.CANCELLED, of=CANCELLABLE)
        if cancelled is None:
            await session.refresh(booking)
            if booking.status != BookingStatus.CANCELLED:
                raise BookingNotCancellableError(booking_id, booking.status)
            return booking
        by_renter = principal.account_id == cancelled.renter_id
        cents = terms_of(cancelled, vehicle, now).cents if by_renter else None
        await give_back(
            session, cancelled, reason="cancelled by renter" if by_renter else "cancelled by host",
            now=now, cents=cents,
        )  # fmt: skip
        await close(session, cancelled)
        return cancelled

    return await retried(session, attempt)


async def cancellation_terms(
    session: AsyncSession, *, booking_id: int, principal: Principal, now: datetime
) -> tuple[Booking, policies.Terms]:
    """What the renter would get back by cancelling now, of what has been paid.

    Raises:
        BookingNotFoundError: no such booking, or it is not the principal's business.
        BookingNotCancellableError: it cannot be cancelled.
    """
    booking = await get(session, booking_id=booking_id, principal=principal)
    if booking.status not in CANCELLABLE:
        raise BookingNotCancellableError(booking_id, booking.status)
    vehicle = await session.get_one(Vehicle, booking.vehicle_id)
    found = terms_of(booking, vehicle, now)
    payment = (await payments_of(session, [booking_id])).get(booking_id)
    captured = payment is not None and payment.status == PaymentStatus.CAPTURED
    return booking, found if captured else found._replace(cents=0)


def terms_of(booking: Booking, vehicle: Vehicle, now: datetime) -> policies.Terms:
    """What cancelling gives back of the whole price, from the pinned policy and lines."""
    assert booking.during.lower is not None
    cleaning = sum(cents for code, _, cents in booking.lines if code == LineCode.CLEANING_FEE)
    return policies.terms(
        CancellationPolicy(booking.policy),
        (booking.during.lower - local_today(vehicle, now)).days,
        paid_cents=booking.total_cents,
        cleaning_cents=cleaning,
    )


async def approve(
    session: AsyncSession, *, booking_id: int, principal: Principal, now: datetime
) -> Booking:
    """The host takes a paid booking: the authorised money is captured, which confirms it.

    Approving again changes nothing.

    Raises:
        BookingNotFoundError: no such booking, or it is not the principal's business.
        NotYourPartError: the principal is its renter.
        BookingNotAwaitingHostError: it is not held, not paid, over, or needs no approval.
    """

    async def attempt() -> Booking:
        booking = await _for_host(session, booking_id, principal)
        if booking.status == BookingStatus.CONFIRMED and booking.needs_approval:
            return booking
        payment = await live_payment(session, booking_id)
        over = booking.expires_at is None or booking.expires_at <= now
        if booking.status != BookingStatus.HELD or over or not booking.needs_approval:
            raise BookingNotAwaitingHostError(booking_id, _state(booking, now))
        if payment is None or payment.status not in _PROMISED:
            raise BookingNotAwaitingHostError(booking_id, "not paid yet")
        payment.target = PaymentTarget.CAPTURED
        payment.due_at = now
        until = max(booking.expires_at or now, now + TAKING_MONEY)
        to, of = BookingStatus.HELD, (BookingStatus.HELD,)
        if payment.status == PaymentStatus.CAPTURED:
            to = BookingStatus.CONFIRMED
        moved = await move(session, booking_id, to, of=of, expires_at=until)
        assert moved is not None  # locked, and held a moment ago
        return moved

    return await retried(session, attempt)


_PROMISED = (PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED)


async def decline(
    session: AsyncSession, *, booking_id: int, principal: Principal, now: datetime
) -> Booking:
    """The host does not take a booking: days and money are free again.

    Declining again changes nothing.

    Raises:
        BookingNotFoundError: no such booking, or it is not the principal's business.
        NotYourPartError: the principal is its renter.
        BookingNotAwaitingHostError: it is not held, or needs no approval.
    """

    async def attempt() -> Booking:
        booking = await _for_host(session, booking_id, principal)
        if booking.status == BookingStatus.DECLINED:
            return booking
        if booking.status != BookingStatus.HELD or not booking.needs_approval:
            raise BookingNotAwaitingHostError(booking_id, _state(booking, now))
        moved = await move(session, booking_id, BookingStatus.DECLINED, of=(BookingStatus.HELD,))
        assert moved is not None  # locked, and held a moment ago
        await give_back(session, moved, reason="declined", now=now)
        return moved

    return await retried(session, attempt)


async def reschedule(
    session: AsyncSession,
    *,
    booking_id: int,
    principal: Principal,
    start: date,
    end: date,
    now: datetime,
    amount: int | None = None,
) -> Booking:
    """Move a booking to [start, end), at what these days cost now.

    An unpaid hold moves freely, and still ends when it would have ended. A confirmed booking moves
    for as long as cancelling would give everything back (or a strict policy could be dodged by
    moving first), and not to dearer days; what is cheaper goes back to the renter.

    Raises:
        BookingNotFoundError: no such booking, or it is not the principal's business.
        NotYourPartError: the principal is the host.
        BookingNotReschedulableError: it is neither, or too close to its pick-up.
        InvalidDatesError: the new dates break a rule.
        PriceChangedError: the total is not `amount`.
        CostsMoreError: the new days cost more than was paid.
        VehicleUnavailableError: at least one of the new days is taken.
    """

    async def attempt() -> Booking:
        booking = await get(session, booking_id=booking_id, principal=principal)
        vehicle = await lock(session, booking.vehicle_id)
        await session.refresh(booking)
        if booking.renter_id != principal.account_id:
            raise NotYourPartError("the renter")
        if booking.during == Range(start, end):
            return booking
        price = priced(vehicle, start, end, now)
        if amount is not None and amount != price.total_cents:
            raise PriceChangedError(price.total_cents, booking.currency)
        await _require_movable(session, booking, vehicle, now)
        less = booking.total_cents - price.total_cents
        if booking.status == BookingStatus.CONFIRMED and less < 0:
            raise CostsMoreError(-less, booking.currency)
        during = Range(start, end)
        await expire_stale(session, vehicle.id, during, now)
        lines = [list(line) for line in price.lines]
        moved = await take_days(
            session, booking, during, total_cents=price.total_cents, lines=lines
        )
        if not moved:
            raise VehicleUnavailableError(vehicle.id)
        if booking.status == BookingStatus.CONFIRMED and less:
            await give_back(session, booking, reason="rescheduled", now=now, cents=less)
        return booking

    return await retried(session, attempt)


async def _require_movable(
    session: AsyncSession, booking: Booking, vehicle: Vehicle, now: datetime
) -> None:
    if booking.status == BookingStatus.HELD:
        over = booking.expires_at is None or booking.expires_at <= now
        if over or await live_payment(session, booking.id) is not None:
            state = "expired" if over else "being paid"
            raise BookingNotReschedulableError(booking.id, state)
    elif booking.status != BookingStatus.CONFIRMED:
        raise BookingNotReschedulableError(booking.id, booking.status)
    elif terms_of(booking, vehicle, now).percent < 100:  # noqa: PLR2004 - everything
        raise BookingNotReschedulableError(booking.id, "too close to its pick-up day")


async def _for_host(session: AsyncSession, booking_id: int, principal: Principal) -> Booking:
    booking = await get(session, booking_id=booking_id, principal=principal)
    if booking.renter_id == principal.account_id:
        raise NotYourPartError("the host")
    await lock(session, booking.vehicle_id)
    await session.refresh(booking)
    return booking


def _state(booking: Booking, now: datetime) -> str:
    over = booking.expires_at is not None and booking.expires_at <= now
    return "expired" if booking.status == BookingStatus.HELD and over else booking.status

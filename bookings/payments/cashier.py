"""The cashier: brings payments to their targets, one provider call at a time.

Never calls the provider inside a transaction of ours. Before each call the wish is committed,
after it what came of it; whoever comes next (the renter who asks again, an event, the sweep) goes
on from there with the same keys. So a process may be killed between any two lines.
"""

from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from secrets import token_hex

import structlog
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from accounts.tokens import Principal
from bookings.errors import (
    BookingNotPayableError,
    HoldExpiredError,
    NotYourPartError,
    PaymentDeclinedError,
    PaymentsUnavailableError,
)
from bookings.payments import steps
from bookings.payments.port import (
    DeclinedError,
    Gateway,
    GatewayError,
    Intent,
    NewIntent,
    ProviderEvent,
)
from bookings.payments.steps import Step
from bookings.service import get
from bookings.transitions import live_payment, lock
from models import (
    Booking,
    BookingStatus,
    Payment,
    PaymentEvent,
    PaymentStatus,
    PaymentTarget,
    Refund,
)

MOST_STEPS = 10  # of one payment at a time: create, confirm, capture, and some refunds
MOST_PAYMENTS = 2  # at a time: one that was declined before may have to be voided first
SWEPT = 100  # payments at a time

log = structlog.get_logger()


class Cashier:
    """Payments through one gateway; without one, nothing can be paid."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], gateway: Gateway | None) -> None:
        self._sessions = sessions
        self._gateway = gateway

    async def close(self) -> None:
        """Let go of the gateway's connections."""
        if self._gateway is not None:
            await self._gateway.close()

    async def pay(
        self, *, booking_id: int, principal: Principal, method: str | None, now: datetime
    ) -> None:
        """Pay for a hold: with `method`, now; without, by the client with the payment's secret.

        Repeating it continues the same payment, whatever became of the first call.

        Raises:
            BookingNotFoundError: no such booking, or it is not the principal's business.
            NotYourPartError: the principal is not its renter.
            BookingNotPayableError: it has ended.
            HoldExpiredError: its days are no longer held.
            PaymentDeclinedError: the card was refused; another may be tried.
            PaymentsUnavailableError: no answer from the provider; nobody knows yet.
        """
        if self._gateway is None:
            raise PaymentsUnavailableError(
                "No payments are configured: set RIDES_PAYMENTS to sandbox or stripe."
            )
        payment_id = 0
        for _ in range(MOST_PAYMENTS):
            async with self._sessions.begin() as session:
                payment = await self._payment_of(session, booking_id, principal, method, now)
                payment_id = payment.id
                declined_before = payment.target == PaymentTarget.VOIDED
            try:
                await self.advance(payment_id, now)
            except GatewayError as error:
                raise PaymentsUnavailableError(
                    "The payment provider does not answer. Ask again with the same "
                    "Idempotency-Key: nothing is taken twice."
                ) from error
            if not declined_before:
                break
        async with self._sessions.begin() as session:
            payment = await session.get_one(Payment, payment_id)
            if payment.failure is not None:
                raise PaymentDeclinedError(payment.failure)
            if payment.target == PaymentTarget.VOIDED:
                raise HoldExpiredError(booking_id, "expired")

    async def advance(self, payment_id: int, now: datetime) -> None:
        """Bring a payment as far as it can get.

        Raises:
            GatewayError: the provider does not answer; it is tried again later.
        """
        for _ in range(MOST_STEPS):
            async with self._sessions.begin() as session:
                payment = await session.get_one(Payment, payment_id)
                step = steps.next_step(payment)
                refund = await steps.pending_refund(session, payment_id)
                if step is None and payment.due_at is not None:
                    steps.schedule((await steps.case(session, payment_id)).payment, now)
            if step is None or self._gateway is None or payment.provider != self._gateway.name:
                return
            try:
                await self._take(step, payment, refund, now)
            except GatewayError as error:
                log.warning("payment provider", step=step, payment=payment_id, error=str(error))
                async with self._sessions.begin() as session:
                    steps.postpone((await steps.case(session, payment_id)).payment, now)
                raise

    async def settle(self, booking_id: int, now: datetime) -> None:
        """After a change of a booking: move its money, now if possible and else by the sweep."""
        async with self._sessions.begin() as session:
            payment = await live_payment(session, booking_id)
        if payment is not None:
            await self._try(payment.id, now)

    async def sweep(self, now: datetime) -> int:
        """Take up payments that are due; how many there were."""
        if self._gateway is None:
            return 0
        async with self._sessions.begin() as session:
            due = await session.scalars(
                select(Payment.id)
                .where(Payment.due_at <= now, Payment.provider == self._gateway.name)
                .order_by(Payment.due_at)
                .limit(SWEPT)
            )
            found = due.all()
        for payment_id in found:
            await self._try(payment_id, now)
        return len(found)

    async def take_in(self, event: ProviderEvent, now: datetime) -> bool:
        """Take in what the provider tells us, once; False if it was known.

        Events may come in any order, late and again: an event is a fact, and facts only add up.
        """
        async with self._sessions.begin() as session:
            payment_id = await session.scalar(
                select(Payment.id).where(
                    or_(Payment.intent_id == event.intent_id, Payment.key == event.key)
                )
            )
            new = await session.scalar(
                insert(PaymentEvent)
                .values(id=event.id, type=event.type, payment_id=payment_id)
                .on_conflict_do_nothing()
                .returning(PaymentEvent.id)
            )
            if new is None:
                return False
            if payment_id is None:
                log.warning("event of an unknown payment", event_id=event.id, type=event.type)
                return True
            await self._apply(session, payment_id, event, now)
        await self._try(payment_id, now)
        return True

    async def _apply(
        self, session: AsyncSession, payment_id: int, event: ProviderEvent, now: datetime
    ) -> None:
        found = await steps.case(session, payment_id)
        if event.intent is not None:
            await steps.learn(session, found, event.intent, now)
        if event.refund_id is not None:
            refund = await session.get(Refund, event.refund_id, with_for_update=True)
            if refund is not None and refund.payment_id == payment_id:
                await steps.learn_refunded(session, found, refund, event.provider_refund, now)
        if event.alarm is not None:
            log.error(event.alarm, payment=payment_id, event_id=event.id)

    async def _try(self, payment_id: int, now: datetime) -> None:
        # What fails is logged and postponed: the sweep goes on with it.
        with suppress(GatewayError):
            await self.advance(payment_id, now)

    async def _payment_of(
        self,
        session: AsyncSession,
        booking_id: int,
        principal: Principal,
        method: str | None,
        now: datetime,
    ) -> Payment:
        """The booking's one payment that is not over, made if there is none."""
        booking = await get(session, booking_id=booking_id, principal=principal)
        if booking.renter_id != principal.account_id:
            raise NotYourPartError("the renter")
        await lock(session, booking.vehicle_id)
        await session.refresh(booking)
        payment = await live_payment(session, booking_id)
        if payment is None or payment.target == PaymentTarget.VOIDED:
            _require_payable(booking, now)
        if payment is None:
            assert self._gateway is not None
            payment = Payment(
                booking_id=booking_id,
                provider=self._gateway.name,
                key=f"rides-{token_hex(16)}",
                method=method,
                amount_cents=booking.total_cents,
                currency=booking.currency,
                due_at=now + steps.TAKEN_UP_AFTER,
            )
            session.add(payment)
            await session.flush()
            await session.refresh(payment)
        elif payment.method is None and payment.target != PaymentTarget.VOIDED:
            payment.method = method
            await session.flush()
        return payment

    async def _take(
        self, step: Step, payment: Payment, refund: Refund | None, now: datetime
    ) -> None:
        """One call to the provider, and what came of it."""
        assert self._gateway is not None
        if step is Step.REFUND:
            assert refund is not None
            await self._refund(self._gateway, payment, refund, now)
            return
        try:
            intent = await _asked(self._gateway, step, payment)
        except DeclinedError as declined:
            async with self._sessions.begin() as session:
                found = await steps.case(session, payment.id)
                await steps.learn_declined(session, found, str(declined), now)
            return
        async with self._sessions.begin() as session:
            found = await steps.case(session, payment.id)
            if step is Step.CONFIRM and intent.status == PaymentStatus.OPEN:
                steps.leave_to_renter(found.payment)
            await steps.learn(session, found, intent, now)

    async def _refund(
        self, gateway: Gateway, payment: Payment, refund: Refund, now: datetime
    ) -> None:
        provider_id = await gateway.refund(
            payment.intent_id or "",
            key=f"{payment.key}-refund-{refund.id}",
            refund_id=refund.id,
            cents=refund.cents,
        )
        async with self._sessions.begin() as session:
            found = await steps.case(session, payment.id)
            mine = await session.get_one(Refund, refund.id, with_for_update=True)
            await steps.learn_refunded(session, found, mine, provider_id, now)


async def _asked(gateway: Gateway, step: Step, payment: Payment) -> Intent:
    """The provider's answer to a step, under a key that is always the same for it."""
    key, intent_id = f"{payment.key}-{step}", payment.intent_id or ""
    match step:
        case Step.CREATE:
            new = NewIntent(payment.key, payment.amount_cents, payment.currency, payment.booking_id)
            return await gateway.create(new)
        case Step.CONFIRM:
            method = payment.method or ""
            # Another card is another request.
            key += f"-{sha256(method.encode()).hexdigest()[:16]}"
            return await gateway.confirm(intent_id, key=key, method=method)
        case Step.CAPTURE:
            return await gateway.capture(intent_id, key=key)
        case _:
            return await gateway.void(intent_id, key=key)


def _require_payable(booking: Booking, now: datetime) -> None:
    over = booking.expires_at is not None and booking.expires_at <= now
    if booking.status == BookingStatus.EXPIRED or (booking.status == BookingStatus.HELD and over):
        raise HoldExpiredError(booking.id, "expired")
    if booking.status != BookingStatus.HELD:
        raise BookingNotPayableError(booking.id, booking.status)

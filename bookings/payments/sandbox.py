"""A provider for demo and tests: it takes no money, and remembers like one that does.

It stands for somebody else's server, so it keeps its books in transactions of its own: what it did
stays done when ours is rolled back or the process dies. Test cards have Stripe's names.
"""

import secrets

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bookings.payments.port import DeclinedError, GatewayError, Intent, NewIntent
from models import PaymentStatus, SandboxIntent, SandboxRefund

# Test cards that are refused, and what the bank says.
DECLINES = {
    "pm_card_chargeDeclined": "card_declined",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_chargeDeclinedExpiredCard": "expired_card",
}
# A test card whose bank asks the renter first, in a form that the sandbox does not have.
ASKS_RENTER = "pm_card_authenticationRequired"


class SandboxGateway:
    """Implements `port.Gateway` on two tables."""

    name = "sandbox"

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def create(self, new: NewIntent) -> Intent:
        """Prepare a payment, once per key."""
        row = {
            "id": f"pi_sandbox_{secrets.token_hex(12)}",
            "key": new.key,
            "status": PaymentStatus.OPEN,
            "amount_cents": new.amount_cents,
        }
        async with self._sessions.begin() as session:
            await session.execute(
                insert(SandboxIntent).values(row).on_conflict_do_nothing(index_elements=["key"])
            )
            found = await session.scalar(select(SandboxIntent).where(SandboxIntent.key == new.key))
            assert found is not None
            return _intent(found)

    async def confirm(self, intent_id: str, *, key: str, method: str) -> Intent:  # noqa: ARG002 - what is done once needs no key
        """Reserve the amount.

        Raises:
            DeclinedError: `method` is a test card that is refused.
        """
        if method in DECLINES:
            raise DeclinedError(DECLINES[method])
        if method == ASKS_RENTER:
            async with self._sessions.begin() as session:
                return await _as_it_is(session, intent_id)
        return await self._move(intent_id, PaymentStatus.OPEN, status=PaymentStatus.AUTHORISED)

    async def capture(self, intent_id: str, *, key: str) -> Intent:  # noqa: ARG002 - as above
        """Take the amount."""
        return await self._move(
            intent_id,
            PaymentStatus.AUTHORISED,
            status=PaymentStatus.CAPTURED,
            captured_cents=SandboxIntent.amount_cents,
            charges=SandboxIntent.charges + 1,
        )

    async def void(self, intent_id: str, *, key: str) -> Intent:  # noqa: ARG002 - as above
        """Let go of the amount."""
        before = (PaymentStatus.OPEN, PaymentStatus.AUTHORISED)
        return await self._move(intent_id, *before, status=PaymentStatus.VOIDED)

    async def refund(self, intent_id: str, *, key: str, refund_id: int, cents: int) -> str:
        """Give some back, once per key."""
        async with self._sessions.begin() as session:
            stored = await session.scalar(
                insert(SandboxRefund)
                .values(key=key, intent_id=intent_id, cents=cents)
                .on_conflict_do_nothing()
                .returning(SandboxRefund.key)
            )
            if stored is not None:
                await session.execute(
                    update(SandboxIntent)
                    .where(SandboxIntent.id == intent_id)
                    .values(refunded_cents=SandboxIntent.refunded_cents + cents)
                )
        return f"re_sandbox_{refund_id}"

    async def close(self) -> None:
        """Nothing is held: the connections are the application's."""

    async def _move(self, intent_id: str, *before: PaymentStatus, **values: object) -> Intent:
        async with self._sessions.begin() as session:
            await session.execute(
                update(SandboxIntent)
                .where(SandboxIntent.id == intent_id, SandboxIntent.status.in_(before))
                .values(**values)
            )
            return await _as_it_is(session, intent_id)


async def _as_it_is(session: AsyncSession, intent_id: str) -> Intent:
    found = await session.get(SandboxIntent, intent_id, populate_existing=True)
    if found is None:
        raise GatewayError(f"the sandbox knows no intent {intent_id}")
    return _intent(found)


def _intent(row: SandboxIntent) -> Intent:
    return Intent(row.id, PaymentStatus(row.status), row.captured_cents, f"{row.id}_secret_sandbox")

"""The ledger: every movement of money of a booking, both sides of it, never rewritten.

`escrow` is what we hold. It is empty again when a booking is over: what was captured has gone back
to the renter or on to host and marketplace.
"""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bookings.pricing import LineCode
from models import Booking, LedgerEntry, Payment, Refund
from models.payments import Account


async def captured(session: AsyncSession, payment: Payment) -> None:
    """The provider has taken the renter's money for us."""
    cents = payment.captured_cents
    sides = {Account.RENTER: -cents, Account.ESCROW: cents}
    await _write(session, payment.booking_id, f"capture:{payment.id}", sides)


async def refunded(session: AsyncSession, booking_id: int, refund: Refund) -> None:
    """The provider has given some of it back."""
    sides = {Account.ESCROW: -refund.cents, Account.RENTER: refund.cents}
    await _write(session, booking_id, f"refund:{refund.id}", sides)


async def earned(session: AsyncSession, booking: Booking, kept_cents: int) -> None:
    """What is not given back belongs to the host, less the marketplace's share of it."""
    if kept_cents <= 0:
        return
    fee = sum(cents for code, _, cents in booking.lines if code == LineCode.SERVICE_FEE)
    ours = (kept_cents * fee * 2 + booking.total_cents) // (2 * booking.total_cents)
    sides = {
        Account.ESCROW: -kept_cents,
        Account.HOST: kept_cents - ours,
        Account.MARKETPLACE: ours,
    }
    await _write(session, booking.id, f"earned:{booking.id}", sides)


async def balances(session: AsyncSession, booking_id: int) -> dict[Account, int]:
    """Cents by account, of those that money of this booking has moved on."""
    rows = await session.execute(
        select(LedgerEntry.account, func.sum(LedgerEntry.cents))
        .where(LedgerEntry.booking_id == booking_id)
        .group_by(LedgerEntry.account)
    )
    return {Account(account): int(cents) for account, cents in rows}


async def _write(
    session: AsyncSession, booking_id: int, movement: str, sides: Mapping[Account, int]
) -> None:
    """Write a movement down; one that is there already makes the transaction fail."""
    rows = [
        {"booking_id": booking_id, "movement": movement, "account": account, "cents": cents}
        for account, cents in sides.items()
    ]
    await session.execute(insert(LedgerEntry), rows)

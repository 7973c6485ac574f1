"""Money: payments and refunds at a provider, what the provider has told us, and the ledger."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of


class PaymentStatus(StrEnum):
    """What we know that the provider has done; it never goes back, except to `captured`."""

    CREATED = "created"  # the provider has not answered yet
    OPEN = "open"  # it waits for the renter's card
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"


class PaymentTarget(StrEnum):
    """What we want of it next: whoever finds a payment short of its target moves it on."""

    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"


class Account(StrEnum):
    """Whose money a line of the ledger moves; `escrow` is what we hold for the others."""

    RENTER = "renter"
    ESCROW = "escrow"
    HOST = "host"
    MARKETPLACE = "marketplace"


class Payment(Base):
    """One attempt to be paid for a booking. All amounts are cents of `currency`.

    `ordered_cents` of refunds have been decided on, `refunded_cents` of them are done. `due_at`
    says when to try again to bring it to its target; it is NULL when there is nothing to do.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(one_of("status", PaymentStatus), name="status"),
        CheckConstraint(one_of("target", PaymentTarget), name="target"),
        CheckConstraint(
            "0 <= refunded_cents AND refunded_cents <= ordered_cents"
            " AND ordered_cents <= captured_cents AND captured_cents <= amount_cents",
            name="amounts",
        ),
        # A renter who presses twice, or another device, pays once.
        Index(
            "uq_payments_live",
            "booking_id",
            unique=True,
            postgresql_where=text("status <> 'voided'"),
        ),
        Index(None, "booking_id"),
        Index(None, "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    provider: Mapped[str]
    # Every key that the provider gets is made from this one.
    key: Mapped[str] = mapped_column(unique=True)
    intent_id: Mapped[str | None] = mapped_column(unique=True)
    client_secret: Mapped[str | None]
    method: Mapped[str | None]
    amount_cents: Mapped[int] = mapped_column(Integer)
    currency: Mapped[str] = mapped_column(CHAR(3))
    status: Mapped[str] = mapped_column(server_default=PaymentStatus.CREATED)
    target: Mapped[str] = mapped_column(server_default=PaymentTarget.AUTHORISED)
    captured_cents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    ordered_cents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    refunded_cents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    failure: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Refund(Base):
    """Money that goes back to the renter: decided when the row is made, done at `done_at`."""

    __tablename__ = "refunds"
    __table_args__ = (CheckConstraint("cents > 0", name="cents"), Index(None, "payment_id"))

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    cents: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    provider_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]


class LedgerEntry(Base):
    """One side of a movement of money; the sides of a movement, so of a booking, sum to zero.

    A trigger holds every transaction to that at its commit. `movement` names what happened, such
    as `capture:12`, so that it cannot be written down twice.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        CheckConstraint(one_of("account", Account), name="account"),
        UniqueConstraint("movement", "account"),
        Index(None, "booking_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    movement: Mapped[str]
    account: Mapped[str]
    cents: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class PaymentEvent(Base):
    """A provider's event that we have taken in: its id alone, as its body is about a person."""

    __tablename__ = "payment_events"

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SandboxIntent(Base):
    """What the sandbox's "provider" remembers; it stands for somebody else's database."""

    __tablename__ = "sandbox_intents"
    __table_args__ = (
        CheckConstraint(
            "0 <= refunded_cents AND refunded_cents <= captured_cents"
            " AND captured_cents <= amount_cents",
            name="amounts",
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    amount_cents: Mapped[int] = mapped_column(Integer)
    captured_cents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    refunded_cents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    charges: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class SandboxRefund(Base):
    """A refund of the sandbox, once per key."""

    __tablename__ = "sandbox_refunds"

    key: Mapped[str] = mapped_column(primary_key=True)
    intent_id: Mapped[str] = mapped_column(ForeignKey("sandbox_intents.id"))
    cents: Mapped[int] = mapped_column(Integer)

"""Accounts: who lists, who rents, who runs the marketplace."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of


class Role(StrEnum):
    """What an account may do beyond looking."""

    RENTER = "renter"
    HOST = "host"
    ADMIN = "admin"


class Tier(StrEnum):
    """How much of the API one may use; `public` is everybody without a token, never an account."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"
    PREMIUM = "premium"


ACCOUNT_TIERS = (Tier.AUTHENTICATED, Tier.PREMIUM)


class Account(Base):
    """A person or a business. Imported hosts carry where they came from in `source_key`.

    Whoever has an `email` can read it: no account gets one before that is shown (docs/adr/0029).
    Imported accounts have neither address nor password; those that only ever sign in by a provider
    have no password.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(one_of("role", Role), name="role"),
        CheckConstraint("tier IN ('authenticated', 'premium')", name="tier"),
        # With unique, this is case-insensitive: `accounts.addresses` writes one form of each.
        CheckConstraint("email = lower(email)", name="email"),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    display_name: Mapped[str]
    role: Mapped[str] = mapped_column(server_default=Role.RENTER)
    tier: Mapped[str] = mapped_column(server_default=Tier.AUTHENTICATED)
    email: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    source_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExternalIdentity(Base):
    """A person at an OpenID provider, known by issuer and subject, who signs in as an account."""

    __tablename__ = "external_identities"
    __table_args__ = (UniqueConstraint("account_id", "issuer"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SecondFactor(Base):
    """An account's authenticator: counts only once a first code has shown that it works.

    `last_counter` is the 30 s step of the last code that was taken: none is taken twice.
    """

    __tablename__ = "second_factors"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    encrypted_secret: Mapped[bytes]
    last_counter: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    locked_until: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RecoveryCode(Base):
    """One of the codes that stand in for a lost authenticator, each once: using it deletes it."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)

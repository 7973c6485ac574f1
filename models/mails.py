"""Mails that wait to be sent, and what the links in them lead to."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of


class MailKind(StrEnum):
    """What a mail says."""

    VERIFY_EMAIL = "verify-email"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - no password  # pragma: allowlist secret
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - no password  # pragma: allowlist secret
    SECOND_FACTOR_ON = "second-factor-on"
    SECOND_FACTOR_OFF = "second-factor-off"


class Registration(Base):
    """An account to be, until its address is verified. An address may have several.

    `token_hash` is of the token in the mail, and NULL until the mail is sent: the token itself is
    made then and kept nowhere.
    """

    __tablename__ = "registrations"
    __table_args__ = (Index(None, "expires_at"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str]
    display_name: Mapped[str]
    password_hash: Mapped[str]
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PasswordReset(Base):
    """A password that may be set anew, by whoever reads the mail; made when that is sent."""

    __tablename__ = "password_resets"
    __table_args__ = (Index(None, "account_id"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Mail(Base):
    """A mail to be sent: gone once the mail server has taken it, or when it has become pointless.

    Leased while a worker is at it; after a failure the lease is the time of the next attempt.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint(one_of("kind", MailKind), name="kind"),
        Index(None, "leased_until"),
        Index(None, "registration_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    recipient: Mapped[str]
    registration_id: Mapped[int | None] = mapped_column(
        ForeignKey("registrations.id", ondelete="CASCADE")
    )
    link_expires_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    leased_until: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

"""Sign-ins: families of refresh tokens, and what is under way at an OpenID provider."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class TokenFamily(Base):
    """One sign-in on one device: the chain of refresh tokens that came of it, revoked as one."""

    __tablename__ = "token_families"
    __table_args__ = (Index(None, "account_id"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RefreshToken(Base):
    """A link of a family's chain; the one without `used_at` is its end. Only its hash is kept."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "family_id"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("token_families.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ProviderFlow(Base):
    """A sign-in under way at a provider: what must match when the person comes back, once."""

    __tablename__ = "provider_flows"
    __table_args__ = (Index(None, "expires_at"),)

    flow_hash: Mapped[bytes] = mapped_column(primary_key=True)
    state_hash: Mapped[bytes]
    provider: Mapped[str]
    redirect_uri: Mapped[str]
    nonce: Mapped[str]
    code_verifier: Mapped[str]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

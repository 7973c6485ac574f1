"""Idempotency keys: which request of a client has been answered, and how."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class IdempotencyKey(Base):
    """A claim on a key, until `leased_until`; with a `status` it is answered, for 24 hours.

    Who takes an abandoned claim over raises `token`, and whoever had it before can no longer store
    an answer. `fingerprint` is a hash: what the request said is nobody's business here.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "created_at"),)

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    token: Mapped[int] = mapped_column(server_default=text("1"))
    leased_until: Mapped[datetime]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    body: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

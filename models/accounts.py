"""Accounts: who lists, who rents, who runs the marketplace."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Identity, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of


class Role(StrEnum):
    """What an account may do beyond looking."""

    RENTER = "renter"
    HOST = "host"
    ADMIN = "admin"


class Account(Base):
    """A person or a business. Imported hosts carry where they came from in `source_key`."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint(one_of("role", Role), name="role"),)

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    display_name: Mapped[str]
    role: Mapped[str] = mapped_column(server_default=Role.RENTER)
    source_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

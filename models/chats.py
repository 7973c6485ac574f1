"""Chats: what renter and host of a booking wrote to each other, in one order for both."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

LONGEST_MESSAGE = 2_000  # characters


class Chat(Base):
    """The head of a booking's chat: the number of its last message, and how far both have read.

    Whoever writes updates it first, and so holds its lock until the commit: numbers have no gaps
    and become visible in their order.
    """

    __tablename__ = "chats"

    booking_id: Mapped[int] = mapped_column(
        ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    last_id: Mapped[int] = mapped_column(server_default=text("0"))
    renter_read: Mapped[int] = mapped_column(server_default=text("0"))
    host_read: Mapped[int] = mapped_column(server_default=text("0"))


class Message(Base):
    """One message; `id` counts the booking's from 1. `client_id` is the sender's own."""

    __tablename__ = "messages"
    __table_args__ = (
        # A message that is sent again is stored once.
        UniqueConstraint("booking_id", "sender_id", "client_id"),
        CheckConstraint(f"char_length(body) BETWEEN 1 AND {LONGEST_MESSAGE}", name="body"),
    )

    booking_id: Mapped[int] = mapped_column(
        ForeignKey("chats.booking_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sender_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    client_id: Mapped[UUID]
    body: Mapped[str]
    # The transaction may have waited for the lock: its beginning would not be in the ids' order.
    sent_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

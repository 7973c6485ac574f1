"""Bookings: which days of a vehicle are taken, by whom, for how much, on which terms."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Identity, Index, Integer, func, text
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of
from models.vehicles import CancellationPolicy


class BookingStatus(StrEnum):
    """held → confirmed → active → completed; cancelled, expired and declined free the days."""

    HELD = "held"
    CONFIRMED = "confirmed"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DECLINED = "declined"


TAKES_DAYS = (BookingStatus.HELD, BookingStatus.CONFIRMED, BookingStatus.ACTIVE)
TAKES_DAYS_SQL = "status IN ('held', 'confirmed', 'active')"


class Booking(Base):
    """One rental of one vehicle over `during`, half-open: [pick-up day, return day).

    The exclusion constraint is what makes double booking impossible; everything else that checks
    availability only gives a better answer sooner. What the renter was promised is pinned here:
    the price with its `lines`, the policy, and whether the host has to agree. A `held` booking
    takes its days until `expires_at`, and then until somebody says that it is over: `now()` is
    allowed in no constraint.
    """

    __tablename__ = "bookings"
    __table_args__ = (
        ExcludeConstraint(
            ("vehicle_id", "="),
            ("during", "&&"),
            using="gist",
            where=text(TAKES_DAYS_SQL),
            name="no_double_booking",
        ),
        CheckConstraint(one_of("status", BookingStatus), name="status"),
        # NULL and empty ranges would slip through the exclusion constraint, unbounded ones block
        # a vehicle for ever.
        CheckConstraint(
            "NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)",
            name="during_bounded",
        ),
        CheckConstraint("total_cents >= 0", name="total"),
        CheckConstraint("status <> 'held' OR expires_at IS NOT NULL", name="held_until"),
        CheckConstraint(one_of("policy", CancellationPolicy), name="policy"),
        Index(None, "vehicle_id"),
        Index(None, "renter_id", "id"),
        # What the clock moves on, whatever else there is.
        Index("ix_bookings_expiring", "expires_at", postgresql_where=text("status = 'held'")),
        Index(
            "ix_bookings_beginning",
            text("lower(during)"),
            postgresql_where=text("status = 'confirmed'"),
        ),
        Index(
            "ix_bookings_ending", text("upper(during)"), postgresql_where=text("status = 'active'")
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicles.id"))
    renter_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    during: Mapped[Range[date]] = mapped_column(DATERANGE)
    status: Mapped[str] = mapped_column(server_default=BookingStatus.CONFIRMED)
    total_cents: Mapped[int] = mapped_column(Integer)
    currency: Mapped[str] = mapped_column(CHAR(3))
    # [[code, label, cents], …]; empty for bookings that were imported.
    lines: Mapped[list[list[Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    policy: Mapped[str] = mapped_column(server_default=CancellationPolicy.MODERATE)
    needs_approval: Mapped[bool] = mapped_column(server_default=text("false"))
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

"""Bookings: which days of a vehicle are taken, by whom, for how much."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Identity, Index, Integer, func, text
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of


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
    availability only gives a better answer sooner.
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
        Index(None, "vehicle_id"),
        Index(None, "renter_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicles.id"))
    renter_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    during: Mapped[Range[date]] = mapped_column(DATERANGE)
    status: Mapped[str] = mapped_column(server_default=BookingStatus.CONFIRMED)
    total_cents: Mapped[int] = mapped_column(Integer)
    currency: Mapped[str] = mapped_column(CHAR(3))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

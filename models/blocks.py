"""Calendar blocks: days that a host keeps for the host."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, func, text
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class CalendarBlock(Base):
    """Days of one vehicle that nobody can book, half-open like those of a booking.

    Triggers keep blocks and bookings apart (migrations/sql/calendar_blocks_0010.sql): an exclusion
    constraint cannot look into a second table.
    """

    __tablename__ = "calendar_blocks"
    __table_args__ = (
        ExcludeConstraint(
            ("vehicle_id", "="), ("during", "&&"), using="gist", name="no_day_blocked_twice"
        ),
        CheckConstraint(
            "NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)",
            name="during_bounded",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicles.id", ondelete="CASCADE"))
    during: Mapped[Range[date]] = mapped_column(DATERANGE)
    note: Mapped[str] = mapped_column(server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

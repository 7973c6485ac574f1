"""Reviews of vehicles."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Review(Base):
    """What somebody said about a vehicle; `rating` in hundredths, 100 to 500.

    One that was written here has the `booking_id` that it is about, and no other has the same.
    Those that an admin has hidden count nowhere and are shown to nobody but those they concern.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("source", "source_key"),
        CheckConstraint("rating BETWEEN 100 AND 500", name="rating"),
        CheckConstraint("(reply IS NULL) = (replied_at IS NULL)", name="reply"),
        CheckConstraint("num_nulls(hidden_at, hidden_by, hidden_reason) IN (0, 3)", name="hidden"),
        # Serves the newest-first listing and, index-only, the average in `vehicle_documents`.
        Index(None, "vehicle_id", "created_at", "id", postgresql_include=["rating", "hidden_at"]),
        Index("ix_reviews_hidden", "id", postgresql_where=text("hidden_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicles.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    source: Mapped[str] = mapped_column(server_default="app")
    source_key: Mapped[str | None]
    rating: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("bookings.id"), unique=True)
    reply: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    hidden_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    hidden_reason: Mapped[str | None]


class ReviewReport(Base):
    """That an account finds a review wrong; open until an admin has decided about the review."""

    __tablename__ = "review_reports"
    __table_args__ = (
        Index("ix_review_reports_open", "review_id", postgresql_where=text("decided_at IS NULL")),
    )

    review_id: Mapped[int] = mapped_column(
        ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]

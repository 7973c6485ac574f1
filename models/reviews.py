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
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Review(Base):
    """What somebody said about a vehicle; `rating` in hundredths, 100 to 500."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("source", "source_key"),
        CheckConstraint("rating BETWEEN 100 AND 500", name="rating"),
        # Serves the newest-first listing and, index-only, the average in `vehicle_documents`.
        Index(None, "vehicle_id", "created_at", "id", postgresql_include=["rating"]),
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

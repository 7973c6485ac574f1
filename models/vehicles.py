"""Vehicles, their features and photos."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Identity,
    Integer,
    Numeric,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of


class VehicleStatus(StrEnum):
    """Only a listed vehicle can be found or booked; archived ones are kept for their bookings."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    ARCHIVED = "archived"


class CancellationPolicy(StrEnum):
    """What of the price goes back when a renter cancels: bookings/policies.py has the days."""

    FLEXIBLE = "flexible"
    MODERATE = "moderate"
    STRICT = "strict"


class Vehicle(Base):
    """One car that a host rents out.

    Money is integer cents of `currency`, ratings are integer hundredths (492 is 4.92), positions
    are degrees. What a source does not say is NULL, never a guess: a listing may lack its model,
    year or place and is then found by what it does have.
    """

    __tablename__ = "vehicles"
    __table_args__ = (
        UniqueConstraint("source", "source_key"),
        CheckConstraint(one_of("status", VehicleStatus), name="status"),
        CheckConstraint(one_of("cancellation_policy", CancellationPolicy), name="policy"),
        CheckConstraint("btrim(make) <> ''", name="make_not_blank"),
        CheckConstraint("year BETWEEN 1900 AND 2100", name="year"),
        CheckConstraint("seats BETWEEN 1 AND 60", name="seats"),
        CheckConstraint("doors BETWEEN 1 AND 10", name="doors"),
        CheckConstraint("mileage_km >= 0", name="mileage"),
        CheckConstraint("daily_rate_cents BETWEEN 1 AND 10000000", name="daily_rate"),
        CheckConstraint("cleaning_fee_cents BETWEEN 0 AND 10000000", name="cleaning_fee"),
        CheckConstraint("weekly_discount_pct BETWEEN 0 AND 90", name="weekly_discount"),
        CheckConstraint("monthly_discount_pct BETWEEN 0 AND 90", name="monthly_discount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("min_days >= 1 AND max_days BETWEEN min_days AND 365", name="days"),
        CheckConstraint("notice_days BETWEEN 0 AND 90", name="notice"),
        CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="position"),
        CheckConstraint("(lat IS NULL) = (lon IS NULL)", name="position_whole"),
        # The index has no infinity: one would be refused there again and again.
        CheckConstraint("isfinite(listed_at)", name="listed_at"),
        CheckConstraint("imported_rating BETWEEN 100 AND 500", name="imported_rating"),
        CheckConstraint("imported_review_count >= 0 AND trips >= 0", name="imported_counts"),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    source: Mapped[str] = mapped_column(server_default="app")
    source_key: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=VehicleStatus.LISTED)

    make: Mapped[str]
    model: Mapped[str | None]
    year: Mapped[int | None] = mapped_column(SmallInteger)
    title: Mapped[str | None]
    description: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str | None]
    fuel: Mapped[str | None]
    transmission: Mapped[str | None]
    seats: Mapped[int | None] = mapped_column(SmallInteger)
    doors: Mapped[int | None] = mapped_column(SmallInteger)
    mileage_km: Mapped[int | None] = mapped_column(Integer)

    daily_rate_cents: Mapped[int] = mapped_column(Integer)
    currency: Mapped[str] = mapped_column(CHAR(3))
    weekly_discount_pct: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    monthly_discount_pct: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    cleaning_fee_cents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    min_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    max_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("365"))
    notice_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    instant_book: Mapped[bool] = mapped_column(server_default=text("true"))
    cancellation_policy: Mapped[str] = mapped_column(server_default=CancellationPolicy.MODERATE)

    lat: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    lon: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    city: Mapped[str | None]
    region: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(server_default="UTC")

    # What a source says about reviews that it does not hand over; ours are added to it.
    imported_rating: Mapped[int | None] = mapped_column(SmallInteger)
    imported_review_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    trips: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    listed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class VehicleFeature(Base):
    """One feature of one vehicle, in its display form: "Heated seats"."""

    __tablename__ = "vehicle_features"
    __table_args__ = (CheckConstraint("btrim(feature) <> ''", name="not_blank"),)

    vehicle_id: Mapped[int] = mapped_column(
        ForeignKey("vehicles.id", ondelete="CASCADE"), primary_key=True
    )
    feature: Mapped[str] = mapped_column(primary_key=True)


class Photo(Base):
    """A picture of a vehicle; position 0 is the cover."""

    __tablename__ = "photos"
    __table_args__ = (
        UniqueConstraint("vehicle_id", "position"),
        CheckConstraint("position >= 0", name="position"),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicles.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    url: Mapped[str]

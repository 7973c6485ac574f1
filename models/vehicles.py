"""Vehicles, their features and photos."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

# The least and the most of each number, for the CHECKs below and for whoever takes one in: what
# the API refuses and what PostgreSQL refuses is the same. Money is cents, positions are degrees.
BOUNDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "year": (1900, 2100),
        "seats": (1, 60),
        "doors": (1, 10),
        "mileage_km": (0, 2**31 - 1),
        "daily_rate_cents": (1, 10_000_000),
        "cleaning_fee_cents": (0, 10_000_000),
        "weekly_discount_pct": (0, 90),
        "monthly_discount_pct": (0, 90),
        "min_days": (1, 365),
        "max_days": (1, 365),
        "notice_days": (0, 90),
        "lat": (-90, 90),
        "lon": (-180, 180),
    }
)
CURRENCY = "^[A-Z]{3}$"


def _between(*columns: str) -> str:
    return " AND ".join(
        f"{column} BETWEEN {BOUNDS[column][0]} AND {BOUNDS[column][1]}" for column in columns
    )


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
        CheckConstraint(_between("year"), name="year"),
        CheckConstraint(_between("seats"), name="seats"),
        CheckConstraint(_between("doors"), name="doors"),
        CheckConstraint(_between("mileage_km"), name="mileage"),
        CheckConstraint(_between("daily_rate_cents"), name="daily_rate"),
        CheckConstraint(_between("cleaning_fee_cents"), name="cleaning_fee"),
        CheckConstraint(_between("weekly_discount_pct"), name="weekly_discount"),
        CheckConstraint(_between("monthly_discount_pct"), name="monthly_discount"),
        CheckConstraint(f"currency ~ '{CURRENCY}'", name="currency"),
        CheckConstraint(
            f"{_between('min_days', 'max_days')} AND min_days <= max_days", name="days"
        ),
        CheckConstraint(_between("notice_days"), name="notice"),
        CheckConstraint(_between("lat", "lon"), name="position"),
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
    """A picture of a vehicle that everybody may see; position 0 is the cover.

    `url` is an absolute address at a listing's source or, of a picture uploaded here, the key of
    its card-sized variant: the API puts `RIDES_MEDIA_URL` before it, so that moving the pictures
    to another address changes no row and no document.
    """

    __tablename__ = "photos"
    __table_args__ = (
        # Checked once a statement has ended, so that one UPDATE can put all into another order.
        UniqueConstraint("vehicle_id", "position", deferrable=True, initially="IMMEDIATE"),
        CheckConstraint("position >= 0", name="position"),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicles.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    url: Mapped[str]
    # Narrowest first: {key, width, height}, in pixels; empty of a picture that a source keeps.
    variants: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb")
    )


class UploadState(StrEnum):
    """pending → uploaded → published or refused; removed from wherever it is.

    Of a published one only the upload itself is left to remove: the photo is in `photos`.
    """

    PENDING = "pending"
    UPLOADED = "uploaded"
    PUBLISHED = "published"
    REFUSED = "refused"
    REMOVED = "removed"


class PhotoUpload(Base):
    """A photo that nobody can see: on its way in, refused, or with objects still to remove.

    Its id is that of the photo which it becomes. Apart from `photos`, whose triggers mark the
    vehicle for the search index with every write: nothing here changes what is found.
    """

    __tablename__ = "photo_uploads"
    __table_args__ = (
        CheckConstraint(one_of("state", UploadState), name="state"),
        CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("bytes > 0", name="bytes"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vehicle_id: Mapped[int] = mapped_column(
        ForeignKey("vehicles.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[str] = mapped_column(server_default=UploadState.PENDING)
    content_type: Mapped[str]
    bytes: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    leased_until: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())

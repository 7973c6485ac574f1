"""What an importer makes of a row: a listing or a review, in the marketplace's own words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One vehicle of one source; fields are columns of `vehicles`, with their units.

    `source_key` names it for good: the same key in a later file is the same vehicle. What a source
    does not say is None.
    """

    source: str
    source_key: str
    line: int
    host_key: str
    host_name: str
    make: str
    daily_rate_cents: int
    currency: str
    model: str | None = None
    year: int | None = None
    status: str = "listed"
    title: str | None = None
    description: str = ""
    body: str | None = None
    fuel: str | None = None
    transmission: str | None = None
    seats: int | None = None
    doors: int | None = None
    mileage_km: int | None = None
    weekly_discount_pct: int = 0
    monthly_discount_pct: int = 0
    lat: Decimal | None = None
    lon: Decimal | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    time_zone: str = "UTC"
    imported_rating: int | None = None
    imported_review_count: int = 0
    trips: int = 0
    listed_at: datetime | None = None
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedReview:
    """What an owner wrote about a kind of car; `about` is the source's name for it.

    `rating` is in hundredths, 100 to 500.
    """

    source: str
    source_key: str
    line: int
    about: str
    rating: int
    title: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """What a catalogue says of one variant of a model year; None where it does not say."""

    make: str
    model: str
    year: int
    transmission: str | None = None
    body: str | None = None
    seats: int | None = None

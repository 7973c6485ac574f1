"""The rows that the demo consists of: a field is a column, a field of `Batch` is a table.

Moments, days and ranges are text as PostgreSQL reads it: turning a datetime into text at the COPY
costs more than drawing everything else about a vehicle.
"""

from typing import NamedTuple


class AccountRow(NamedTuple):
    """A row of `accounts`."""

    id: int
    display_name: str
    role: str
    created_at: str


class VehicleRow(NamedTuple):
    """A row of `vehicles`. A new column is a field here and a value in `generate.py`."""

    id: int
    host_id: int
    source: str
    status: str
    make: str
    model: str
    year: int
    title: str | None
    description: str
    body: str
    fuel: str
    transmission: str
    seats: int
    doors: int
    mileage_km: int
    daily_rate_cents: int
    currency: str
    weekly_discount_pct: int
    monthly_discount_pct: int
    cleaning_fee_cents: int
    min_days: int
    max_days: int
    notice_days: int
    instant_book: bool
    lat: float
    lon: float
    city: str
    region: str
    country: str
    time_zone: str
    trips: int
    listed_at: str
    created_at: str


class FeatureRow(NamedTuple):
    """A row of `vehicle_features`."""

    vehicle_id: int
    feature: str


class ReviewRow(NamedTuple):
    """A row of `reviews`; its id is the table's to give."""

    vehicle_id: int
    account_id: int
    source: str
    rating: int
    title: str
    body: str
    created_at: str


class BookingRow(NamedTuple):
    """A row of `bookings`; its id is the table's to give. `during` is a range's text."""

    vehicle_id: int
    renter_id: int
    during: str
    status: str
    total_cents: int
    currency: str
    created_at: str
    updated_at: str
    expires_at: str | None


class Batch(NamedTuple):
    """Vehicles and everything that hangs on them, to be written in one transaction, in order."""

    vehicles: list[VehicleRow]
    vehicle_features: list[FeatureRow]
    reviews: list[ReviewRow]
    bookings: list[BookingRow]

"""Rows for tests, with defaults that make a vehicle searchable and bookable.

Each function inserts one row (a vehicle with its features and photos) and returns its id;
`overrides` are columns of the table.
"""

from datetime import UTC, date, datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.types.range import DateRange

VEHICLE: dict[str, Any] = {
    "make": "Toyota",
    "model": "RAV4",
    "year": 2021,
    "description": "Clean and ready for the island.",
    "body": "SUV",
    "fuel": "Petrol",
    "transmission": "Automatic",
    "seats": 5,
    "doors": 5,
    "daily_rate_cents": 5_000,
    "currency": "USD",
    "lat": 19.7074,
    "lon": -155.0885,
    "city": "Hilo",
    "region": "Hawaii",
    "country": "United States",
    "time_zone": "Pacific/Honolulu",
}


def insert(conn: Connection[Any], table: str, row: dict[str, Any]) -> int:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    stored = conn.execute(statement, list(row.values())).fetchone()
    assert stored is not None
    return int(stored[0])


def store_account(conn: Connection[Any], role: str = "renter", **overrides: Any) -> int:
    return insert(conn, "accounts", {"display_name": f"A {role}", "role": role} | overrides)


def store_vehicle(
    conn: Connection[Any],
    *,
    features: tuple[str, ...] | list[str] = (),
    photos: tuple[str, ...] | list[str] = (),
    **overrides: Any,
) -> int:
    """A listed 2021 Toyota RAV4 in Hilo at 50.00 USD a day, of a new host if none is given."""
    if "host_id" not in overrides:
        overrides["host_id"] = store_account(conn, "host")
    vehicle_id = insert(conn, "vehicles", VEHICLE | overrides)
    for feature in features:
        conn.execute("INSERT INTO vehicle_features VALUES (%s, %s)", (vehicle_id, feature))
    for position, url in enumerate(photos):
        insert(conn, "photos", {"vehicle_id": vehicle_id, "position": position, "url": url})
    return vehicle_id


def store_review(
    conn: Connection[Any], vehicle_id: int, rating: int = 500, **overrides: Any
) -> int:
    """A review of `rating` hundredths: 500 is five stars."""
    return insert(conn, "reviews", {"vehicle_id": vehicle_id, "rating": rating} | overrides)


def store_report(
    conn: Connection[Any], review_id: int, account_id: int, reason: str = "Spam."
) -> None:
    """That the account finds the review wrong."""
    row = (review_id, account_id, reason)
    conn.execute(
        "INSERT INTO review_reports (review_id, account_id, reason) VALUES (%s, %s, %s)", row
    )


def store_booking(
    conn: Connection[Any], vehicle_id: int, start: date, end: date, **overrides: Any
) -> int:
    """A confirmed booking over [start, end), by its own renter unless `renter_id` is given."""
    if "renter_id" not in overrides:
        overrides["renter_id"] = store_account(conn, "renter")
    row = {
        "vehicle_id": vehicle_id,
        "during": DateRange(start, end),
        "status": "confirmed",
        "total_cents": 5_000 * (end - start).days,
        "currency": "USD",
    }
    if overrides.get("status") == "held":
        row["expires_at"] = datetime(2030, 1, 1, tzinfo=UTC)
    return insert(conn, "bookings", row | overrides)


def store_block(conn: Connection[Any], vehicle_id: int, start: date, end: date) -> int:
    """A host's block of [start, end)."""
    return insert(
        conn, "calendar_blocks", {"vehicle_id": vehicle_id, "during": DateRange(start, end)}
    )

"""Batches of listings and reviews into PostgreSQL, so that a second time changes nothing.

A row that is already as the file has it is not updated, so no trigger marks its vehicle as dirty.
What an import owns is the listing as its source has it. It leaves alone what the marketplace adds:
status, fees and notice, what a catalogue filled, reviews and bookings.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from psycopg import Connection, sql

from listings.listing import ImportedReview, Listing
from listings.normalise import CAR, CAR_BODIES

# Columns that the source decides again on every import, with their types.
_OWNED = {
    "make": "text", "model": "text", "year": "smallint", "title": "text", "description": "text",
    "fuel": "text", "mileage_km": "integer", "daily_rate_cents": "integer", "currency": "text",
    "weekly_discount_pct": "smallint", "monthly_discount_pct": "smallint", "lat": "numeric",
    "lon": "numeric", "city": "text", "region": "text", "country": "text", "time_zone": "text",
    "imported_rating": "smallint", "imported_review_count": "integer", "trips": "integer",
}  # fmt: skip
# Columns that a catalogue may have filled since: a source that says nothing does not empty them.
_FILLED = {"transmission": "text", "seats": "smallint", "doors": "smallint"}
_ONCE = {"source": "text", "source_key": "text", "status": "text", "listed_at": "timestamptz"}
_COLUMNS = _ONCE | _OWNED | _FILLED | {"body": "text"}


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch; what is in neither was there already."""

    inserted: int
    changed: int


def _upsert() -> sql.Composed:
    """INSERT … ON CONFLICT DO UPDATE that touches only rows which differ."""
    merged: dict[str, sql.Composable] = {
        "host_id": sql.SQL("excluded.host_id"),
        "body": sql.SQL(
            "CASE WHEN coalesce(excluded.body, {car}) = {car} AND v.body = ANY({cars}) "
            "THEN v.body ELSE coalesce(excluded.body, v.body) END"
        ).format(car=sql.Literal(CAR), cars=sql.Literal(list(CAR_BODIES))),
    }
    for name in _OWNED:
        merged[name] = sql.SQL("excluded.{}").format(sql.Identifier(name))
    for name in _FILLED:
        merged[name] = sql.SQL("coalesce(excluded.{0}, v.{0})").format(sql.Identifier(name))
    comma = sql.SQL(", ")
    return sql.SQL(
        """
        INSERT INTO vehicles AS v (host_id, {columns})
        SELECT a.id, {values}
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(host_key text, {typed})
        JOIN accounts AS a ON a.source_key = r.host_key
        ORDER BY r.source_key
        ON CONFLICT (source, source_key) DO UPDATE SET {assignments}
        WHERE ({current}) IS DISTINCT FROM ({merged})
        RETURNING v.xmax = 0
        """
    ).format(
        columns=comma.join(map(sql.Identifier, _COLUMNS)),
        values=comma.join(
            sql.SQL("coalesce(r.listed_at, now())") if name == "listed_at"
            else sql.Identifier("r", name)
            for name in _COLUMNS
        ),
        typed=comma.join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in _COLUMNS.items()
        ),
        assignments=comma.join(
            sql.SQL("{} = {}").format(sql.Identifier(name), value)
            for name, value in merged.items()
        ),
        current=comma.join(sql.Identifier("v", name) for name in merged),
        merged=comma.join(merged.values()),
    )  # fmt: skip


_UPSERT = _upsert()


def store_listings(conn: Connection[Any], batch: Sequence[Listing]) -> Stored:
    """Write a batch of listings of one source, each key once, with their hosts and features."""
    if not batch:
        return Stored(0, 0)
    hosts = sorted({(listing.host_key, listing.host_name) for listing in batch})
    conn.execute(
        """
        INSERT INTO accounts (source_key, display_name, role)
        SELECT key, name, 'host' FROM unnest(%s::text[], %s::text[]) AS host(key, name)
        ON CONFLICT (source_key) DO NOTHING
        """,
        [[key for key, _ in hosts], [name for _, name in hosts]],
    )
    rows = orjson.dumps([asdict(listing) for listing in batch], default=str).decode()
    written = [new for (new,) in conn.execute(_UPSERT, {"rows": rows})]
    features = {"source": batch[0].source, "rows": rows}
    conn.execute(_FEATURES_GONE, features)
    conn.execute(_FEATURES_NEW, features)
    return Stored(inserted=sum(written), changed=len(written) - sum(written))


_FEATURES_GONE = """
    DELETE FROM vehicle_features AS f
    USING jsonb_to_recordset(%(rows)s::jsonb) AS r(source_key text, features text[]), vehicles AS v
    WHERE v.source = %(source)s AND v.source_key = r.source_key AND f.vehicle_id = v.id
        AND f.feature <> ALL (r.features)
"""
_FEATURES_NEW = """
    INSERT INTO vehicle_features (vehicle_id, feature)
    SELECT v.id, unnest(r.features)
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(source_key text, features text[])
    JOIN vehicles AS v ON v.source = %(source)s AND v.source_key = r.source_key
    ON CONFLICT DO NOTHING
"""


def store_reviews(conn: Connection[Any], batch: Sequence[tuple[ImportedReview, int]]) -> Stored:
    """Write a batch of reviews with the ids of their vehicles; one that is there stays as it is."""
    rows = [asdict(review) | {"vehicle_id": vehicle_id} for review, vehicle_id in batch]
    written = conn.execute(
        """
        INSERT INTO reviews (vehicle_id, source, source_key, rating, title, body, created_at)
        SELECT vehicle_id, source, source_key, rating, title, body, created_at
        FROM jsonb_to_recordset(%s::jsonb) AS r(
            vehicle_id bigint, source text, source_key text, rating smallint, title text,
            body text, created_at timestamptz
        )
        ON CONFLICT (source, source_key) DO NOTHING
        """,
        [orjson.dumps(rows).decode()],
    )
    return Stored(inserted=written.rowcount, changed=0)


class Seen:
    """The keys of the file being imported, in a temporary table: memory stays flat."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        conn.execute("CREATE TEMPORARY TABLE IF NOT EXISTS import_seen (key text PRIMARY KEY)")
        conn.execute("DELETE FROM import_seen")

    def first_of(self, keys: Sequence[str]) -> list[bool]:
        """For each of `keys`, whether it is the first time in this file."""
        rows = self._conn.execute(
            "INSERT INTO import_seen SELECT unnest(%s::text[]) "
            "ON CONFLICT DO NOTHING RETURNING key",
            [list(keys)],
        )
        new = {key for (key,) in rows}
        firsts = []
        for key in keys:
            firsts.append(key in new)
            new.discard(key)
        return firsts

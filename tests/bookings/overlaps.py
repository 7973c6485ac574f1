"""What must never be: two bookings of one vehicle that share a day."""

from typing import Any

from psycopg import Connection

_OVERLAPS = """
    SELECT count(*) FROM bookings AS a JOIN bookings AS b
        ON a.vehicle_id = b.vehicle_id AND a.id < b.id AND a.during && b.during
    WHERE a.status IN ('held', 'confirmed', 'active')
        AND b.status IN ('held', 'confirmed', 'active')
"""


def overlaps(conn: Connection[Any]) -> int:
    """How many pairs of bookings that take their days overlap."""
    row = conn.execute(_OVERLAPS).fetchone()
    assert row is not None
    return int(row[0])

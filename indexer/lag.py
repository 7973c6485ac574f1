"""From a change to its being searchable: measured by the drain itself, kept as a histogram.

The clock starts when the change is written to the dirty log, which is before its commit, and stops
when it has been searchable for a moment: so it can only err by being too long. Kept in PostgreSQL,
because every worker process adds to it and any other process may ask. docs/adr/0026
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.documents import Connection

# Seconds; those around the promise (0.4 at the median, 1.0 for 99 of 100) lie close together.
BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
KEPT = "1 day"
_DONE = """
    WITH gone AS (DELETE FROM search_dirty WHERE id = ANY(%(rows)s) RETURNING at),
    lag AS (
        SELECT greatest(extract(EPOCH FROM clock_timestamp() - at), 0)::float8 AS seconds FROM gone
    )
    INSERT INTO index_lag AS old (minute, bucket, changes, seconds)
    SELECT date_trunc('minute', statement_timestamp()),
        width_bucket(seconds, %(bounds)s::float8[]), count(*), sum(seconds)
    FROM lag GROUP BY 1, 2
    ORDER BY 2 -- in one order, so that workers never wait for each other in a circle
    ON CONFLICT (minute, bucket) DO UPDATE
    SET changes = old.changes + excluded.changes, seconds = old.seconds + excluded.seconds
"""
_ADD_UP = f"""
    WITH old AS (
        DELETE FROM index_lag
        WHERE minute < now() - interval '{KEPT}' AND minute > 'epoch'
        RETURNING bucket, changes, seconds
    )
    INSERT INTO index_lag AS total (minute, bucket, changes, seconds)
    SELECT 'epoch', bucket, sum(changes), sum(seconds) FROM old GROUP BY bucket ORDER BY bucket
    ON CONFLICT (minute, bucket) DO UPDATE
    SET changes = total.changes + excluded.changes, seconds = total.seconds + excluded.seconds
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Lag:
    """Changes by how long they took: `counts[n]` below `BOUNDS[n]`, the last one above all."""

    counts: Sequence[int]
    seconds: float

    @property
    def changes(self) -> int:
        """All of them."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Seconds within which `share` of the changes were searchable, straight within a bucket.

        None: there were no changes. Never more than the highest bound.
        """
        wanted = share * self.changes
        if not self.changes:
            return None
        seen = 0
        for count, low, high in zip(self.counts, (0.0, *BOUNDS), BOUNDS, strict=False):
            if seen + count >= wanted and count:
                return low + (high - low) * (wanted - seen) / count
            seen += count
        return BOUNDS[-1]


def done(connection: Connection, rows: Collection[int]) -> None:
    """Delete rows of the dirty log that are searchable, and count how long they took."""
    connection.execute(_DONE, {"rows": list(rows), "bounds": list(BOUNDS)})


def measured(connection: Connection, minutes: int | None = None) -> Lag:
    """The lag of all changes, or of those in the last `minutes` whole minutes and this one."""
    rows = connection.execute(
        "SELECT bucket, sum(changes), sum(seconds) FROM index_lag"
        " WHERE %(minutes)s::int IS NULL OR"
        " minute >= date_trunc('minute', now()) - make_interval(mins => %(minutes)s)"
        " GROUP BY bucket",
        {"minutes": minutes},
    ).fetchall()
    counts: list[int] = [0] * (len(BOUNDS) + 1)
    for bucket, changes, _ in rows:
        counts[bucket] = int(changes)
    return Lag(counts, float(sum(row[2] for row in rows)))


def tidy(connection: Connection) -> None:
    """Add up what is older than a day, so that the table stays small and its sums only grow."""
    connection.execute(_ADD_UP)


def percentiles(lag: Lag) -> dict[str, Any]:
    """What status and watch show: seconds, None without changes."""
    return {
        "changes": lag.changes,
        "p50_s": _rounded(lag.quantile(0.5)),
        "p99_s": _rounded(lag.quantile(0.99)),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)

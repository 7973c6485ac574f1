"""Local medians of the daily rate: what "cheap for what it is, and where" is measured by.

A document says how its price stands to the median of its body style in its region, or country where
too few are listed. The medians are a table that moves only here, nightly and before a reindex:
else every listing would make its neighbours' documents stale. Those that a new median changes go
through the dirty log like any other change.
"""

from dataclasses import dataclass
from typing import Any

from indexer.documents import Connection

LEAST_LISTINGS = 10  # fewer say nothing about a usual price
TOLERANCE_PCT = 2  # a median that moved by no more stays: a night must not rewrite the index
_LOCK = 0x6D656469  # "medi": one recomputation at a time per database

_RECOMPUTE = """
    WITH found AS (
        SELECT currency, country, body, coalesce(region, '') AS region,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY daily_rate_cents) AS median,
            count(*) AS listings
        FROM vehicles
        WHERE status = 'listed' AND country IS NOT NULL AND body IS NOT NULL
        GROUP BY GROUPING SETS ((currency, country, body, region), (currency, country, body))
        HAVING count(*) >= %(least)s AND (grouping(region) = 1 OR region <> '')
    ), gone AS (
        DELETE FROM price_medians AS m WHERE NOT EXISTS (
            SELECT FROM found AS f
            WHERE (f.currency, f.country, f.body, f.region)
                = (m.currency, m.country, m.body, m.region)
        ) RETURNING currency, country, body, region
    ), moved AS (
        INSERT INTO price_medians AS old (currency, country, body, region, median, listings)
        SELECT currency, country, body, region, median, listings FROM found
        ON CONFLICT (currency, country, body, region) DO UPDATE
        SET median = excluded.median, listings = excluded.listings, at = now()
        WHERE abs(excluded.median - old.median) * 100::bigint > old.median * %(tolerance)s::bigint
        RETURNING currency, country, body, region
    ), changed AS (
        SELECT * FROM gone UNION ALL SELECT * FROM moved
    ), dirty AS (
        INSERT INTO search_dirty (vehicle_id)
        SELECT v.id FROM vehicles AS v
        WHERE v.status = 'listed' AND EXISTS (
            SELECT FROM changed AS c
            WHERE c.currency = v.currency AND c.country = v.country AND c.body = v.body
                -- The country's is used only where the region had none.
                AND (c.region = v.region OR c.region = '' AND NOT EXISTS (
                    SELECT FROM price_medians AS m
                    WHERE m.currency = v.currency AND m.country = v.country AND m.body = v.body
                        AND m.region = v.region
                ))
        ) RETURNING 1
    )
    SELECT (SELECT count(*) FROM found), (SELECT count(*) FROM changed),
        (SELECT count(*) FROM dirty)
"""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a recomputation did: medians there are, those that changed, vehicles marked dirty."""

    medians: int
    changed: int
    vehicles: int


def recompute(connection: Connection) -> Recomputed:
    """Take today's medians over and mark what they change dirty, in one transaction.

    A median over an even number of listings is the lower one of the two in the middle.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        given = {"least": LEAST_LISTINGS, "tolerance": TOLERANCE_PCT}
        row: Any = connection.execute(_RECOMPUTE, given).fetchone()
    return Recomputed(*row)

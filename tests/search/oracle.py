"""What a search must answer, computed by SQL from the rows: written apart from the query builder.

Distances by haversine on a sphere of Elasticsearch's radius; free days from the bookings.
"""

from typing import Any

from psycopg import Connection

EQUALS = ("make", "model", "body", "fuel", "transmission", "city", "region", "country")
FACETS = (*EQUALS, "features")
DISTANCE_M = """
    2 * 6371008.7714 * asin(sqrt(
        sin(radians((location->>'lat')::float8 - %(lat)s) / 2) ^ 2
        + cos(radians(%(lat)s)) * cos(radians((location->>'lat')::float8))
        * sin(radians((location->>'lon')::float8 - %(lon)s) / 2) ^ 2
    ))
"""
# Of every order but relevance, which is a score.
ORDER = {
    "price": "daily_rate, id",
    "-price": "daily_rate DESC, id",
    "rating": "rating DESC NULLS LAST, id",
    "newest": "listed_at DESC, id",
    "distance": f"{DISTANCE_M} NULLS LAST, id",
}


def conditions(asked: dict[str, Any]) -> dict[str, str]:
    """By parameter, the SQL that must hold."""
    found: dict[str, str] = {}
    for name in EQUALS:
        if name in asked:
            found[name] = f"lower({name}) = ANY(SELECT lower(unnest(%({name})s::text[])))"
    if "features" in asked:
        found["features"] = "features @> %(features)s::text[]"
    if "lat" in asked and "radiusKm" in asked:
        found["radius"] = f"{DISTANCE_M} <= %(radiusKm)s * 1000"
    if "start" in asked:
        found["dates"] = """
            min_days <= %(end)s::date - %(start)s::date
            AND max_days >= %(end)s::date - %(start)s::date
            AND NOT EXISTS (
                SELECT FROM bookings b WHERE b.vehicle_id = d.id
                AND b.status IN ('held', 'confirmed', 'active')
                AND b.during && daterange(%(start)s, %(end)s)
            )"""
    bounds = {
        "yearMin": "year >= %(yearMin)s",
        "yearMax": "year <= %(yearMax)s",
        "seatsMin": "seats >= %(seatsMin)s",
        "ratingMin": "rating >= round(%(ratingMin)s * 100)",
        "instantBook": "instant_book = %(instantBook)s",
    }
    found |= {name: sql for name, sql in bounds.items() if name in asked}
    price = [
        f"daily_rate {sign} %({name})s"
        for name, sign in (("priceMin", ">="), ("priceMax", "<="))
        if name in asked
    ]
    if price:
        found["price"] = " AND ".join(price)
    return found


def query(conn: Connection[Any], select: str, where: list[str], asked: dict[str, Any]) -> list[Any]:
    clauses = " AND ".join(f"({clause})" for clause in where) or "true"
    sql = (
        f"WITH d AS (SELECT * FROM vehicle_documents) {select.replace('WHERE', f'WHERE {clauses}')}"
    )
    return conn.execute(sql, asked).fetchall()


def ids(conn: Connection[Any], asked: dict[str, Any], sort: str) -> list[int]:
    """The vehicles found, in order."""
    select = f"SELECT id FROM d WHERE ORDER BY {ORDER[sort]}"
    return [row[0] for row in query(conn, select, list(conditions(asked).values()), asked)]


def facet(conn: Connection[Any], asked: dict[str, Any], name: str) -> dict[str, int]:
    """All values of a facet and their counts; its own filter is left out unless all must match."""
    clauses = [sql for each, sql in conditions(asked).items() if each != name or each == "features"]
    column = "unnest(features)" if name == "features" else name
    select = (
        f"SELECT value, count(*) FROM (SELECT {column} AS value FROM d WHERE) AS counted"
        " GROUP BY value"
    )
    return {value: n for value, n in query(conn, select, clauses, asked) if value is not None}


def prices(conn: Connection[Any], asked: dict[str, Any]) -> list[int]:
    """The prices that the histogram shows: all filters but the price's own."""
    clauses = [sql for each, sql in conditions(asked).items() if each != "price"]
    return [row[0] for row in query(conn, "SELECT daily_rate FROM d WHERE", clauses, asked)]

"""A map's cells as SQL, in the shape of Elasticsearch's grid: one reader makes both an answer."""

from search.clusters import MOST_CELLS
from search.postgres.columns import LAT, LON

# The projection ends before the poles; what lies beyond belongs to the outermost rows.
_NORTHERNMOST = 89.9


def columns(price: str) -> list[str]:
    """What `grid` needs of every vehicle that is found; `price` is the expression of prices."""
    return [f"{LAT} AS lat", f"{LON} AS lon", f"{price} AS price"]


def grid(precision: int) -> str:
    """The cells of `found` as JSON, most vehicles first, ties as Elasticsearch has them.

    A cell is a map tile: Web Mercator, and its axes cut into 2 to the power of `precision`.
    """
    side = 1 << precision
    order = "n DESC, x DESC, y DESC"
    sine = f"sin(radians(greatest(least(lat, {_NORTHERNMOST}), -{_NORTHERNMOST})))"
    x = f"(lon + 180) / 360 * {side}"
    y = f"(0.5 - ln((1 + {sine}) / (1 - {sine})) / (4 * pi())) * {side}"
    column, row = (f"greatest(least(floor({axis}), {side - 1}), 0)::integer" for axis in (x, y))
    return f"""(
        SELECT jsonb_build_object('buckets', coalesce(jsonb_agg(cell ORDER BY {order}), '[]'))
        FROM (
            SELECT x, y, count(*) AS n, jsonb_build_object(
                'key', '{precision}/' || x || '/' || y,
                'doc_count', count(*),
                'centroid', jsonb_build_object('location', {_point("avg", "avg")}),
                'bounds', jsonb_build_object('bounds', jsonb_build_object(
                    'top_left', {_point("max", "min")}, 'bottom_right', {_point("min", "max")}
                )),
                'cheapest', jsonb_build_object('value', min(price))
            ) AS cell
            FROM (SELECT lat, lon, price, {column} AS x, {row} AS y FROM found) AS placed
            GROUP BY x, y ORDER BY {order} LIMIT {MOST_CELLS}
        ) AS cells
    )"""  # noqa: S608 - numbers and names of our own


def _point(lat: str, lon: str) -> str:
    return f"jsonb_build_object('lat', {lat}(lat), 'lon', {lon}(lon))"

"""What must hold of every hit, as SQL: the same clauses as `search/query/filters.py`."""

from datetime import datetime
from math import degrees

from search.fields import BY_NAME, DISTANCE, PRICE, Match
from search.page import EARTH_RADIUS_KM
from search.postgres import columns, text
from search.postgres.parameters import Parameters
from search.query.notice import zones_by_date
from search.request import Box, Dates, Near, SearchRequest

_RADIUS_M = EARTH_RADIUS_KM * 1000


def folded(expression: str) -> str:
    """An expression in lower case, the same on every machine."""
    return f"lower({expression} COLLATE pg_c_utf8)"


def always(request: SearchRequest, into: Parameters) -> list[str]:
    """The clauses that no facet sets aside: text, place, dates, all-of filters."""
    clauses = ["NOT hidden"]
    if request.text:
        clauses.append(text.condition(request.text, into))
    if request.near and request.near.radius_km:
        clauses += within(request.near, request.near.radius_km, into)
    if request.box:
        clauses += _inside(request.box, into)
    if request.dates:
        clauses += _free(request.dates, request.now, into)
    clauses += [f"{name} = {into.add(value, 'boolean')}" for name, value in request.flags.items()]
    for name, values in request.filters.items():
        if BY_NAME[name].match is Match.ALL:
            clauses.append(f"{_folded_all(name)} @> {keys(values, into)}")
    for name, ends in request.ranges.items():
        if name != "daily_rate":
            clauses.append(between(name, ends, into))
    return clauses


def selected(request: SearchRequest, into: Parameters) -> dict[str, str]:
    """By facet, the filters of which any value may match; a facet's counts leave out its own."""
    clauses = {
        name: f"{folded(name)} = ANY({keys(values, into)})"
        for name, values in request.filters.items()
        if BY_NAME[name].match is Match.ANY
    }
    if "daily_rate" in request.ranges:
        clauses[PRICE] = between(price(request), request.ranges["daily_rate"], into)
    return clauses


def price(request: SearchRequest) -> str:
    """What prices mean: of a day, or of all the asked days."""
    name, _, days = request.price_field.partition(".")
    return columns.total(int(days)) if days else name


def distance_m(near: Near, into: Parameters) -> str:
    """Metres from the point by haversine; NULL for a vehicle without a position."""
    lat, lon = into.add(near.lat, "float8"), into.add(near.lon, "float8")
    return f"""
        2 * {_RADIUS_M} * asin(sqrt(least(1,
            sin(radians(lat - {lat}) / 2) ^ 2
            + cos(radians({lat})) * cos(radians(lat)) * sin(radians(lon - {lon}) / 2) ^ 2
        )))
    """


def keys(values: tuple[str, ...], into: Parameters) -> str:
    """The values as an array in lower case."""
    return _folded_all(into.add(list(values), "text[]"))


def _folded_all(array: str) -> str:
    return f"ARRAY(SELECT {folded('one')} FROM unnest({array}) AS one)"  # noqa: S608 - our own names


def between(expression: str, ends: tuple[int | None, int | None], into: Parameters) -> str:
    """Values from one end to the other, both included; None leaves an end open."""
    clauses = [
        f"{expression} {sign} {into.add(end, 'bigint')}"
        for sign, end in zip((">=", "<="), ends, strict=True)
        if end is not None
    ]
    return f"({' AND '.join(clauses)})"


def within(near: Near, radius_km: float, into: Parameters) -> list[str]:
    """Places within so many kilometres of the point."""
    # The belt is what the index can find; a little wider, so that the sphere alone decides.
    belt = degrees(radius_km / EARTH_RADIUS_KM) * 1.001 + 1e-6
    south, north = (into.add(near.lat + way * belt, "float8") for way in (-1, 1))
    return [
        f"lat BETWEEN {south} AND {north}",
        f"{distance_m(near, into)} <= {into.add(radius_km * 1000, 'float8')}",
    ]


def _inside(box: Box, into: Parameters) -> list[str]:
    west, east = into.add(box.west, "float8"), into.add(box.east, "float8")
    across = "OR" if box.west > box.east else "AND"  # spans the 180th meridian
    return [
        f"lat BETWEEN {into.add(box.south, 'float8')} AND {into.add(box.north, 'float8')}",
        f"(lon >= {west} {across} lon <= {east})",
    ]


def _free(dates: Dates, now: datetime | None, into: Parameters) -> list[str]:
    days = into.add(dates.days, "integer")
    # Without `now`, notice does not matter.
    today = _today(now, into) if now else None
    windows = []
    for each in dates.starts:
        start = into.add(each, "date")
        in_time = f" AND {start} - {today} >= notice_days" if today else ""
        windows.append(f"(free @> daterange({start}, {start} + {days}){in_time})")
    return [f"({' OR '.join(windows)})", f"min_days <= {days}", f"max_days >= {days}"]


def _today(now: datetime, into: Parameters) -> str:
    """The date where the vehicle stands, by the same table of zones as in Elasticsearch."""
    zones = zones_by_date(now)
    usual = max(zones, key=lambda today: len(zones[today]))
    named = " ".join(
        f"WHEN time_zone = ANY({into.add(list(names), 'text[]')}) THEN {into.add(today, 'date')}"
        for today, names in zones.items()
        if today != usual
    )
    return f"(CASE {named} ELSE {into.add(usual, 'date')} END)"


def sorts_by_distance(request: SearchRequest) -> bool:
    """Whether the order is by distance from the asked point."""
    return request.sort == DISTANCE and request.near is not None

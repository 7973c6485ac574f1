"""What must hold of every hit, as SQL: the same clauses as `search/query/filters.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import asin, cos, degrees, floor, radians, sin

from search.fields import BY_NAME, DISTANCE, PRICE, Match
from search.page import EARTH_RADIUS_KM
from search.postgres import columns, text
from search.postgres.columns import LAT, LAT_STEP, LON, LON_STEP, folded
from search.postgres.parameters import Parameters
from search.query.notice import zones_by_date
from search.request import Box, Dates, Near, SearchRequest

_RADIUS_M = EARTH_RADIUS_KM * 1000


@dataclass(frozen=True, slots=True)
class Matching:
    """What a request asks for, for any statement that counts, groups or lists it.

    `source` stands after FROM; `always` are the clauses that no facet sets aside; `chosen` those of
    which any value may match, by facet: a facet's counts leave out its own.
    """

    source: str
    always: tuple[str, ...]
    chosen: Mapping[str, str]

    def where(self, but: str = "") -> str:
        """All clauses, but the one of the named facet."""
        others = [clause for name, clause in self.chosen.items() if name != but]
        return " AND ".join([*self.always, *others])


def matching(request: SearchRequest, into: Parameters) -> Matching:
    """The FROM and WHERE of a request; its values go `into` the statement's parameters."""
    words = f" JOIN {columns.TEXTS} USING (id)" if request.text else ""
    return Matching(columns.TABLE + words, tuple(_always(request, into)), _chosen(request, into))


def _always(request: SearchRequest, into: Parameters) -> list[str]:
    """Visibility, text, place, dates, all-of filters."""
    clauses = ["NOT hidden"]
    if request.text:
        clauses.append(text.condition(request, into))
    if request.near and request.near.radius_km:
        clauses += within(request.near, request.near.radius_km, into)
    if request.box:
        clauses.append(_in_box(request.box, into))
    if request.dates:
        clauses += _free(request.dates, request.now, into)
    clauses += [f"{name} = {into.add(value, 'boolean')}" for name, value in request.flags.items()]
    for name, values in request.filters.items():
        if BY_NAME[name].match is Match.ALL:
            clauses += [f"{name} && {codes(name, (value,), into)}" for value in values]
    for name, ends in request.ranges.items():
        if name != "daily_rate":
            clauses.append(between(name, ends, into))
    return clauses


def _chosen(request: SearchRequest, into: Parameters) -> dict[str, str]:
    clauses = {
        name: f"{name} = ANY({codes(name, values, into)})"
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
        '{2 * _RADIUS_M!r}'::float8 * asin(sqrt(least(1,
            sin(radians({LAT} - {lat}) / 2) ^ 2
            + cos(radians({lat})) * cos(radians({LAT})) * sin(radians({LON} - {lon}) / 2) ^ 2
        )))
    """


def keys(values: tuple[str, ...], into: Parameters) -> str:
    """The values as an array in lower case."""
    given = into.add(list(values), "text[]")
    return f"ARRAY(SELECT {folded('one')} FROM unnest({given}) AS one)"  # noqa: S608 - our own names


def codes(name: str, values: tuple[str, ...], into: Parameters) -> str:
    """The codes of all values that are the same in lower case as one of these."""
    return columns.codes(name, f"folded = ANY({keys(values, into)})")


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
    # The boxes are what the index can find; a little wider, so that the sphere alone decides.
    angle = radius_km / EARTH_RADIUS_KM * 1.001 + 1e-8
    south, north = (near.lat + way * degrees(angle) for way in (-1, 1))
    west, east = -180.0, 180.0
    if south > -90 and north < 90:  # noqa: PLR2004 - else it holds a pole, and every meridian
        half = degrees(asin(min(1.0, sin(angle) / cos(radians(near.lat))))) + 1e-6
        west, east = (((near.lon + way * half) + 180) % 360 - 180 for way in (-1, 1))
    return [
        _in_box(Box(west=west, south=south, east=east, north=north), into),
        f"{distance_m(near, into)} <= {into.add(radius_km * 1000, 'float8')}",
    ]


def _in_box(box: Box, into: Parameters) -> str:
    """In the box, its edges included; two boxes where it spans the 180th meridian.

    Positions are rounded down, and so are its lower edges: else a vehicle would lie outside a box
    that begins at the very position which its item shows.
    """
    low_west = floor(box.west / LON_STEP) * LON_STEP
    spans = [(low_west, box.east)]
    if box.west > box.east:
        spans = [(low_west, 180.0), (-180.0, box.east)]
    south = into.add(floor(box.south / LAT_STEP) * LAT_STEP, "float8")
    north = into.add(box.north, "float8")
    boxes = []
    for each in spans:
        west, east = (into.add(lon, "float8") for lon in each)
        boxes.append(f"location <@ box(point({west}, {south}), point({east}, {north}))")
    return f"({' OR '.join(boxes)})"


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
        f"WHEN time_zone = ANY({_zones(names, into)}) THEN {into.add(today, 'date')}"
        for today, names in zones.items()
        if today != usual
    )
    return f"(CASE {named} ELSE {into.add(usual, 'date')} END)"


def _zones(names: tuple[str, ...], into: Parameters) -> str:
    return columns.codes("time_zone", f"value = ANY({into.add(list(names), 'text[]')})")


def sorts_by_distance(request: SearchRequest) -> bool:
    """Whether the order is by distance from the asked point."""
    return request.sort == DISTANCE and request.near is not None

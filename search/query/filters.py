"""What must hold of every hit, one clause per concern."""

from datetime import date, datetime, timedelta
from typing import Any

from search.fields import BY_NAME, PRICE, Match
from search.query import notice
from search.request import Box, Dates, Near, SearchRequest

Clause = dict[str, Any]

# Outermost in every query; nothing is ever ORed around it.
VISIBLE: Clause = {"bool": {"must_not": {"term": {"hidden": True}}}}


def always(request: SearchRequest) -> list[Clause]:
    """The clauses that no facet sets aside: text's companions, place, dates, all-of filters."""
    clauses = [VISIBLE]
    if request.near and request.near.radius_km:
        clauses.append(within(request.near))
    if request.box:
        clauses.append(_inside(request.box))
    if request.dates:
        clauses += _free(request.dates, request.now)
    clauses += [{"term": {name: value}} for name, value in request.flags.items()]
    for name, values in request.filters.items():
        if BY_NAME[name].match is Match.ALL:
            clauses += [{"term": {f"{name}.key": value}} for value in values]
    clauses += [
        between(name, ends) for name, ends in request.ranges.items() if name != "daily_rate"
    ]
    return clauses


def selected(request: SearchRequest) -> dict[str, Clause]:
    """By facet, the filters of which any value may match; a facet's counts leave out its own."""
    clauses: dict[str, Clause] = {
        name: {"terms": {f"{name}.key": list(values)}}
        for name, values in request.filters.items()
        if BY_NAME[name].match is Match.ANY
    }
    if "daily_rate" in request.ranges:
        clauses[PRICE] = between(request.price_field, request.ranges["daily_rate"])
    return clauses


def between(name: str, ends: tuple[int | None, int | None]) -> Clause:
    """Values of a field from one end to the other, both included; None leaves an end open."""
    low, high = ends
    asked = {"gte": low, "lte": high}
    return {"range": {name: {end: value for end, value in asked.items() if value is not None}}}


def within(near: Near) -> Clause:
    """Places within the radius of a point."""
    return {
        "geo_distance": {
            "distance": f"{near.radius_km}km",
            "location": {"lat": near.lat, "lon": near.lon},
        }
    }


def _inside(box: Box) -> Clause:
    corners = {"top": box.north, "bottom": box.south, "left": box.west, "right": box.east}
    return {"geo_bounding_box": {"location": corners}}


def _free(dates: Dates, now: datetime | None) -> list[Clause]:
    length = timedelta(days=dates.days)
    windows = {start: _contains(start, start + length) for start in dates.starts}
    return [
        *notice.kept(windows, now),
        {"range": {"min_days": {"lte": dates.days}}},
        {"range": {"max_days": {"gte": dates.days}}},
    ]


def _contains(start: date, end: date) -> Clause:
    days = {"gte": start.isoformat(), "lt": end.isoformat(), "relation": "contains"}
    return {"range": {"free": days}}

"""What was understood, laid over what was asked for explicitly: explicit wins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from math import cos, radians
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from search.fields import FIELDS, Match
from search.request import Box, Dates, Near, SearchRequest
from search.understand.reader import rest
from search.understand.reading import Reading

_KM_OF_A_DEGREE = 111.195  # of latitude, on a sphere of the mean radius
_FACETS = MappingProxyType({field.name: field for field in FIELDS if field.match})
_BOUNDED = tuple((field.name, field.bounds) for field in FIELDS if field.bounds)
_NO_END = (None, None)


def apply(
    request: SearchRequest, readings: Sequence[Reading]
) -> tuple[SearchRequest, tuple[bool, ...]]:
    """The request with the readings as filters and the remaining text; which were applied.

    The words of a reading that an explicit parameter overrules leave the text all the same.
    """
    if not readings or request.text is None:
        return request, ()
    asked = request
    dates = None if asked.dates else _dates(readings, asked.half_dates)
    request = replace(request, text=rest(request.text, readings))
    if dates:
        request = replace(request, dates=dates, half_dates={})
    applied = []
    for reading in readings:
        if reading.kind == "dates":
            own = reading.parameters.keys() - asked.half_dates.keys()
            applied.append(dates is not None and bool(own))
            continue
        changed = _with(request, asked, reading)
        applied.append(changed is not None)
        request = changed or request
    return request, tuple(applied)


def _with(request: SearchRequest, asked: SearchRequest, reading: Reading) -> SearchRequest | None:
    """The request narrowed by one reading; None where an explicit parameter overrules it.

    Other places narrow as well: a region that is chosen beside a city in the text counts what is
    in both, as its facet says.
    """
    said = reading.parameters
    if not said:
        return None  # it is denied
    if reading.kind == "place" and _has_place(asked):
        return None
    if "radiusKm" in said:
        if (request.near and request.near.radius_km) or request.box:
            return None  # one point to be near to is as many as there can be
        if request.near:  # distances are from the point that was sent
            return replace(request, box=_square(said["lat"], said["lon"], said["radiusKm"]))
        return replace(request, near=Near(said["lat"], said["lon"], said["radiusKm"]))
    filters = _filters(request, asked, said)
    ranges = _narrowed(request, asked, said)
    if filters is None or ranges is None:
        return None
    near = request.near
    if "lat" in said and near is None:
        near = Near(said["lat"], said["lon"])
    basis = said.get("priceBasis", request.price_basis)
    return replace(request, filters=filters, ranges=ranges, near=near, price_basis=basis)


def _filters(
    request: SearchRequest, asked: SearchRequest, said: Mapping[str, Any]
) -> dict[str, tuple[str, ...]] | None:
    filters = dict(request.filters)
    for name in said.keys() & _FACETS.keys():
        if name in asked.filters and _FACETS[name].match is Match.ANY:
            return None
        together = (*filters.get(name, ()), *said[name])
        filters[name] = tuple({value.lower(): value for value in together}.values())
    return filters


def _narrowed(
    request: SearchRequest, asked: SearchRequest, said: Mapping[str, Any]
) -> dict[str, tuple[int | None, int | None]] | None:
    ranges = dict(request.ranges)
    for name, low, high in _ranges(said):
        if name == "daily_rate" and _other_basis(request, said):
            return None
        known = ranges.get(name, _NO_END)
        ends = (low if known[0] is None else known[0], high if known[1] is None else known[1])
        if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
            return None
        if ends == asked.ranges.get(name):
            return None  # both ends are sent, or the one that is said
        ranges[name] = ends
    return ranges


def _other_basis(request: SearchRequest, said: Mapping[str, Any]) -> bool:
    """Whether what prices mean is settled already, as something else than what is read."""
    basis = said.get("priceBasis", "day")
    settled = "daily_rate" in request.ranges or request.price_basis == "total"
    return settled and basis != request.price_basis


def _has_place(asked: SearchRequest) -> bool:
    """Whether a map section or a circle is asked for; a point alone is only measured from."""
    around = asked.near is not None and asked.near.radius_km is not None
    return around or asked.box is not None


def _square(lat: float, lon: float, radius_km: float) -> Box:
    """The map section that just holds a circle."""
    high = radius_km / _KM_OF_A_DEGREE
    wide = high / max(cos(radians(lat)), high / 180)
    west, east = lon - wide, lon + wide
    if wide >= 180:  # noqa: PLR2004 - degrees: all the way round a pole
        west, east = -180.0, 180.0
    return Box(
        west + 360 if west < -180 else west,  # noqa: PLR2004 - degrees
        max(lat - high, -90.0),
        east - 360 if east > 180 else east,  # noqa: PLR2004 - degrees
        min(lat + high, 90.0),
    )


def _ranges(said: Mapping[str, Any]) -> Iterator[tuple[str, int | None, int | None]]:
    for name, bounds in _BOUNDED:
        ends = [said.get(f"{bounds.parameter}{end}") for end in ("Min", "Max")]
        low, high = (None if end is None else round(end * bounds.scale) for end in ends)
        if low is not None or high is not None:
            yield name, low, high


def _dates(readings: Sequence[Reading], sent: Mapping[str, Any]) -> Dates | None:
    """The stay, where both its ends are known, or its month and length; with what was `sent` of it.

    None also where that says something else than the text: a month, of which that names days.
    """
    said: dict[str, Any] = {}
    for reading in readings:
        if reading.kind == "dates":
            said |= reading.parameters
    said |= sent
    if "month" in said and "days" in said and "flexDays" not in sent:
        with suppress(ValueError):  # the month is shorter
            return Dates.of_month(date.fromisoformat(f"{said['month']}-01"), said["days"])
    if "start" in said and "end" in said and sent.keys() <= {"flexDays"}:
        start, end = date.fromisoformat(said["start"]), date.fromisoformat(said["end"])
        return Dates(start, end, sent.get("flexDays", 0))
    return None

"""A search as the query parameters that ask for it: the way back from `SearchRequest`."""

from typing import Any

from search.fields import BY_NAME, RELEVANCE, camel
from search.request import Box, SearchRequest


def parameters(request: SearchRequest) -> dict[str, Any]:
    """By name, what to send; a list is sent as its parameter repeated.

    Page size, facets and position are left out: they are no part of what is searched.
    """
    near, dates = request.near, request.dates
    sent: dict[str, Any] = {"q": request.text}
    if near:
        sent |= {"lat": near.lat, "lon": near.lon, "radiusKm": near.radius_km}
    sent["bbox"] = _box(request.box) if request.box else None
    if dates and dates.later is not None:
        sent |= {"month": f"{dates.start:%Y-%m}", "days": dates.days}
    elif dates:
        sent |= {"start": dates.start, "end": dates.end, "flexDays": dates.flex or None}
    sent |= request.half_dates
    sent |= {camel(name): list(values) for name, values in request.filters.items()}
    for name, ends in request.ranges.items():
        bounds = BY_NAME[name].bounds
        assert bounds
        for end, value in zip(("Min", "Max"), ends, strict=True):
            if value is not None:
                stored = bounds.scale != 1
                sent[f"{bounds.parameter}{end}"] = value / bounds.scale if stored else value
    sent |= {camel(name): value for name, value in request.flags.items()}
    if request.price_basis != "day":
        sent["priceBasis"] = request.price_basis
    if request.sort != RELEVANCE:
        sent["sort"] = request.sort
    sent |= {"typing": request.typing or None, "keep": list(request.keep) or None}
    return {name: value for name, value in sent.items() if value is not None}


def _box(box: Box) -> str:
    return f"{box.west!r},{box.south!r},{box.east!r},{box.north!r}"

"""A map section as clusters of vehicles, or as the vehicles themselves when they are few."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import asinh, floor, pi, radians, tan
from typing import Any

from msgspec.structs import replace

from search import page
from search.answer import Found
from search.query import body
from search.request import Box, SearchRequest

FEW = 50  # vehicles that are shown one by one
MOST_CELLS = 1000
# A map's tile is 256 pixels wide, and a cell a quarter of that: neighbours do not touch.
CELLS_BEYOND_ZOOM = 2
FINEST = 29  # Elasticsearch's
# Not 0: one cell for the whole world would have its centre between the two sides of the map.
COARSEST = 1
# Coordinates in the index are rounded, by less than this: a vehicle on the edge may lie beyond it.
_EDGE = 1e-5


@dataclass(frozen=True, slots=True)
class MapView:
    """What a map shows: the search's box is the section, the zoom how closely it is looked at."""

    request: SearchRequest
    zoom: float

    @property
    def listed(self) -> SearchRequest:
        """The search whose first page are the vehicles, for the case that they are few."""
        return replace(self.request, facets=(), limit=FEW, after=None)

    @property
    def precision(self) -> int:
        """The finest grid for the zoom that has at most 1,000 cells in the box."""
        assert self.request.box
        wanted = min(floor(self.zoom) + CELLS_BEYOND_ZOOM, FINEST)
        return next(
            (n for n in range(wanted, COARSEST, -1) if cells(self.request.box, n) <= MOST_CELLS),
            COARSEST,
        )


def cells(box: Box, precision: int) -> int:
    """How many cells of the grid touch the box."""
    side = 1 << precision
    west, east = _column(box.west - _EDGE, side), _column(box.east + _EDGE, side)
    columns = east - west + 1 if box.west <= box.east else side - west + east + 1
    rows = _row(box.south - _EDGE, side) - _row(box.north + _EDGE, side) + 1
    return min(columns, side) * rows


def _column(lon: float, side: int) -> int:
    return min(max(floor((lon + 180) / 360 * side), 0), side - 1)


def _row(lat: float, side: int) -> int:
    # Web Mercator ends at 85 degrees; what lies beyond belongs to the outermost rows.
    capped = radians(min(max(lat, -89.9), 89.9))
    return min(max(floor((1 - asinh(tan(capped)) / pi) / 2 * side), 0), side - 1)


def build(view: MapView) -> dict[str, Any]:
    """The search's own body, its first hits for the case that they are few, and the grid."""
    found = body.build(view.listed)
    cheapest = {"min": {"field": view.request.price_field}}
    found.pop("stored_fields", None)
    return found | {
        "_source": body.SOURCE,
        "size": FEW,
        "aggs": {
            "cells": {
                "geotile_grid": {
                    "field": "location",
                    "precision": view.precision,
                    "size": MOST_CELLS,
                },
                "aggs": {
                    "centroid": {"geo_centroid": {"field": "location"}},
                    "bounds": {"geo_bounds": {"field": "location", "wrap_longitude": False}},
                    "cheapest": cheapest,
                },
            }
        },
    }


def read(view: MapView, found: Found) -> dict[str, Any]:
    """`{clusters, items, total}`: one of the two lists is empty."""
    total = found.hits.total.value
    few = total <= FEW
    shown = page.read(view.listed, found).items if few else []
    grid = [] if few else found.aggregations["cells"]["buckets"]
    return {
        "clusters": [_cluster(each) for each in grid],
        "items": shown,
        "total": {"value": total, "exact": True},
    }


def _cluster(cell: Mapping[str, Any]) -> dict[str, Any]:
    middle = cell["centroid"]["location"]
    top_left, bottom_right = (
        cell["bounds"]["bounds"][corner] for corner in ("top_left", "bottom_right")
    )
    cheapest = cell["cheapest"]["value"]
    return {
        "id": cell["key"],
        "count": cell["doc_count"],
        "centroid": {"lat": middle["lat"], "lon": middle["lon"]},
        "bounds": {
            "west": top_left["lon"],
            "south": bottom_right["lat"],
            "east": bottom_right["lon"],
            "north": top_left["lat"],
        },
        "cheapest": None if cheapest is None else int(cheapest),
    }

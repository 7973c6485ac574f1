"""An engine's answer as the page that the HTTP contract promises: plain dicts, camelCase keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from bookings.pricing import RateTerms, quote
from search.fields import FIELDS, camel
from search.query import facets
from search.request import Near, SearchRequest

EARTH_RADIUS_KM = 6371.0087714  # mean radius, the one that Elasticsearch computes with
_KEYS = tuple((field.name, camel(field.name)) for field in FIELDS if field.item)
_SCALED = tuple(
    (camel(field.name), field.bounds.scale)
    for field in FIELDS
    if field.item and field.bounds and field.bounds.scale != 1
)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page. `last` are the sort values to continue from; None when nothing follows.

    `engine` answered; `degraded`: instead of the one that should have.
    """

    items: list[dict[str, Any]]
    facets: dict[str, Any]
    facet_stats: dict[str, Any]
    total: int
    last: list[Any] | None
    took_ms: int
    engine: str = "elasticsearch"
    degraded: bool = False
    checked: bool = False  # whether PostgreSQL was asked that all items can be booked


def read(request: SearchRequest, answer: Mapping[str, Any]) -> SearchPage:
    """The page that Elasticsearch's answer to `search.query.body.build(request)` holds."""
    hits = answer["hits"]["hits"]
    shown = hits[: request.limit]
    counted, stats = facets.read(request, answer.get("aggregations", {}))
    return SearchPage(
        items=[_item(request, hit) for hit in shown],
        facets=counted,
        facet_stats=stats,
        total=answer["hits"]["total"]["value"],
        last=shown[-1]["sort"] if len(hits) > len(shown) else None,
        took_ms=answer["took"],
    )


def _item(request: SearchRequest, hit: Mapping[str, Any]) -> dict[str, Any]:
    source = hit["_source"]
    item: dict[str, Any] = {key: source.get(name) for name, key in _KEYS}
    for key, scale in _SCALED:
        if item[key] is not None:
            item[key] /= scale
    point = source.get("location") or {"lat": None, "lon": None}
    item["location"] = {
        "lat": point["lat"],
        "lon": point["lon"],
        "city": source.get("city"),
        "region": source.get("region"),
        "country": source.get("country"),
    }
    if request.dates:
        item["total"] = quote(_terms(source), request.dates.days).total_cents
    if request.near and point["lat"] is not None:
        item["distanceKm"] = round(distance_km(request.near, point["lat"], point["lon"]), 3)
    item["highlights"] = {name: parts[0] for name, parts in hit.get("highlight", {}).items()}
    return item


def _terms(source: Mapping[str, Any]) -> RateTerms:
    return RateTerms(
        daily_rate_cents=source["daily_rate"],
        weekly_discount_pct=source["weekly_discount_pct"],
        monthly_discount_pct=source["monthly_discount_pct"],
        cleaning_fee_cents=source["cleaning_fee"],
    )


def distance_km(near: Near, lat: float, lon: float) -> float:
    """Great-circle distance in kilometres by the haversine formula."""
    north = radians(lat - near.lat) / 2
    east = radians(lon - near.lon) / 2
    half = sin(north) ** 2 + cos(radians(near.lat)) * cos(radians(lat)) * sin(east) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))

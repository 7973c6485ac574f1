"""An engine's answer as the page that the HTTP contract promises: plain dicts, camelCase keys."""

from collections.abc import Mapping, Sequence
from math import asin, cos, radians, sin, sqrt
from typing import Any

import orjson
from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from bookings.pricing import RateTerms, quote
from search.answer import Found, Hit
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


class Ready(Struct, frozen=True, gc=False):
    """An item as JSON that nobody parses: what comes before its photo, and its photo."""

    shown: bytes
    photo: bytes


Item = dict[str, Any] | Ready


class _Point(Struct, frozen=True, gc=False):
    lat: float | None
    lon: float | None


class _Placed(Struct, frozen=True, gc=False):
    location: _Point


_read_place = Decoder(_Placed).decode
_PHOTO = b',"photoUrl":'


class SearchPage(Struct, frozen=True):
    """One page. `last` are the sort values to continue from; None when nothing follows.

    Before that come the `pinned` vehicles, in their order. `unread` are those of the page itself
    where the engine chose them and left their documents to be read. `engine` answered; `degraded`:
    instead of the one that should have.
    """

    items: list[Any]  # an engine's are dicts; of a checked page they may be `Ready`
    facets: dict[str, Any]
    facet_stats: dict[str, Any]
    total: int
    last: list[Any] | None
    took_ms: int
    engine: str = "elasticsearch"
    degraded: bool = False
    checked: bool = False  # whether PostgreSQL was asked that all items can be booked
    pinned: tuple[int, ...] = ()
    unread: tuple[int, ...] = ()

    @property
    def more(self) -> bool:
        """Whether anything follows."""
        return bool(self.pinned) or self.last is not None


class Candidate(Struct, frozen=True, gc=False):
    """A hit by what its place among the first depends on."""

    id: int
    score: float
    host: int | None
    model: str | int | None


class Window(Struct, frozen=True):
    """The first hits, best first, and the page that they are of, as yet without items.

    `documents` are their hits by id where these came along.
    """

    candidates: list[Candidate]
    page: SearchPage
    documents: Mapping[int, Hit]

    def items(self, request: SearchRequest, ids: Sequence[int]) -> list[dict[str, Any]]:
        """The items of these ids, in their order."""
        return [_item(request, self.documents[each]) for each in ids]


def read(request: SearchRequest, found: Found) -> SearchPage:
    """The page that Elasticsearch's answer to `search.query.body.build(request)` holds."""
    hits = _shown(request, found)
    if request.text is None and all(hit.source is None for hit in hits):
        unread = tuple(hit.sort[-1] for hit in hits)  # every order ends with the id
        return replace(_page(request, found, []), unread=unread)
    return _page(request, found, [_item(request, hit) for hit in hits])


def read_window(request: SearchRequest, found: Found) -> Window:
    """The candidates in the answer to `search.query.body.window(request)`: by score, then id."""
    hits = _shown(request, found)
    candidates = [
        Candidate(hit.sort[1], hit.sort[0], each.host_id[0], each.model[0])
        for hit in hits
        for each in (hit.fields,)
    ]
    whole = request.text is None and all(hit.source is not None for hit in hits)
    documents = {hit.sort[1]: hit for hit in hits} if whole else {}
    return Window(candidates, _page(request, found, []), documents)


def _shown(request: SearchRequest, found: Found) -> Sequence[Hit]:
    return found.hits.hits[: request.limit]


def _page(request: SearchRequest, found: Found, items: list[dict[str, Any]]) -> SearchPage:
    hits = found.hits.hits
    counted, stats = facets.read(request, found.aggregations)
    return SearchPage(
        items=items,
        facets=counted,
        facet_stats=stats,
        total=facets.total(request, found),
        last=hits[request.limit - 1].sort if len(hits) > request.limit else None,
        took_ms=found.took,
    )


def ready(
    request: SearchRequest, item: bytes, total: bytes | None, beside: Mapping[str, Any]
) -> Ready:
    """An item of PostgreSQL's search table, with what this request adds to it, and `beside`.

    It is the one that `_item` makes of its document, without highlights.
    """
    shown, _, photo = item[:-1].rpartition(_PHOTO)
    if total is not None:
        shown += b',"total":' + total
    if request.near:
        point = _read_place(item).location
        if point.lat is not None and point.lon is not None:
            shown += b',"distanceKm":%.3f' % distance_km(request.near, point.lat, point.lon)
    if beside:
        shown += b"," + orjson.dumps(beside)[1:-1]
    return Ready(shown + b',"highlights":{}', photo)


def _item(request: SearchRequest, hit: Hit) -> dict[str, Any]:
    source = hit.source
    if source is None:
        msg = "a hit without its document"
        raise LookupError(msg)
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
    item["highlights"] = {name: parts[0] for name, parts in hit.highlight.items()}
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

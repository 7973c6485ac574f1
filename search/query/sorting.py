"""Sort orders; each ends in the id, so that no two hits are ever in doubt."""

from typing import Any

from search.fields import DISTANCE, RELEVANCE, SORTS
from search.request import SearchRequest

_TIE_BREAK: dict[str, Any] = {"id": "asc"}


def sort(request: SearchRequest) -> list[dict[str, Any]]:
    """The sort clauses; vehicles that lack the value come last in both directions.

    Relevance is the score of the text and of the profile's signals: without text, of these alone.
    """
    if request.only:
        return [_TIE_BREAK]
    if request.sort == RELEVANCE:
        return [{"_score": "desc"}, _TIE_BREAK]
    if request.sort == DISTANCE and request.near:
        point = {"lat": request.near.lat, "lon": request.near.lon}
        return [
            {"_geo_distance": {"location": point, "order": "asc", "unit": "m"}},
            _TIE_BREAK,
        ]
    name, order = SORTS[request.sort]
    if name == "daily_rate":
        name = request.price_field
    return [{name: {"order": order, "missing": "_last"}}, _TIE_BREAK]

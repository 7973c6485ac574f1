"""The values of one facet under a search: for a list too long to show at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from search.fields import BY_NAME, FACETS, Match, camel
from search.query import body, facets
from search.request import SearchRequest
from search.words import clause, mark, matches, words

FACET_OF: Mapping[str, str] = {camel(name): name for name in FACETS}
# A vehicle has several values of an all-of facet: those that were not meant are left out here.
MOST_OF_SEVERAL = 1000


@dataclass(frozen=True, slots=True)
class FacetQuestion:
    """A facet, the search under which it is looked into, and the words that its values have."""

    request: SearchRequest
    facet: str
    words: tuple[str, ...]
    limit: int

    @classmethod
    def of(cls, request: SearchRequest, facet: str, text: str | None) -> "FacetQuestion":
        """The question for as many values as the request would have items."""
        return cls(request, facet, words(text or ""), request.limit)

    @property
    def several(self) -> bool:
        """Whether a vehicle has more than one value."""
        return BY_NAME[self.facet].match is Match.ALL

    @property
    def selected(self) -> dict[str, str]:
        """The values that the search filters by, by their lower case."""
        return {value.lower(): value for value in self.request.filters.get(self.facet, ())}


def build(asked: FacetQuestion) -> dict[str, Any]:
    """One Elasticsearch request: the search's own query, narrowed to the words, only counted.

    The search's own filter by a facet of which any value may match is left out, as in its facets.
    """
    filters = dict(asked.request.filters)
    if not asked.several:
        filters.pop(asked.facet, None)
    under = body.counted(replace(asked.request, filters=filters))
    narrowed = [clause(asked.facet, word) for word in asked.words]
    size = MOST_OF_SEVERAL if asked.several else asked.limit
    aggs: dict[str, Any] = {"values": {"terms": {"field": asked.facet, "size": size}}}
    if asked.selected and not asked.words:
        aggs |= facets.selected(asked.request, asked.facet)
    return {
        "query": {"bool": {"filter": [under, *narrowed]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": aggs,
        "timeout": f"{body.ENGINE_TIMEOUT_S}s",
    }


def read(asked: FacetQuestion, aggregations: Mapping[str, Any]) -> dict[str, Any]:
    """`{facet, values, hasMore}`, most vehicles first.

    Of a list that is not searched no selected value is missing, though it has no vehicle or is
    beyond the limit.
    """
    counted = aggregations["values"]
    buckets = [
        bucket
        for bucket in counted["buckets"]
        if not asked.several or matches(bucket["key"], asked.words)
    ]
    shown = buckets[: asked.limit]
    if not asked.words:
        apart = aggregations["selected"]["values"]["buckets"] if "selected" in aggregations else []
        shown += _missing(asked, shown, [*buckets, *apart])
    return {
        "facet": camel(asked.facet),
        "values": [
            {
                "value": bucket["key"],
                "label": mark(bucket["key"], asked.words),
                "count": bucket["doc_count"],
                "selected": bucket["key"].lower() in asked.selected,
            }
            for bucket in shown
        ],
        "hasMore": len(buckets) > asked.limit or counted["sum_other_doc_count"] > 0,
    }


def _missing(
    asked: FacetQuestion, shown: list[dict[str, Any]], known: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The selected values that are not shown."""
    there = {bucket["key"].lower() for bucket in shown}
    # Of spellings that differ in case the first, which most vehicles have.
    counts = {bucket["key"].lower(): bucket for bucket in reversed(known)}
    return [
        counts.get(lower, {"key": value, "doc_count": 0})
        for lower, value in asked.selected.items()
        if lower not in there
    ]

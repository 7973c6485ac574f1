"""The whole body of a search."""

from typing import Any

from msgspec.structs import replace

from search.fields import FIELDS, Kind
from search.profiles import DEFAULT, Profile
from search.query import facets, filters, likeness, signals, sorting, text
from search.query.filters import Clause
from search.request import SearchRequest

# What a page is made of; the rest of a document (description, totals, calendar) stays where it is.
_LEFT_OUT = (Kind.TOTALS, Kind.DATES)
SOURCE: list[str] = [
    field.name
    for field in FIELDS
    if field.kind not in _LEFT_OUT and (field.item or field.kind is not Kind.TEXT)
]
UNREAD: dict[str, Any] = {"_source": False, "stored_fields": "_none_"}
_UNRANKED = "newest"
# A search that Elasticsearch has not answered by then is PostgreSQL's to answer: both together
# within 1.5 s.
ENGINE_TIMEOUT_S = 1


def build(request: SearchRequest, profile: Profile = DEFAULT) -> dict[str, Any]:
    """One Elasticsearch request that answers hits, total, facets, histogram and highlights.

    One hit more than the page holds is asked for: it tells whether there is a next page. Hits come
    with documents where something is marked in them, or where PostgreSQL lacks their items.
    """
    chosen = filters.selected(request)
    always = filters.always(request)
    if not request.facets:
        # Nobody counts what the filters leave out: they may as well narrow the query itself.
        always += chosen.values()
        chosen = {}
    only = [{"ids": {"values": list(request.only)}}] if request.only else []
    if not request.counted:
        always += only
    body: dict[str, Any] = {
        "query": {"bool": _query(request, profile, always)},
        "sort": sorting.sort(request),
        "size": request.limit + 1,
        "track_total_hits": True,
        "timeout": f"{ENGINE_TIMEOUT_S}s",
    }
    shown = [*chosen.values(), *only] if request.counted else list(chosen.values())
    if shown:
        body["post_filter"] = {"bool": {"filter": shown}}
    if request.facets:
        body["aggs"] = facets.aggregations(request, chosen)
    if only and request.counted:
        body.setdefault("aggs", {}).update(facets.counting(chosen))
    if request.text:
        body["highlight"] = text.highlight()
    if request.text or request.only:
        body["_source"] = SOURCE
    else:
        body |= UNREAD
    if request.after is not None:
        body["search_after"] = list(request.after)
    return body


def counted(request: SearchRequest) -> Clause:
    """The query of a question that only counts: what a search finds, without what ranks it.

    Ranking names the moment, so that Elasticsearch would remember no answer to the same question.
    """
    return build(replace(request, facets=(), after=None, sort=_UNRANKED))["query"]  # type: ignore[no-any-return]


def _query(request: SearchRequest, profile: Profile, always: list[Clause]) -> Clause:
    """What is found, and what it scores: text or likeness in whole points, signals below one."""
    query: dict[str, Any] = {"filter": always}
    scored: list[Clause] = []
    if request.text:
        found = text.match(
            request.text,
            request.similar,
            request.begun,
            weights=profile.text.weights,
            typo=profile.typo.points,
        )
        query["must"] = [found]
    if request.like:
        always += likeness.kind(request.like)
        scored += [] if request.only else likeness.scored(request.like)
    if ranked := signals.ranked(request, profile):
        scored.append(ranked)
    if scored:
        query["should"] = scored
    return query


def window(request: SearchRequest, profile: Profile = DEFAULT) -> dict[str, Any]:
    """The same search for candidates to re-rank: by doc values, a hundred documents cost more."""
    body = build(request, profile)
    body.pop("highlight", None)
    return body | UNREAD | {"docvalue_fields": list(request.spread)}

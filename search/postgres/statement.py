"""The whole statement of a search, and its row as Elasticsearch would have answered."""

from collections.abc import Mapping
from html import escape
from typing import Any

from search.answer import DocValues, Found, Hit, Hits, Shards, Total
from search.fields import PRICE
from search.postgres import clusters, conditions, facets, likeness, ordering, text
from search.postgres.columns import DOCUMENTS, TABLE
from search.postgres.parameters import Parameters
from search.profiles import DEFAULT, Profile
from search.query.facets import MATCHED, SHARED
from search.request import SPREAD, SearchRequest


def build(
    request: SearchRequest,
    profile: Profile = DEFAULT,
    *,
    window: bool = False,
    grid: int | None = None,
) -> tuple[str, dict[str, Any]]:
    """One statement, hence one snapshot, that answers hits, total, facets and histogram.

    `found` is what all filters leave that no facet sets aside, with the others' verdicts beside.
    With `window`, hits are candidates: neither documents nor highlights. With `grid`, a map's cells
    of that precision stand beside the facets.
    """
    into = Parameters()
    asked = conditions.matching(request, into)
    always = [*asked.always]
    if request.like:
        always += likeness.kind(request.like, into)
    # Where nobody counts what the filters leave out, they may as well narrow the search itself.
    chosen = asked.chosen if request.facets else {}
    if not request.facets:
        always += asked.chosen.values()
    only = [f"id = ANY({into.add(list(request.only), 'bigint[]')})"] if request.only else []
    if not request.counted:
        always += only
    sort = ordering.keys(request, profile, into)
    all_chosen = " AND ".join(f"c_{name}" for name in chosen) or "true"
    page = [all_chosen, *only]
    if request.after is not None:
        page.append(ordering.after(sort, request.after, into))
    aggregations = facets.aggregations(request, chosen, into)
    columns = _columns(request, chosen, sort)
    if grid is not None:
        aggregations += f" || jsonb_build_object('cells', {clusters.grid(grid)})"
        columns += clusters.columns(conditions.price(request))
    found = f"{asked.source}{into.computed()}"
    headline = "'{}'::jsonb"
    if request.text and not window:
        headline = text.highlights(request, into)
    sorted_by = ", ".join(f"s{n}" for n in range(len(sort)))
    statement = f"""
        WITH found AS MATERIALIZED (
            SELECT {", ".join(columns)}
            FROM {found} WHERE {" AND ".join(always)}
        ), page AS (
            SELECT id, {sorted_by} FROM found WHERE {" AND ".join(page)}
            ORDER BY {ordering.clause(sort)} LIMIT {into.add(request.limit + 1, "integer")}
        )
        SELECT
            (SELECT count(*) FROM found WHERE {all_chosen}) AS total,
            (
                SELECT coalesce(json_agg(json_build_array(
                    {_candidate(request) if window else "document"},
                    json_build_array({sorted_by}), {headline}
                ) ORDER BY {ordering.clause(sort)}), '[]')
                FROM page JOIN {TABLE if window else DOCUMENTS} USING (id)
            ) AS hits,
            {aggregations} AS aggregations
    """  # noqa: S608 - names from the table of fields; values are parameters
    return statement, into.values


def _candidate(request: SearchRequest) -> str:
    """A model comes as its code: only whether it is another's counts."""
    parts = ", ".join(f"'{name}', {name}" for name in request.spread)
    return f"json_build_object({parts})"


def _columns(
    request: SearchRequest, chosen: Mapping[str, str], sort: list[ordering.Key]
) -> list[str]:
    shown = [f"{key.sql} AS s{n}" for n, key in enumerate(sort)]
    verdicts = [f"{sql} AS c_{name}" for name, sql in chosen.items()]
    counted = [
        f"{conditions.price(request)} AS price" if name == PRICE else name
        for name in request.facets
    ]
    return ["id", *shown, *verdicts, *counted]


def answer(
    request: SearchRequest, total: int, hits: list[Any], aggregations: dict[str, Any], took_ms: int
) -> Found:
    """The row as `search.page` and `search.query.facets` read it: candidates or documents."""
    alone = set(request.filters) | ({PRICE} if "daily_rate" in request.ranges else set())
    shared: dict[str, Any] = {"doc_count": total}
    answered: dict[str, Any] = {SHARED: shared, MATCHED: shared}
    for name, part in aggregations.items():
        if "selected" in part or (name == PRICE and name in alone):
            answered[name] = part
        else:
            shared |= part
    shown = [
        Hit(sort, source, DocValues(*((source.get(name),) for name in SPREAD)), _marked(marked))
        for source, sort, marked in hits
    ]
    return Found(took_ms, False, Shards(0), Hits(Total(total), shown), answered)


def _marked(texts: dict[str, str]) -> dict[str, list[str]]:
    begin, end = text.MARKS
    return {
        name: [escape(each).replace(begin, "<em>").replace(end, "</em>")]
        for name, each in texts.items()
        if begin in each
    }

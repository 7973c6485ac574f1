"""Facets as SQL, in the shape of Elasticsearch's aggregations: one reader makes both a page."""

from collections.abc import Mapping
from typing import Any

import orjson

from search.fields import BY_NAME, PRICE, Match
from search.postgres.columns import VALUES
from search.postgres.conditions import keys
from search.postgres.parameters import Parameters
from search.query.facets import SIZE, fine_interval
from search.request import SearchRequest


def code(name: str) -> str:
    """What is counted: the expression of a facet's code, or codes, over the table's columns."""
    return f"unnest({name})" if BY_NAME[name].match is Match.ALL else name


def aggregations(request: SearchRequest, chosen: Mapping[str, str], into: Parameters) -> str:
    """All asked facets over `found`, each over what all filters but its own leave: a JSON object.

    The values of all facets are counted in one pass and named by one look into the dictionary: a
    code says which field it is of.
    """
    names = [name for name in request.facets if name != PRICE]
    parts = [_nothing(names, chosen)]
    if names:
        parts.append(_values(request, names, chosen, into))
    if PRICE in request.facets:
        parts.append(f"jsonb_build_object('{PRICE}', {_histogram(request, _all(chosen, PRICE))})")
    return " || ".join(parts)


def _all(chosen: Mapping[str, str], but: str = "") -> str:
    return " AND ".join(f"c_{name}" for name in chosen if name != but) or "true"


def counts(name: str, source: str) -> str:
    """A query of `value`, `folded` (in lower case) and `n`, the vehicles of `source` that have it.

    `source` is what follows FROM: rows with the facet's column.
    """
    return f"""
        SELECT value, folded, n
        FROM (SELECT {code(name)} AS code, count(*) AS n FROM {source} GROUP BY 1) AS counted
        JOIN {VALUES} USING (code)
    """  # noqa: S608 - names from the table of fields


def _nothing(names: list[str], chosen: Mapping[str, str]) -> str:
    """What a facet says of which no vehicle has a value."""
    none: dict[str, Any] = {
        "buckets": [],
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": 0,
    }
    selected: dict[str, Any] = {"selected": {"values": {"buckets": []}}}
    empty = {name: {name: none} | (selected if name in chosen else {}) for name in names}
    return f"'{orjson.dumps(empty).decode()}'::jsonb"


def _values(
    request: SearchRequest, names: list[str], chosen: Mapping[str, str], into: Parameters
) -> str:
    bucket = "jsonb_build_object('key', value, 'doc_count', n)"
    asked = " OR ".join(
        f"(field = '{name}' AND folded = ANY({keys(request.filters[name], into)}))"
        for name in names
        if name in chosen
    )
    alone = ", ".join(f"'{name}'" for name in names if name in chosen) or "NULL"
    return f"""coalesce((
        SELECT jsonb_object_agg(field, facet) FROM (
            SELECT field, jsonb_build_object(field, jsonb_build_object(
                'buckets',
                coalesce(jsonb_agg({bucket} ORDER BY place) FILTER (WHERE place <= {SIZE}), '[]'),
                'doc_count_error_upper_bound', 0,
                'sum_other_doc_count', coalesce(sum(n) FILTER (WHERE place > {SIZE}), 0)
            )) || CASE WHEN field IN ({alone}) THEN jsonb_build_object(
                'selected', jsonb_build_object('values', jsonb_build_object('buckets',
                    coalesce(jsonb_agg({bucket} ORDER BY place) FILTER (WHERE asked), '[]')
                ))
            ) ELSE '{{}}' END AS facet
            FROM (
                SELECT *, {asked or "false"} AS asked,
                    row_number()
                        OVER (PARTITION BY field ORDER BY n DESC, value COLLATE "C") AS place
                FROM ({_codes(names, chosen)}) AS counted JOIN {VALUES} USING (code)
                WHERE n > 0
            ) AS placed GROUP BY field
        ) AS each
    ), '{{}}')"""  # noqa: S608 - names from the table of fields


def _codes(names: list[str], chosen: Mapping[str, str]) -> str:
    """A query of `code` and `n`, of all the facets."""
    single = [name for name in names if BY_NAME[name].match is not Match.ALL]
    queries = [
        f"SELECT {code(name)} AS code, count(*) AS n FROM found WHERE {_all(chosen)} GROUP BY 1"  # noqa: S608
        for name in names
        if name not in single
    ]
    if single:
        own = "".join(
            f" WHEN GROUPING({name}) = 0 THEN count(*) FILTER (WHERE {_all(chosen, name)})"
            for name in single
            if name in chosen
        )
        n = f"count(*) FILTER (WHERE {_all(chosen)})"
        n = f"CASE{own} ELSE {n} END" if own else n
        queries.append(f"""
            SELECT coalesce({", ".join(single)}) AS code, {n} AS n
            FROM found GROUP BY GROUPING SETS ({", ".join(f"({name})" for name in single)})
        """)  # noqa: S608 - names from the table of fields
    return " UNION ALL ".join(queries)


def _histogram(request: SearchRequest, where: str) -> str:
    width = fine_interval(request)
    bucket = "jsonb_build_object('key', bar, 'doc_count', n)"
    return f"""(
        SELECT jsonb_build_object(
            'price', jsonb_build_object('buckets', coalesce(jsonb_agg({bucket}), '[]')),
            'price_stats', jsonb_build_object('min', min(low), 'max', max(high))
        ) FROM (
            SELECT price / {width} * {width} AS bar, count(*) AS n,
                min(price) AS low, max(price) AS high
            FROM found WHERE {where} GROUP BY bar
        ) AS counted
    )"""  # noqa: S608 - numbers and names of our own

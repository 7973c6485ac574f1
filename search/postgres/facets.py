"""Facets as SQL, in the shape of Elasticsearch's aggregations: one reader makes both a page."""

from collections.abc import Mapping

from search.fields import BY_NAME, PRICE, Match
from search.postgres.columns import VALUES
from search.postgres.conditions import keys
from search.postgres.parameters import Parameters
from search.query.facets import SIZE, fine_interval
from search.request import SearchRequest


def code(name: str) -> str:
    """What is counted: the expression of a facet's code, or codes, over the table's columns."""
    return f"unnest({name})" if BY_NAME[name].match is Match.ALL else name


def aggregation(
    request: SearchRequest, name: str, chosen: Mapping[str, str], into: Parameters
) -> str:
    """A facet over what all filters but its own leave, as a JSON object."""
    others = [f"c_{other}" for other in chosen if other != name]
    where = " AND ".join(others) or "true"
    if name == PRICE:
        return _histogram(request, where)
    return _values(request, name, where, into, alone=name in chosen)


def counts(name: str, source: str) -> str:
    """A query of `value`, `folded` (in lower case) and `n`, the vehicles of `source` that have it.

    `source` is what follows FROM: rows with the facet's column.
    """
    return f"""
        SELECT value, folded, n
        FROM (SELECT {code(name)} AS code, count(*) AS n FROM {source} GROUP BY 1) AS counted
        JOIN {VALUES} USING (code)
    """  # noqa: S608 - names from the table of fields


def _values(request: SearchRequest, name: str, where: str, into: Parameters, *, alone: bool) -> str:
    bucket = "jsonb_build_object('key', value, 'doc_count', n)"
    listed = f"coalesce(jsonb_agg({bucket} ORDER BY place) FILTER (WHERE place <= {SIZE}), '[]')"
    parts = f"""'{name}', jsonb_build_object(
        'buckets', {listed}, 'doc_count_error_upper_bound', 0,
        'sum_other_doc_count', coalesce(sum(n) FILTER (WHERE place > {SIZE}), 0)
    )"""
    if alone:
        asked = f"folded = ANY({keys(request.filters[name], into)})"
        mine = f"coalesce(jsonb_agg({bucket} ORDER BY place) FILTER (WHERE {asked}), '[]')"
        parts += (
            f", 'selected', jsonb_build_object('values', jsonb_build_object('buckets', {mine}))"
        )
    return f"""(
        SELECT jsonb_build_object({parts}) FROM (
            SELECT *, row_number() OVER (ORDER BY n DESC, value COLLATE "C") AS place
            FROM ({counts(name, f"found WHERE {where}")}) AS each
        ) AS placed
    )"""  # noqa: S608 - names from the table of fields


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

"""All values of one facet under a search, as SQL, in the shape of Elasticsearch's answer."""

from collections.abc import Iterable
from typing import Any

from search.facet_values import FacetQuestion
from search.postgres import conditions, facets
from search.postgres.parameters import Parameters
from search.words import matches


def build(asked: FacetQuestion) -> tuple[str, dict[str, Any]]:
    """One statement: rows of (value, vehicles), most vehicles first.

    The search's own filter by a facet of which any value may match is left out.
    """
    into = Parameters()
    under = conditions.matching(asked.request, into)
    where = under.where(but=asked.facet)
    counts = facets.counts(asked.facet, f"{under.source}{into.computed()} WHERE {where}")
    statement = f"SELECT value, n FROM ({counts}) AS counted ORDER BY n DESC, value"  # noqa: S608 - our own
    return statement, into.values


def answer(asked: FacetQuestion, rows: Iterable[Any]) -> dict[str, Any]:
    """The rows as `search.facet_values.read` takes them: those with the asked words."""
    found = [{"key": value, "doc_count": n} for value, n in rows if matches(value, asked.words)]
    selected = [bucket for bucket in found if bucket["key"].lower() in asked.selected]
    beyond = sum(bucket["doc_count"] for bucket in found[asked.limit :])
    values = {"buckets": found[: asked.limit], "sum_other_doc_count": beyond}
    return {"values": values, "selected": {"values": {"buckets": selected}}}

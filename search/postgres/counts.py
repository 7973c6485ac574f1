"""How many vehicles each of several searches finds, in one statement."""

from collections.abc import Sequence
from typing import Any

from search.postgres import conditions
from search.postgres.columns import TABLE
from search.postgres.parameters import Parameters
from search.request import SearchRequest


def build(requests: Sequence[SearchRequest]) -> tuple[str, dict[str, Any]]:
    """One statement of one row with the counts in order; each uses the indexes that it can."""
    into = Parameters()
    counts = []
    for request in requests:
        clauses = [*conditions.always(request, into), *conditions.selected(request, into).values()]
        counts.append(f"(SELECT count(*) FROM {TABLE} WHERE {' AND '.join(clauses)})")  # noqa: S608 - names from the table of fields; values are parameters
    return f"SELECT ARRAY[{', '.join(counts)}]", into.values

"""How many vehicles each of several searches finds, in one request without hits."""

from collections.abc import Mapping, Sequence
from typing import Any

from search.query import body
from search.query.filters import VISIBLE
from search.request import SearchRequest


def build(requests: Sequence[SearchRequest]) -> dict[str, Any]:
    """One Elasticsearch request that counts what the query of each finds."""
    queries = [body.counted(each) for each in requests]
    return {
        "query": {"bool": {"filter": [VISIBLE]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": {"counts": {"filters": {"filters": queries}}},
        "timeout": f"{body.ENGINE_TIMEOUT_S}s",
    }


def read(aggregations: Mapping[str, Any]) -> list[int]:
    """The counts, in the order of the searches."""
    return [bucket["doc_count"] for bucket in aggregations["counts"]["buckets"]]

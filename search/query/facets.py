"""Facets: how many vehicles each further choice would leave.

A facet of which any value may match leaves its own filter out of its counts; one of which all must
match keeps it. Each selected facet of the first sort needs an aggregation under its own filter; all
the others share one.
"""

from collections.abc import Mapping
from typing import Any

from search.answer import Found
from search.fields import PRICE
from search.query.filters import Clause
from search.request import SearchRequest

SIZE = 20  # values shown per facet, besides the selected ones
SHARED = "shared"
MATCHED = "matched"
MOST_BUCKETS = 40


def fine_interval(request: SearchRequest) -> int:
    """Width in cents of the buckets that are asked for, before they are merged into round ones.

    One unit of currency, or ten for the total of many days: powers of ten, which divide every
    round interval above them.
    """
    many_days = request.price_basis == "total" and request.dates and request.dates.days >= 10  # noqa: PLR2004 - a ten of days for a ten of currency
    return 1000 if many_days else 100


def aggregations(request: SearchRequest, chosen: Mapping[str, Clause]) -> dict[str, Any]:
    """The aggregations of all asked facets; `chosen` are the clauses that go to post_filter."""
    alone = [name for name in request.facets if name in chosen]
    shared = [name for name in request.facets if name not in chosen]
    aggs = {
        name: _under(
            [clause for other, clause in chosen.items() if other != name],
            _values(request, name) | ({} if name == PRICE else selected(request, name)),
        )
        for name in alone
    }
    if shared:
        counts: dict[str, Any] = {}
        for name in shared:
            counts |= _values(request, name)
        aggs[SHARED] = _under(list(chosen.values()), counts)
    return aggs


def counting(chosen: Mapping[str, Clause]) -> dict[str, Any]:
    """The aggregation that counts all hits where only some are shown."""
    return {MATCHED: {"filter": {"bool": {"filter": list(chosen.values())}}}}


def total(request: SearchRequest, found: Found) -> int:
    """How many vehicles an answer says that the search finds; of one not counted, how many came."""
    if request.only and request.counted:
        return int(found.aggregations[MATCHED]["doc_count"])
    return found.hits.total.value


def _under(clauses: list[Clause], aggs: dict[str, Any]) -> dict[str, Any]:
    return {"filter": {"bool": {"filter": clauses}}, "aggs": aggs}


def _values(request: SearchRequest, name: str) -> dict[str, Any]:
    if name == PRICE:
        field = request.price_field
        return {
            "price": {
                "histogram": {
                    "field": field,
                    "interval": fine_interval(request),
                    "min_doc_count": 1,
                }
            },
            "price_stats": {"stats": {"field": field}},
        }
    return {name: {"terms": {"field": name, "size": SIZE}}}


def selected(request: SearchRequest, name: str) -> dict[str, Any]:
    """Selected values are counted apart: they are shown even when they are not among the top."""
    values = list(request.filters[name])
    return {
        "selected": {
            "filter": {"terms": {f"{name}.key": values}},
            # Room for values that differ only in case.
            "aggs": {"values": {"terms": {"field": name, "size": 4 * len(values)}}},
        }
    }


def read(request: SearchRequest, aggs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facets of an answer and, by facet, `{otherCount, exact}`."""
    facets: dict[str, Any] = {}
    stats: dict[str, Any] = {}
    for name in request.facets:
        group = aggs.get(name) or aggs[SHARED]
        if name == PRICE:
            facets[name] = merge(
                group["price"]["buckets"], group["price_stats"], fine_interval(request)
            )
        else:
            facets[name], stats[name] = _read_values(request, name, group)
    return facets, stats


def _read_values(
    request: SearchRequest, name: str, group: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    answer = group[name]
    counts = {bucket["key"]: bucket["doc_count"] for bucket in answer["buckets"]}
    other = answer["sum_other_doc_count"]
    asked = {value.lower(): value for value in request.filters.get(name, ())}
    if "selected" in group:
        for bucket in group["selected"]["values"]["buckets"]:
            if bucket["key"] not in counts:
                counts[bucket["key"]] = bucket["doc_count"]
                other -= bucket["doc_count"]
    found = {key.lower() for key in counts} if asked else ()
    for key, value in asked.items():
        if key not in found:
            # Of a facet of which all must match, every hit has the selected value.
            counts[value] = 0 if "selected" in group else group["doc_count"]
            other -= counts[value]
    values = [
        {"value": value, "count": count, "selected": bool(asked) and value.lower() in asked}
        for value, count in counts.items()
    ]
    exact = answer["doc_count_error_upper_bound"] == 0
    return values, {"otherCount": max(other, 0), "exact": exact}


def merge(fine: list[Mapping[str, Any]], stats: Mapping[str, Any], width: int) -> dict[str, Any]:
    """At most 40 round buckets from fine ones: `{min, max, interval, buckets: [{from, count}]}`.

    Amounts in cents. The interval is the smallest of 1, 2, 5, 10, 20, 50, … units of currency that
    suffices; buckets without a vehicle in between are there with 0, so that bars stand in place.
    """
    if not fine:
        return {"min": None, "max": None, "interval": None, "buckets": []}
    low, high = int(stats["min"]), int(stats["max"])
    rounds = (digit * 10**power for power in range(12) for digit in (100, 200, 500))
    interval = next(
        step for step in rounds if step >= width and high // step - low // step < MOST_BUCKETS
    )
    counts = dict.fromkeys(range(low // interval * interval, high + 1, interval), 0)
    for bucket in fine:
        counts[int(bucket["key"]) // interval * interval] += bucket["doc_count"]
    return {
        "min": low,
        "max": high,
        "interval": interval,
        "buckets": [{"from": start, "count": count} for start, count in counts.items()],
    }

"""The same search answered by Elasticsearch and by PostgreSQL, through the API, interleaved."""

import http.client
import time
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from bench import report, stack
from bench.search import WARM_UP, get

ROUNDS = 40  # of every request of a kind


def measure(bench: stack.Bench) -> dict[str, Any]:
    """Latencies in ms by kind of request and engine."""
    bench.market()
    results: dict[str, Any] = {}
    with (
        stack.api_process() as (elastic, _),
        stack.api_process(RIDES_ELASTICSEARCH_URL="") as (postgres, _),
    ):
        connections = {
            name: http.client.HTTPConnection(address, timeout=30)
            for name, address in (("elasticsearch", elastic), ("postgres", postgres))
        }
        for kind, queries in stack.requests().items():
            timings: dict[str, list[float]] = {name: [] for name in connections}
            for number in range(WARM_UP + ROUNDS):
                for query in queries:
                    target = f"/v1/search/vehicles?{quote(query, safe='=&-,')}"
                    for name, connection in connections.items():
                        begun = time.perf_counter()
                        get(connection, target)
                        if number >= WARM_UP:
                            timings[name].append((time.perf_counter() - begun) * 1000)
            results[kind] = {name: report.summary(times) for name, times in timings.items()}
    return results


def show(results: dict[str, Any]) -> None:
    """A line a kind: median and 95th percentile of both."""
    table = Table("ms at p50 / p95", "elasticsearch", "postgres")
    for kind, each in results.items():
        table.add_row(kind, *(f"{way['p50']} / {way['p95']}" for way in each.values()))
    Console().print(table)

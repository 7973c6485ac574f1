"""The same search answered by Elasticsearch and by PostgreSQL, through the API, interleaved.

At 5,000 vehicles and at the asked number, in one run.
"""

import http.client
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from bench import report, stack
from bench.search import WARM_UP, get

SMALL = 5_000
ROUNDS = 40  # of every request of a kind
KINDS = ("page only", "faceted", "suggest-sized")
MOST_MS = 1_500  # that PostgreSQL may take for the dearest search that is let in
# As long as a text may be: words that nearly every vehicle has, among small ones that are scored;
# and words that are all misspelt, of which names have none or a few.
DEAREST = (
    "q=air a the and for with in i we of from to on my at by is or an condition conditioning usb",
    "q=condishunin blutooth petroll automatik chargerr seatts camerra backupp mercedeces",
    "q=toyotta a the and for with in i we of from to on my at by is or an&lat=19.7&lon=-155.1",
)
Connections = Mapping[str, http.client.HTTPConnection]


def measure(bench: stack.Bench) -> dict[str, Any]:
    """By number of vehicles and kind of request, latencies in ms of both engines."""
    return {
        f"{size:,} vehicles": _measure(stack.Bench(bench.state, size))
        for size in sorted({SMALL, bench.vehicles})
    }


def _measure(bench: stack.Bench) -> dict[str, Any]:
    bench.market()
    kinds = {kind: stack.requests()[kind] for kind in KINDS} | {"dearest text": list(DEAREST)}
    with (
        stack.api_process() as (elastic, _),
        stack.api_process(RIDES_ELASTICSEARCH_URL="") as (postgres, _),
    ):
        connections = {
            name: http.client.HTTPConnection(address, timeout=30)
            for name, address in (("elasticsearch", elastic), ("postgres", postgres))
        }
        return {kind: _compare(connections, queries) for kind, queries in kinds.items()}


def _compare(connections: Connections, queries: list[str]) -> dict[str, Any]:
    timings: dict[str, list[float]] = {name: [] for name in connections}
    for number in range(WARM_UP + ROUNDS):
        for query in queries:
            target = f"/v1/search/vehicles?{quote(query, safe='=&-,')}"
            for name, connection in connections.items():
                begun = time.perf_counter()
                get(connection, target)
                if number >= WARM_UP:
                    timings[name].append((time.perf_counter() - begun) * 1000)
    return {
        name: report.summary(times) | {"max": round(max(times), 2)}
        for name, times in timings.items()
    }


def show(results: dict[str, Any]) -> bool:
    """A line a kind: median and 95th percentile of both; whether no search took too long."""
    table = Table("ms at p50 / p95", "", "elasticsearch", "postgres")
    for size, kinds in results.items():
        for kind, each in kinds.items():
            table.add_row(size, kind, *(f"{way['p50']} / {way['p95']}" for way in each.values()))
    Console().print(table)
    longest = max(each["postgres"]["max"] for kinds in results.values() for each in kinds.values())
    return report.promise(
        f"the slowest of PostgreSQL's answers took {longest:.0f} ms (at most {MOST_MS})",
        longest <= MOST_MS,
    )

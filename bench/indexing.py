"""How soon a change is found under steady writes, and how fast both stores are compared.

In a copy of the marketplace, since the writes stay. The worker runs as deployed. Its lag is taken
twice: by a probe that searches until a change is found, and from the histogram that the drain keeps
of itself.
"""

import os
import subprocess
import sys
from typing import Any

import orjson
import psycopg
from elasticsearch import Elasticsearch
from rich.console import Console

from bench import lag, report, stack
from bench.lag import Index
from runtime.settings import settings

RATES = (50, 200)  # writes a second
SECONDS = 60.0
WARM_UP_S = 10.0
AUDITS = 3
LAG_P50_MS, LAG_P99_MS, AUDITED = 400, 1000, 8000


def measure(bench: stack.Bench) -> dict[str, Any]:
    """Lag in ms by rate, and vehicles compared a second."""
    name = f"indexing_{bench.vehicles}"
    os.environ["RIDES_DATABASE_URL"] = url = stack.copy(bench.market().database_url, name)
    os.environ["RIDES_INDEX_ALIAS"] = name.replace("_", "-")
    settings.cache_clear()
    chosen = settings()
    with psycopg.connect(url, autocommit=True) as connection:
        # Those of the original: they are not to be fed from the copy.
        connection.execute("DELETE FROM index_builds")
    stack.rides("reindex")
    index = Index(chosen.elasticsearch_url, chosen.index_alias, "daily_rate")
    results: dict[str, Any] = {"vehicles": bench.vehicles, "lag_ms": {}}
    with Elasticsearch(chosen.elasticsearch_url) as client:
        stack.settle(client)
        results["audit_vehicles_a_second"] = [_audit() for _ in range(AUDITS)]
        with stack.worker(bench.state), psycopg.connect(url, autocommit=True) as connection:
            lag.drained(connection)  # the seeding left a row for each change
            lag.measure(url, index, rate=RATES[-1], seconds=WARM_UP_S)
            connection.execute("DELETE FROM index_lag")
            for rate in RATES:
                results["lag_ms"][rate] = lag.measure(url, index, rate=rate, seconds=SECONDS)
            results["own_lag_s"] = _own_lag()
        client.indices.delete(index=list(client.indices.get_alias(name=chosen.index_alias)))
    return results


def _audit() -> int:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "--json"], check=True, capture_output=True
    )
    return int(orjson.loads(done.stdout)["vehicles_per_second"])


def _own_lag() -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "index", "status", "--json"], check=True, capture_output=True
    )
    return orjson.loads(done.stdout)["lag"]


def show(results: dict[str, Any]) -> bool:
    """The figures and the promises."""
    audited = sorted(results["audit_vehicles_a_second"])
    console = Console()
    for rate, each in results["lag_ms"].items():
        console.print(f"{rate} writes/s, {results['vehicles']:,} vehicles: lag {each} ms")
    console.print(f"the drain's own histogram: {results['own_lag_s']}")
    fast = results["lag_ms"][RATES[-1]]
    return all(
        [
            report.promise(f"lag p50 < {LAG_P50_MS} ms ({fast['p50']})", fast["p50"] < LAG_P50_MS),
            report.promise(f"lag p99 < {LAG_P99_MS} ms ({fast['p99']})", fast["p99"] < LAG_P99_MS),
            report.promise("every sampled change is found", not fast["not_found"]),
            report.promise(
                f"audit >= {AUDITED:,} vehicles/s ({audited[0]:,}-{audited[-1]:,})",
                audited[len(audited) // 2] >= AUDITED,
            ),
        ]
    )

"""`rides reindex` against what it cannot do without: reading the view and a bare bulk.

All three are repeated in turn; merges settle before each measurement.
"""

import http.client
import statistics
import subprocess
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import psutil
from elasticsearch import Elasticsearch
from rich.console import Console

from bench import report, stack
from indexer.documents import operations, read_page
from indexer.slices import PAGE
from models.session import connect
from runtime.settings import Settings
from search.mapping import INDEX_SETTINGS, MAPPINGS

REINDEX, PEAK_MB = 1.5, 300
REPEATS = 3
_NAME = "bench-bare"


def measure(bench: stack.Bench) -> dict[str, Any]:
    """Seconds of each, and the command's peak memory in MB."""
    chosen = bench.market()
    seconds: dict[str, list[float]] = {"reading the view": [], "bare bulk": [], "rides reindex": []}
    peak = 0.0
    with Elasticsearch(chosen.elasticsearch_url, request_timeout=120) as client:
        for _ in range(REPEATS):
            stack.settle(client)
            spent, pages = _read(chosen)
            seconds["reading the view"].append(spent)
            documents = sum(page.count(b'{"index"') for page in pages)
            stack.settle(client)
            seconds["bare bulk"].append(_bulk(chosen, client, pages))
            del pages
            stack.settle(client)
            spent, memory = _command()
            seconds["rides reindex"].append(spent)
            peak = max(peak, memory)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    floor = medians["reading the view"] + medians["bare bulk"]
    return {
        "documents": documents,
        "seconds": {name: [round(each, 2) for each in times] for name, times in seconds.items()},
        "median_s": {name: round(each, 2) for name, each in medians.items()},
        "ratio": round(medians["rides reindex"] / floor, 2),
        "peak_mb": round(peak),
    }


def _read(chosen: Settings) -> tuple[float, list[bytes]]:
    """Read all documents page by page; serialising them for the bulk is not counted."""
    pages, spent, last = [], 0.0, 0
    with connect(chosen, application="bench") as connection:
        while True:
            begun = time.perf_counter()
            documents = read_page(connection, last, PAGE)
            spent += time.perf_counter() - begun
            if not documents:
                return spent, pages
            last = documents[-1].vehicle_id
            pages.append(operations(documents, 1))


def _bulk(chosen: Settings, client: Elasticsearch, pages: list[bytes]) -> float:
    """Post the pages over one connection into an index of the same settings, then refresh."""
    client.indices.delete(index=_NAME, ignore_unavailable=True)
    client.indices.create(
        index=_NAME, settings=INDEX_SETTINGS | {"refresh_interval": "-1"}, mappings=MAPPINGS
    )
    connection = http.client.HTTPConnection(urlsplit(chosen.elasticsearch_url).netloc, timeout=120)
    begun = time.perf_counter()
    for page in pages:
        connection.request(
            "POST",
            f"/{_NAME}/_bulk?filter_path=errors",
            page,
            {"content-type": "application/x-ndjson"},
        )
        answer = connection.getresponse().read()
        if answer != b'{"errors":false}':
            raise RuntimeError(answer[:500])
    client.indices.refresh(index=_NAME)
    spent = time.perf_counter() - begun
    stack.settle(client)
    client.indices.delete(index=_NAME)
    return spent


def _command() -> tuple[float, float]:
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "cli", "reindex"])
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                return
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    if process.wait() != 0:
        raise RuntimeError("rides reindex failed")
    watcher.join()
    return time.perf_counter() - begun, peak


def show(results: dict[str, Any]) -> bool:
    """The rebuild against its floor."""
    Console().print(
        f"reindex of {results['documents']:,} documents: {results['median_s']} s (median); "
        f"{results['ratio']} times the floor, peak {results['peak_mb']} MB"
    )
    return all(
        [
            report.promise(f"<= {REINDEX} times the floor", results["ratio"] <= REINDEX),
            report.promise(f"peak memory < {PEAK_MB} MB", results["peak_mb"] < PEAK_MB),
        ]
    )

"""What facets, the check of a page and the reading of text cost: each search with and without.

Every pair is asked of two API processes, one each, request by request in turn, so that each
process's CPU time is one way's. Both ways must find the same vehicles.
"""

import http.client
import time
from contextlib import ExitStack
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson
from rich.console import Console
from rich.table import Table

from bench import report, stack
from bench.search import WARM_UP, get

ROUNDS = 40  # of every pair
# Understood to the last word, so that parameters say the same.
TEXTS = (
    "toyota suv under $90",
    "automatic jeep in hilo",
    "2019 or newer electric with bluetooth",
    "7 seater in kona",
    "honda civic",
)


class Pair(NamedTuple):
    """Targets that find the same, with and without what is measured."""

    with_it: str
    without: str


def measure(bench: stack.Bench) -> dict[str, Any]:
    """Milliseconds by what is measured and way, and CPU of the API in milliseconds a request."""
    bench.market()
    kinds = stack.requests()
    pages, faceted = (
        [f"/v1/search/vehicles?{quote(each, safe='=&-,')}" for each in kinds[kind]]
        for kind in ("page only", "faceted")
    )
    results = {}
    with ExitStack() as started:
        first, second = (started.enter_context(stack.api_process()) for _ in range(2))
        unchecked = started.enter_context(stack.api_process("bench.unchecked"))
        for address, _ in (first, second):
            _until_understood(address)
        for name, pairs, without in (
            ("facets", [Pair(each, f"{each}&facets=none") for each in faceted], second),
            ("check of a page", [Pair(each, each) for each in pages], unchecked),
            ("check of a faceted page", [Pair(each, each) for each in faceted], unchecked),
            ("reading text", [_read(first[0], text) for text in TEXTS], second),
        ):
            _run(pairs, (first, without), WARM_UP)
            begun = [stack.cpu(process) for _, process in (first, without)]
            timings = _run(pairs, (first, without), ROUNDS)
            requests = len(pairs) * ROUNDS
            results[name] = {
                way: report.summary(times)
                | {"cpu_ms": round((stack.cpu(each[1]) - before) * 1000 / requests, 2)}
                for way, times, each, before in zip(
                    ("with", "without"), timings, (first, without), begun, strict=True
                )
            }
    return results


def _until_understood(address: str) -> None:
    """Wait until the process has read its vocabulary from the index.

    Raises:
        TimeoutError: it has none within a minute.
    """
    connection = http.client.HTTPConnection(address, timeout=30)
    deadline = time.monotonic() + 60
    target = f"/v1/search/vehicles?facets=none&q={quote(TEXTS[0])}"
    while not orjson.loads(get(connection, target))["understood"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{address} has no vocabulary")
        time.sleep(0.2)


def _read(address: str, text: str) -> Pair:
    """The text, and what it is understood as.

    Raises:
        RuntimeError: the two do not find the same, so that comparing them means nothing.
    """
    connection = http.client.HTTPConnection(address, timeout=30)
    start = "/v1/search/vehicles?facets=none&sort=price"
    by_text = f"{start}&q={quote(text)}"
    page = orjson.loads(get(connection, by_text))
    given = [pair for each in page["understood"] for pair in each["parameters"].items()]
    by_parameters = f"{start}&{urlencode(given, doseq=True)}"
    same = orjson.loads(get(connection, by_parameters))
    if not given or page["items"] != same["items"] or page["total"] != same["total"]:
        raise RuntimeError(f"{text!r} is not the same as {by_parameters}")
    return Pair(by_text, by_parameters)


def _run(pairs: list[Pair], ways: Any, rounds: int) -> tuple[list[float], list[float]]:
    timings: tuple[list[float], list[float]] = [], []
    connections = [http.client.HTTPConnection(address, timeout=30) for address, _ in ways]
    for number in range(rounds):
        for pair in pairs:
            # Either goes first as often: the second finds caches warm.
            for way in (0, 1) if number % 2 else (1, 0):
                begun = time.perf_counter()
                get(connections[way], pair[way])
                timings[way].append((time.perf_counter() - begun) * 1000)
    return timings


def show(results: dict[str, Any]) -> None:
    """A line for each: both ways, and what it adds."""
    table = Table("ms at p50 (p25-p75)", "with", "without", "added", "added CPU")
    for name, each in results.items():
        spread = [f"{way['p50']} ({way['p25']}-{way['p75']})" for way in each.values()]
        added, cpu = (each["with"][of] - each["without"][of] for of in ("p50", "cpu_ms"))
        table.add_row(name, *spread, f"{added:+.1f} ms", f"{cpu:+.1f} ms")
    Console().print(table)
    report.bars(
        "costs",
        "The same searches with and without (ms at the median)",
        {
            name: {way: (times["p25"], times["p50"], times["p75"]) for way, times in each.items()}
            for name, each in results.items()
        },
    )

"""Search through the API against the very same bodies posted straight to Elasticsearch.

Four ways in turn, each with all requests, the first another each time: bare (pre-serialised body,
keep-alive, answer read and not parsed), the official client's transport (parsed), lean
(`bench.lean`: FastAPI that only passes the bodies on), and the API. Request by request in turn,
each process would find its caches cleared by the others, as no API does that is asked all the time.
"""

import asyncio
import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer
from msgspec import convert
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from api.routes.clusters import PARAMETERS as CLUSTERS
from api.routes.facet_values import PARAMETERS as FACET_VALUES
from api.search_parameters import parse, parse_for
from api.understanding import first_page
from bench import report, stack
from runtime.settings import Settings
from search import clusters, diversity, facet_values, page, suggest
from search.answer import Found
from search.query import body
from search.request import SearchRequest
from search.understand import vocabulary

ADDED_SHARE, ADDED_MS, CPU_MS, DEEP = 0.25, 4.0, 4.0, 1.2
ADDED_SHARE_TYPING = 0.5  # a suggestion's own call is short
ROUNDS = 60  # of every request of a kind, by every client
WARM_UP_ALL, WARM_UP = 30, 15
Way = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two services listen."""

    lean: str
    api: str


def measure(bench: stack.Bench) -> dict[str, Any]:
    """Latencies in ms by kind, number of clients and way; CPU of the API in ms a request."""
    chosen = bench.market()
    results: dict[str, Any] = {}
    with stack.api_process("bench.lean") as (lean, least), stack.api_process() as (api, process):
        at = Addresses(lean, api)
        for queries in stack.requests().values():
            # A JVM that has just started compiles for minutes, on the cores of all four ways.
            _run(chosen, at, queries, 4, WARM_UP_ALL)
        for kind, queries in stack.requests().items():
            for clients in (1, 4):
                _run(chosen, at, queries, clients, WARM_UP)
                before = [stack.cpu(each) for each in (least, process)]
                timings = _run(chosen, at, queries, clients, ROUNDS)
                used = [
                    (stack.cpu(each) - then) * 1000 / len(timings["api"])
                    for each, then in zip((least, process), before, strict=True)
                ]
                results[f"{kind}, {clients} client{'s' if clients > 1 else ''}"] = {
                    "ways": {way: report.summary(times) for way, times in timings.items()},
                    "lean_cpu_ms": round(used[0], 2),
                    "api_cpu_ms": round(used[1], 2),
                }
        results["deep pages"] = _deep_pages(api)
    return results


def _run(
    chosen: Settings, at: Addresses, queries: list[str], clients: int, rounds: int
) -> dict[str, list[float]]:
    timings: dict[str, list[float]] = {"bare": [], "client": [], "lean": [], "api": []}
    threads = [
        threading.Thread(target=_client, args=(chosen, at, queries, rounds, timings))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return timings


def _client(
    chosen: Settings,
    at: Addresses,
    queries: list[str],
    rounds: int,
    timings: dict[str, list[float]],
) -> None:
    elastic = http.client.HTTPConnection(urlsplit(chosen.elasticsearch_url).netloc, timeout=30)
    lean = http.client.HTTPConnection(at.lean, timeout=30)
    api = http.client.HTTPConnection(at.api, timeout=30)
    official = Elasticsearch(chosen.elasticsearch_url, serializer=OrjsonSerializer(), max_retries=0)
    now = datetime.now(UTC)
    names = vocabulary.read(official, chosen.index_alias)
    ways: list[dict[str, Way]] = []
    for query in queries:
        resource, contents, preference = bare(chosen, official, names, query, now)
        bodies, whole = [orjson.dumps(each) for each in contents], [orjson.dumps(contents)]
        path = (
            f"/{chosen.index_alias}/_search?allow_partial_search_results=false"
            f"&preference={preference}"
        )
        passed_on = f"/search?path={quote(path)}"
        target = f"/v1/search/{resource}?{quote(query.rpartition('?')[2], safe='=&-,')}"
        ways.append(
            {
                "bare": lambda p=path, b=bodies: _post(elastic, p, b),  # type: ignore[misc]
                "client": lambda p=path, b=bodies: _official(official, p, b),  # type: ignore[misc]
                "lean": lambda p=passed_on, b=whole: _post(lean, p, b),  # type: ignore[misc]
                "api": lambda t=target: get(api, t),  # type: ignore[misc]
            }
        )
    order = list(ways[0])
    for _ in range(rounds):
        for name in order:
            for each in ways:
                begun = time.perf_counter()
                each[name]()
                timings[name].append((time.perf_counter() - begun) * 1000)
        order.append(order.pop(0))
    official.close()


def bare(
    chosen: Settings,
    official: Elasticsearch,
    names: vocabulary.Vocabulary,
    asked: str,
    now: datetime,
) -> tuple[str, list[dict[str, Any]], str]:
    """What a request, of vehicles or of `resource?…`, asks Elasticsearch: resource, bodies, copy.

    The API reads the text; the bare bodies are those that come of it.
    """
    resource, _, query = asked.rpartition("?")
    given = parse_qsl(query)
    if resource == "suggest":
        typed = suggest.Typed.of(dict(given)["q"], 5)
        return resource, [suggest.build(typed)], typed.fingerprint()

    def read(request: SearchRequest) -> SearchRequest:
        return first_page(request, names, now, chosen.time_zone).request

    if resource == "facet-values":
        own, request = parse_for(FACET_VALUES, given, now.date())
        request = read(replace(request, text=own.text))
        question = facet_values.FacetQuestion.of(request, own.facet, own.q)
        return resource, [facet_values.build(question)], request.fingerprint()
    if resource == "clusters":
        own, request = parse_for(CLUSTERS, given, now.date())
        view = clusters.MapView(read(request), own.zoom)
        return resource, [clusters.build(view)], view.request.fingerprint()
    request = read(parse(given, now.date())[0])
    recorder = Recorder(official, chosen.index_alias)
    asyncio.run(diversity.search(recorder, request))
    return "vehicles", recorder.bodies, request.fingerprint()


@dataclass(slots=True)
class Recorder:
    """An engine that notes what it is asked: a first page by relevance may take two calls."""

    official: Elasticsearch
    alias: str
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def search(self, request: SearchRequest) -> page.SearchPage:
        """A page, as the API's engine reads it."""
        return page.read(request, self._ask(body.build(request)))

    async def window(self, request: SearchRequest) -> page.Window:
        """Candidates, as the API's engine reads them."""
        return page.read_window(request, self._ask(body.window(request)))

    def _ask(self, content: dict[str, Any]) -> Found:
        self.bodies.append(content)
        return convert(self.official.search(index=self.alias, body=content).body, Found)


JSON = {"content-type": "application/json"}


def _post(connection: http.client.HTTPConnection, path: str, bodies: list[bytes]) -> None:
    for each in bodies:
        connection.request("POST", path, each, JSON)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(content[:500])


def _official(client: Elasticsearch, path: str, bodies: list[bytes]) -> None:
    headers = JSON | {"accept": "application/json"}
    for each in bodies:
        client.perform_request("POST", path, headers=headers, body=each)


def get(connection: http.client.HTTPConnection, target: str) -> bytes:
    """The body of an answer that must be 200."""
    connection.request("GET", target)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(content[:500])
    return content


def _deep_pages(address: str) -> dict[str, Any]:
    """Page 500 by cursor, or the last of a smaller market, against page 1, interleaved.

    Same parameters, no facets on both.
    """
    connection = http.client.HTTPConnection(address, timeout=30)
    first = late = "/v1/search/vehicles?facets=none&sort=price"
    pages = 1
    while pages < 500 and (cursor := orjson.loads(get(connection, late))["nextCursor"]):
        late = f"{first}&cursor={cursor}"
        pages += 1
    timings: dict[str, list[float]] = {"page 1": [], f"page {pages}": []}
    for number in range(WARM_UP + 200):
        for name, each in zip(timings, (first, late), strict=True):
            begun = time.perf_counter()
            get(connection, each)
            if number >= WARM_UP:
                timings[name].append((time.perf_counter() - begun) * 1000)
    return {"ways": {name: report.summary(times) for name, times in timings.items()}}


def show(results: dict[str, Any]) -> bool:
    """The table of searches, with what the API adds and whether that keeps the promise."""
    within = True
    table = Table(
        "p50 (p25-p75) ms", "bare", "client", "lean", "API", "added", "CPU", "/ lean's", "within"
    )
    for name, each in results.items():
        if name == "deep pages":
            continue
        ways = each["ways"]
        bare, api = ways["bare"]["p50"], ways["api"]["p50"]
        added = api - bare
        most = ADDED_SHARE_TYPING if name.startswith("as you type") else ADDED_SHARE
        kept = added <= max(most * bare, ADDED_MS) and each["api_cpu_ms"] <= CPU_MS
        within &= kept
        spread = [f"{way['p50']} ({way['p25']}-{way['p75']})" for way in ways.values()]
        share = f"{added:+.1f} ms, {added / bare:+.0%}"
        cpu = each["api_cpu_ms"]
        times = f"x{cpu / each['lean_cpu_ms']:.1f}"
        table.add_row(name, *spread, share, f"{cpu} ms", times, "yes" if kept else "NO")
    Console().print(table)
    deep = results["deep pages"]["ways"]
    _, late = deep
    ratio = deep[late]["p50"] / deep["page 1"]["p50"]
    _draw(results)
    share = f"{ADDED_SHARE:.0%} (as you type {ADDED_SHARE_TYPING:.0%})"
    return all(
        [
            report.promise(f"added p50 <= max({share}, {ADDED_MS} ms), CPU <= {CPU_MS} ms", within),
            report.promise(f"{late} / page 1 = {ratio:.2f} <= {DEEP}", ratio <= DEEP),
        ]
    )


def _draw(results: dict[str, Any]) -> None:
    report.bars(
        "search",
        "The same search: straight to Elasticsearch, by its client, lean, the API (ms)",
        {
            kind: {name: (way["p25"], way["p50"], way["p75"]) for name, way in each["ways"].items()}
            for kind, each in results.items()
            if kind != "deep pages"
        },
    )

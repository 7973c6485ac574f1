"""Search through the API against the very same bodies posted straight to Elasticsearch.

Three ways are interleaved request by request: bare (pre-serialised body, keep-alive, answer read
and not parsed), the official client's transport (parsed), and the API.
"""

import http.client
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import orjson
import psutil
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from api.routes.clusters import PARAMETERS as CLUSTERS
from api.routes.facet_values import PARAMETERS as FACET_VALUES
from api.search_parameters import parse, parse_for
from api.understanding import first_page
from bench import stack
from runtime.settings import Settings
from search import clusters, facet_values, suggest
from search.query.body import build
from search.understand import vocabulary

ROUNDS = 60  # of every request of a kind, by every client
WARM_UP = 15
Way = Callable[[], None]


def measure(chosen: Settings) -> dict[str, Any]:
    """Latencies in ms by kind, number of clients and way; CPU of the API in ms a request."""
    results: dict[str, Any] = {}
    with stack.api_process() as (address, process):
        for kind, queries in stack.requests().items():
            for clients in (1, 4):
                _run(chosen, address, queries, clients, WARM_UP)
                before = _cpu(process)
                timings = _run(chosen, address, queries, clients, ROUNDS)
                cpu = (_cpu(process) - before) * 1000 / len(timings["api"])
                results[f"{kind}, {clients} client{'s' if clients > 1 else ''}"] = {
                    "ways": {way: summary(times) for way, times in timings.items()},
                    "api_cpu_ms": round(cpu, 2),
                }
        results["deep pages"] = _deep_pages(address)
    return results


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _run(
    chosen: Settings, address: str, queries: list[str], clients: int, rounds: int
) -> dict[str, list[float]]:
    timings: dict[str, list[float]] = {"bare": [], "client": [], "api": []}
    threads = [
        threading.Thread(target=_client, args=(chosen, address, queries, rounds, timings))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return timings


def _client(
    chosen: Settings,
    address: str,
    queries: list[str],
    rounds: int,
    timings: dict[str, list[float]],
) -> None:
    elastic = http.client.HTTPConnection(urlsplit(chosen.elasticsearch_url).netloc, timeout=30)
    api = http.client.HTTPConnection(address, timeout=30)
    official = Elasticsearch(chosen.elasticsearch_url, serializer=OrjsonSerializer(), max_retries=0)
    now = datetime.now(UTC)
    names = vocabulary.read(official, chosen.index_alias)
    ways: list[dict[str, Way]] = []
    for query in queries:
        resource, content, preference = bare(chosen, names, query, now)
        body = orjson.dumps(content)
        path = (
            f"/{chosen.index_alias}/_search?allow_partial_search_results=false"
            f"&preference={preference}"
        )
        target = f"/v1/search/{resource}?{quote(query.rpartition('?')[2], safe='=&-,')}"
        ways.append(
            {
                "bare": lambda p=path, b=body: _post(elastic, p, b),  # type: ignore[misc]
                "client": lambda p=path, b=body: _official(official, p, b),  # type: ignore[misc]
                "api": lambda t=target: get(api, t),  # type: ignore[misc]
            }
        )
    for _ in range(rounds):
        for each in ways:
            for name, way in each.items():
                begun = time.perf_counter()
                way()
                timings[name].append((time.perf_counter() - begun) * 1000)
    official.close()


def bare(
    chosen: Settings, names: vocabulary.Vocabulary, asked: str, now: datetime
) -> tuple[str, dict[str, Any], str]:
    """What a request, of vehicles or of `resource?…`, asks Elasticsearch: resource, body, copy."""
    resource, _, query = asked.rpartition("?")
    given = parse_qsl(query)
    if resource == "suggest":
        typed = suggest.Typed.of(dict(given)["q"], 5)
        return resource, suggest.build(typed), typed.fingerprint()
    if resource == "facet-values":
        own, request = parse_for(FACET_VALUES, given, now.date())
        request = replace(request, text=own.text)
        question = facet_values.FacetQuestion.of(request, own.facet, own.q)
        return resource, facet_values.build(question), request.fingerprint()
    if resource == "clusters":
        own, request = parse_for(CLUSTERS, given, now.date())
        return resource, clusters.build(clusters.MapView(request, own.zoom)), request.fingerprint()
    request, _ = parse(given, now.date())
    # The API reads the text; the bare body is the one that comes of it.
    understood = first_page(request, names, now, chosen.time_zone).request
    return "vehicles", build(replace(understood, now=now)), understood.fingerprint()


JSON = {"content-type": "application/json"}


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> None:
    connection.request("POST", path, body, JSON)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(content[:500])


def _official(client: Elasticsearch, path: str, body: bytes) -> None:
    client.perform_request("POST", path, headers=JSON | {"accept": "application/json"}, body=body)


def get(connection: http.client.HTTPConnection, target: str) -> bytes:
    """The body of an answer that must be 200."""
    connection.request("GET", target)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(content[:500])
    return content


def _deep_pages(address: str) -> dict[str, Any]:
    """Page 500 by cursor against page 1, same parameters, no facets on both, interleaved."""
    connection = http.client.HTTPConnection(address, timeout=30)
    first = "/v1/search/vehicles?facets=none&sort=price"
    target = first
    for _ in range(499):
        page = orjson.loads(get(connection, target))
        target = f"{first}&cursor={page['nextCursor']}"
    timings: dict[str, list[float]] = {"page 1": [], "page 500": []}
    for number in range(WARM_UP + 200):
        for name, each in (("page 1", first), ("page 500", target)):
            begun = time.perf_counter()
            get(connection, each)
            if number >= WARM_UP:
                timings[name].append((time.perf_counter() - begun) * 1000)
    return {"ways": {name: summary(times) for name, times in timings.items()}}


def summary(times: list[float]) -> dict[str, float]:
    """Median, quartiles and 95th percentile."""
    quarters = statistics.quantiles(times, n=20)
    return {
        "p25": round(quarters[4], 2),
        "p50": round(statistics.median(times), 2),
        "p75": round(quarters[14], 2),
        "p95": round(quarters[18], 2),
        "n": len(times),
    }

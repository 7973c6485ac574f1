"""The order of results, judged: the default profile against the best plain BM25 search.

Both search the real US listings, each in an index of its own. A query's judgments are rules over a
vehicle's fields (bench/judgments.json): the first rule that a vehicle meets gives its grade, 3 for
what was asked down to 1 for what is still of use, and none is 0.

Parts of the profile are switched off one at a time, to see what each does to the first ten: their
nDCG, how many hosts and models they show, and how their prices stand to the local median. Besides
the judged queries that is done for searches without text around the cities with most listings.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from msgspec import convert
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench import dead_ends, stack
from indexer.documents import read_page
from models.session import connect
from runtime.settings import settings
from search import page
from search.answer import Found
from search.did_you_mean import similar
from search.diversity import WINDOW, rerank
from search.mapping import INDEX_SETTINGS, MAPPINGS
from search.profiles import DEFAULT, Profile
from search.query import body
from search.query.text import TEXT_FIELDS
from search.request import Near, SearchRequest
from search.understand import vocabulary

LISTINGS = Path(__file__).parents[2] / "shared" / "data" / "turo-us.csv"
ALIAS, PLAIN = "vehicles-bench-relevance", "bench-relevance-bm25"
DEPTH = 10
CITIES, AROUND_KM = 20, 30
Document = dict[str, Any]
Search = Callable[[str], list[int]]
Ranking = Callable[[SearchRequest], list[int]]


def measure(bench: stack.Bench) -> dict[str, Any]:
    """nDCG@10 of both by group of queries, and of every query; which BM25 search was the best."""
    if not LISTINGS.exists():
        raise SystemExit("the real listings are not beside this checkout (../shared/data)")
    os.environ["RIDES_INDEX_ALIAS"] = ALIAS
    stack.servers(bench.state)
    stack.database("bench_relevance")
    stack.rides("import", str(LISTINGS))
    stack.rides("reindex")
    with connect(settings(), application="bench") as connection:
        documents = [json.loads(each.source) for each in read_page(connection, 0, 100_000)]
    judged = json.loads((Path(__file__).parent / "judgments.json").read_text())
    with Elasticsearch(settings().elasticsearch_url) as client:
        searches = {name: _profile(client, each) for name, each in _variants().items()}
        profile = _by_query(judged, documents, _of_text(searches["profile"]))
        _index_plainly(client, documents)
        tried = {
            name: _by_query(judged, documents, _plain(client, options))
            for name, options in _plain_searches().items()
        }
        client.indices.delete(index=PLAIN)
        parts = {
            name: _shown(judged, documents, search)
            | {"ndcg": round(fmean(_by_query(judged, documents, _of_text(search)).values()), 3)}
            for name, search in searches.items()
        }
    best = max(tried, key=lambda name: fmean(tried[name].values()))
    return {
        "documents": len(documents),
        "dead ends": dead_ends.measure(),
        "plain": best,
        "groups": {
            group: {
                "queries": len(queries),
                "bm25": round(fmean(tried[best][each["q"]] for each in queries), 3),
                "profile": round(fmean(profile[each["q"]] for each in queries), 3),
            }
            for group, queries in (judged | {"all": _all(judged)}).items()
        },
        "parts": parts,
        "queries": {q: {"bm25": tried[best][q], "profile": profile[q]} for q in profile},
    }


def _all(judged: dict[str, Any]) -> list[Any]:
    return [each for queries in judged.values() for each in queries]


def _by_query(
    judged: dict[str, Any], documents: list[Document], search: Search
) -> dict[str, float]:
    return {
        each["q"]: ndcg(
            {document["id"]: grade(document, each["rules"]) for document in documents},
            search(each["q"]),
        )
        for each in _all(judged)
    }


def grade(document: Document, rules: Iterable[tuple[int, dict[str, Any]]]) -> int:
    """The grade of the first rule of which every field matches; values may have `*`."""
    for value, fields in rules:
        if all(_matches(document[name], pattern) for name, pattern in fields.items()):
            return value
    return 0


def _matches(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, list):
        return any(_matches(value, each) for each in pattern)
    return fnmatchcase(str(value or "").lower(), str(pattern).lower())


def ndcg(grades: dict[int, int], found: list[int]) -> float:
    """Normalised discounted cumulative gain of the first ten; gains are 2^grade - 1.

    Raises:
        ValueError: no document has a grade: the judgment is wrong, not the search.
    """

    def gain(ranked: Iterable[int]) -> float:
        return sum((2**each - 1) / math.log2(at + 2) for at, each in enumerate(ranked))

    ideal = gain(sorted(grades.values(), reverse=True)[:DEPTH])
    if not ideal:
        raise ValueError("no vehicle meets any rule of a judged query")
    return round(gain(grades[each] for each in found[:DEPTH]) / ideal, 4)


def _variants() -> dict[str, Profile]:
    """The default profile, and without each part that orders what the text finds alike."""
    variants = {"profile": DEFAULT}
    for part in ("diversity", "price"):
        content = DEFAULT.model_dump()
        (content["signals"] if part in content["signals"] else content)[part]["on"] = False
        variants[f"without {part}"] = Profile.model_validate(content)
    return variants


def _profile(client: Elasticsearch, profile: Profile) -> Ranking:
    known = vocabulary.read(client, ALIAS)

    def search(request: SearchRequest) -> list[int]:
        alike = similar(request.text or "", known.words, known.near)
        request = replace(request, similar=alike, limit=WINDOW)
        found = client.search(index=ALIAS, body=body.window(request, profile)).body
        candidates = page.read_window(request, convert(found, Found)).candidates
        if not profile.diversity.on:
            return [each.id for each in candidates[:DEPTH]]
        by_model = request.text is None
        return list(rerank(candidates, profile.diversity, by_model=by_model)[:DEPTH])

    return search


def _of_text(ranking: Ranking) -> Search:
    return lambda q: ranking(SearchRequest(text=q))


def _shown(
    judged: dict[str, Any], documents: list[Document], ranking: Ranking
) -> dict[str, dict[str, float]]:
    """Of the first ten: hosts, models, and the mean price in per cent of the local median."""
    by_id = {document["id"]: document for document in documents}
    requests = {
        "text": [SearchRequest(text=each["q"]) for each in _all(judged)],
        "around cities": [SearchRequest(near=each) for each in _cities(documents)],
    }
    shown: dict[str, dict[str, float]] = {}
    for kind, asked in requests.items():
        pages = [[by_id[each] for each in ranking(request)] for request in asked]
        full = [page for page in pages if len(page) == DEPTH]
        prices = [each["price_vs_median"] for page in full for each in page]
        shown[kind] = {
            "searches": len(full),
            "hosts": round(fmean(len({each["host_id"] for each in page}) for page in full), 2),
            "models": round(
                fmean(len({(each["make"], each["model"]) for each in page}) for page in full), 2
            ),
            "price_pct": round(fmean(price for price in prices if price) / 10, 1),
        }
    return shown


def _cities(documents: list[Document]) -> list[Near]:
    """Where the first listing of each of the twenty cities with most listings stands."""
    placed = [each for each in documents if each["location"] and each["city"]]
    counts = Counter((each["city"], each["region"]) for each in placed)
    first = {(each["city"], each["region"]): each["location"] for each in reversed(placed)}
    return [Near(**first[city], radius_km=AROUND_KM) for city, _ in counts.most_common(CITIES)]


def _plain(client: Elasticsearch, options: dict[str, Any]) -> Search:
    def search(q: str) -> list[int]:
        query = {"multi_match": {"query": q, **options}}
        sort = [{"_score": "desc"}, {"id": "asc"}]
        return _ids(client, PLAIN, {"query": query, "sort": sort, "size": DEPTH, "_source": False})

    return search


def _ids(client: Elasticsearch, index: str, body: dict[str, Any]) -> list[int]:
    return [int(hit["_id"]) for hit in client.search(index=index, body=body)["hits"]["hits"]]


def _plain_searches() -> dict[str, dict[str, Any]]:
    """Every plain multi_match that a developer might try, the weights of the profile included."""
    unweighted = [each.partition("^")[0] for each in TEXT_FIELDS]
    searches: dict[str, dict[str, Any]] = {}
    for kind, operator, weighted, fuzzy in product(
        ("best_fields", "most_fields", "cross_fields"), ("or", "and"), (False, True), (False, True)
    ):
        if fuzzy and kind == "cross_fields":
            continue  # refused by Elasticsearch
        name = f"{kind} {operator}{' weighted' * weighted}{' fuzzy' * fuzzy}"
        fields = list(TEXT_FIELDS) if weighted else unweighted
        searches[name] = {"type": kind, "operator": operator, "fields": fields}
        if fuzzy:
            searches[name]["fuzziness"] = "AUTO"
    return searches


def _index_plainly(client: Elasticsearch, documents: list[Document]) -> None:
    """The same mapping and analysis, but BM25 with norms, and names without joined forms."""
    client.indices.delete(index=PLAIN, ignore_unavailable=True)
    plain = {name: value for name, value in INDEX_SETTINGS.items() if name != "similarity"}
    mappings = json.loads(json.dumps(MAPPINGS).replace('"norms": false', '"norms": true'))
    client.indices.create(index=PLAIN, settings=plain, mappings=mappings)
    bulk(
        client,
        (
            {"_index": PLAIN, "_id": each["id"], "_source": each | {"name": each["title"]}}
            for each in documents
        ),
        refresh=True,
    )


def show(results: dict[str, Any]) -> None:
    """nDCG@10 by group of queries, and the queries that plain BM25 answers better."""
    table = Table("nDCG@10", "queries", "BM25", "profile", "difference")
    for group, each in results["groups"].items():
        difference = each["profile"] - each["bm25"]
        table.add_row(
            group,
            str(each["queries"]),
            f"{each['bm25']}",
            f"{each['profile']}",
            f"{difference:+.3f}",
        )
    Console().print(table)
    worse = [
        f"{q} ({each['profile']} instead of {each['bm25']})"
        for q, each in results["queries"].items()
        if each["profile"] < each["bm25"]
    ]
    parts = Table("first ten", "nDCG@10", "searches", "hosts", "models", "price, % of the median")
    for part, each in results["parts"].items():
        for kind in ("text", "around cities"):
            figures = [
                str(each[kind][name]) for name in ("searches", "hosts", "models", "price_pct")
            ]
            parts.add_row(f"{kind}: {part}", str(each["ndcg"]) if kind == "text" else "", *figures)
    Console().print(parts)
    Console().print(f"best BM25: {results['plain']}; better there: {', '.join(worse) or 'none'}")
    dead_ends.show(results["dead ends"])

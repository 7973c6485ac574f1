"""Elasticsearch gone, mute, failing or not there at all: the same search, from PostgreSQL."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.rows import TupleRow

from api.app import create_app
from indexer.rebuild import refill
from runtime.settings import Settings
from search import breaker
from search.understand.vocabulary import EMPTY
from tests import factory
from tests.market import Market

Open = Callable[..., TestClient]
GONE = "http://127.0.0.1:1"  # nobody listens there
SEARCH = "/v1/search/vehicles"


@pytest.fixture
def open_api(settings: Settings) -> Iterator[Open]:
    """The API over this worker's database and some other Elasticsearch."""
    with ExitStack() as stack:

        def opened(url: str, **others: Any) -> TestClient:
            chosen = settings.model_copy(update={"elasticsearch_url": url} | others)
            return stack.enter_context(
                TestClient(create_app(chosen), raise_server_exceptions=False)
            )

        yield opened


@pytest.fixture
def vehicle(conn: psycopg.Connection[TupleRow]) -> int:
    """A vehicle that no Elasticsearch has ever seen."""
    stored = factory.store_vehicle(conn, make="Citroën", model="C3", features=["GPS"])
    refill(conn, lambda done, total: None)
    return stored


def ids(api: TestClient, **parameters: Any) -> list[int]:
    answer = api.get(SEARCH, params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def engine(api: TestClient, **parameters: Any) -> tuple[str, bool]:
    meta = api.get(SEARCH, params=parameters).json()["meta"]
    return meta["engine"], meta["degraded"]


def health(api: TestClient) -> tuple[str, str | None]:
    search = api.get("/health").json()["components"]["search"]
    return search["status"], search["breaker"]


def test_without_elasticsearch_postgresql_is_the_engine(open_api: Open, vehicle: int) -> None:
    api = open_api("")
    assert ids(api, q="citroen", features="gps") == [vehicle]
    assert engine(api) == ("postgres", False)
    assert health(api) == ("ok", None)


def test_with_elasticsearch_gone_the_same_request_is_answered(open_api: Open, vehicle: int) -> None:
    api = open_api(GONE)
    assert health(api) == ("failed", "closed")
    for _ in range(10):
        assert ids(api, make="citroën") == [vehicle]
        assert engine(api) == ("postgres", True)
    assert health(api) == ("failed", "open")


@contextmanager
def mute() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that accepts, reads nothing and never answers; its connections so far."""
    calls: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    calls.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", calls
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for call in calls:
                call.close()


def test_a_mute_elasticsearch_is_asked_three_times_and_then_left_alone(
    open_api: Open, vehicle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "OPEN_S", 60)
    with mute() as (url, calls):
        api = open_api(url)
        for _ in range(30):
            assert ids(api) == [vehicle]
        assert len(calls) == 3 + 1  # the vocabulary, once at the start


@contextmanager
def answering(answers: dict[str, Any], asked: list[str]) -> Iterator[str]:
    """A server that gives `answers["status"]` and `answers["body"]`, bytes as they are."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            if "preference" in self.path:  # a search, not what a process learns names by
                asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            body = answers["body"]
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            self.send_response(answers["status"])
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", answers.get("type", "application/json"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)


PARTIAL = {"timed_out": True, "_shards": {"failed": 0}, "hits": {"hits": []}, "took": 1}
WHOLE = {
    "timed_out": False,
    "_shards": {"failed": 0},
    "hits": {"total": {"value": 0}, "hits": []},
    "took": 1,
}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((status, {}) for status in (503, 500, 429, 404, 403, 302)),
        (200, PARTIAL),
        (200, WHOLE | {"_shards": {"failed": 1}}),
        # Not what was asked for
        *((200, body) for body in ({}, [], "well", None, 7, b"", b"{", b'{"took":1,"timed_out":')),
        *((200, WHOLE | {"hits": hits}) for hits in (None, {}, {"hits": []}, {"total": 1})),
        *((200, WHOLE | {"hits": WHOLE["hits"] | {"hits": [hit]}}) for hit in ({}, None, 7)),
        *((200, WHOLE | {missing: None}) for missing in ("_shards", "hits")),
    ],
)
def test_an_answer_that_is_none_opens_the_breaker_and_a_whole_one_closes_it(
    open_api: Open, vehicle: int, monkeypatch: pytest.MonkeyPatch, status: int, body: Any
) -> None:
    monkeypatch.setattr(breaker, "OPEN_S", 60)
    asked: list[str] = []
    answers: dict[str, Any] = {"status": status, "body": body}
    with answering(answers, asked) as url:
        api = open_api(url)
        for _ in range(10):
            assert ids(api, facets="none") == [vehicle]
        assert len(asked) == 3
        answers.update(status=200, body=WHOLE)
        api.app.state.searches.breaker._next_trial = 0  # type: ignore[attr-defined] # the wait is over
        assert [engine(api, facets="none") for _ in range(2)] == [("elasticsearch", False)] * 2


def test_a_page_of_html_is_no_answer(open_api: Open, vehicle: int) -> None:
    page: dict[str, Any] = {"status": 200, "body": b"<html>Welcome</html>", "type": "text/html"}
    with answering(page, []) as url:
        api = open_api(url)
        assert ids(api) == [vehicle]
        assert engine(api) == ("postgres", True)


def test_an_answer_without_the_facets_asked_for_is_no_answer(open_api: Open, vehicle: int) -> None:
    with answering({"status": 200, "body": WHOLE}, []) as url:
        api = open_api(url)
        assert engine(api, facets="none") == ("elasticsearch", False)
        assert engine(api, facets="make") == ("postgres", True)
        assert ids(api, facets="make") == [vehicle]


def test_a_question_that_is_refused_does_not_keep_others_from_being_asked(
    open_api: Open, vehicle: int
) -> None:
    asked: list[str] = []
    with answering({"status": 400, "body": {"error": "too many clauses"}}, asked) as url:
        api = open_api(url)
        for _ in range(10):
            assert ids(api, facets="none") == [vehicle]
        assert len(asked) == 10


class Once(list[str]):
    """Calls so far, of which only the first has an answer: two hits that no database has."""

    def __init__(self) -> None:
        super().__init__()
        hits = [{"_source": {"id": n}, "sort": [1.0, n]} for n in (98, 99)]
        whole = WHOLE | {"hits": {"total": {"value": 3}, "hits": hits}}
        self.answers: dict[str, Any] = {"status": 200, "body": whole}

    def append(self, path: str) -> None:
        super().append(path)
        self.answers["status"] = 200 if len(self) == 1 else 503


def test_an_engine_that_goes_between_candidates_and_page_is_replaced_for_both(
    open_api: Open, vehicle: int
) -> None:
    asked = Once()
    with answering(asked.answers, asked) as url:
        asked_for = {"limit": 1, "facets": "none", "q": "citroen"}
        page = open_api(url).get(SEARCH, params=asked_for).json()
    assert ([item["id"] for item in page["items"]], len(asked)) == ([vehicle], 2)
    assert (page["meta"]["engine"], page["meta"]["degraded"]) == ("postgres", True)


def test_an_engine_that_goes_while_a_page_is_refilled_leaves_it_short(
    open_api: Open, vehicle: int
) -> None:
    """Never a page of two orders; the cursor says how to go on."""
    asked = Once()
    with answering(asked.answers, asked) as url:
        asked_for = {"limit": 1, "facets": "none", "sort": "price"}
        page = open_api(url).get(SEARCH, params=asked_for).json()
    assert (page["items"], page["hasMore"], len(asked)) == ([], True, 2)
    assert (page["meta"]["engine"], page["meta"]["degraded"]) == ("elasticsearch", False)


def test_with_both_gone_the_answer_is_a_problem(open_api: Open) -> None:
    api = open_api(GONE, database_url="postgresql://rides@127.0.0.1:1/rides")
    answer = api.get(SEARCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"].endswith("search-unavailable")


# Cursors that meet another engine than the one that issued them


@pytest.mark.parametrize("sort", ["price", "-price", "rating", "newest"])
def test_a_field_order_continues_when_elasticsearch_goes(
    market: Market, open_api: Open, sort: str
) -> None:
    market.store(*({"imported_rating": rating} for rating in (450, None, 480, None, 450)))
    first = market.search(sort=sort, limit=2)
    assert first["meta"]["engine"] == "elasticsearch"
    rest = ids(open_api(GONE), sort=sort, limit=3, cursor=first["nextCursor"])
    market.assert_order([item["id"] for item in first["items"]] + rest, sort=sort)


@pytest.mark.parametrize(
    "asked", [{}, {"q": "toyota"}, {"lat": 19.7, "lon": -155.1, "sort": "distance"}]
)
def test_an_order_of_the_engines_own_is_refused_by_the_other(
    market: Market, open_api: Open, asked: dict[str, Any]
) -> None:
    market.store({}, {}, {})
    cursor = market.search(**asked, limit=1)["nextCursor"]
    answer = open_api(GONE).get(SEARCH, params=asked | {"limit": 1, "cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("cursor-engine-changed")


def test_a_walk_by_text_that_postgresql_began_ends_there(market: Market, open_api: Open) -> None:
    stored = market.store(*({"listed_at": "2025-01-01"} for _ in range(3)))
    page = open_api(GONE).get(SEARCH, params={"q": "toyota", "limit": 1}).json()
    rest = market.search(q="toyota", limit=5, cursor=page["nextCursor"])
    assert [item["id"] for item in (*page["items"], *rest["items"])] == stored
    assert rest["meta"]["engine"] == "postgres"


# Text, as PostgreSQL finds it


@pytest.fixture
def text_market(conn: psycopg.Connection[TupleRow], open_api: Open) -> Callable[[str], list[int]]:
    for vehicle in (
        {"make": "Citroën", "model": "C3", "description": "Fits two surfboards & a dog."},
        {"make": "Ford", "model": "F-150", "description": "Tows a Citroën.", "city": "Hilo"},
        {"make": "Tesla", "model": "Model X", "title": "The <b>big</b> one"},
        {"make": "Mercedes-Benz", "model": "A-Class", "features": ["Roof rack"]},
    ):
        factory.store_vehicle(conn, **vehicle)
    refill(conn, lambda done, total: None)
    api = open_api("")
    api.app.state.vocabulary.current = EMPTY  # type: ignore[attr-defined] # words, not names
    return lambda q: ids(api, q=q)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("citroen", [1, 2]),  # a name before a mention
        ("CITROËN c3", [1]),
        ("surfboard", [1]),
        ("F-150 hilo", [2]),
        ("tesla in lihue", []),
        ("a tesla with the big one", [3]),
        ("mercedes benz a class", [4]),
        ("roof racks", [4]),
        ("tesla !!! ", [3]),
        ("!!!", []),
        ("the", [3, 4, 1, 2]),
        ("' | & :* <-> \\ \x7f %s %(p0)s", []),
    ],
)
def test_words(text_market: Callable[[str], list[int]], q: str, expected: list[int]) -> None:
    assert text_market(q) == expected


def test_highlights_are_html(conn: psycopg.Connection[TupleRow], open_api: Open) -> None:
    factory.store_vehicle(conn, title="The <b>big</b> Tesla & more")
    refill(conn, lambda done, total: None)
    page = open_api("").get(SEARCH, params={"q": "tesla"}).json()
    assert page["items"][0]["highlights"] == {
        "title": "The &lt;b&gt;big&lt;/b&gt; <em>Tesla</em> &amp; more"
    }

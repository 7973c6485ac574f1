"""An overloaded Elasticsearch is asked once per search: retries at once would multiply the load."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runtime.settings import Settings
from search.engine import SearchUnavailableError, open_engine
from search.request import SearchRequest


class Overloaded(BaseHTTPRequestHandler):
    """Answers every request as an overloaded server does, and counts them."""

    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(503)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing: what is expected is not worth a line."""


@pytest.fixture
def overloaded() -> Iterator[str]:
    Overloaded.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Overloaded)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_failing_search_is_one_call(overloaded: str) -> None:
    async def search() -> None:
        engine = open_engine(Settings(elasticsearch_url=overloaded))
        try:
            for _ in range(3):
                with pytest.raises(SearchUnavailableError, match=r"503: {}$"):
                    await engine.search(SearchRequest())
        finally:
            await engine.close()

    asyncio.run(search())
    assert Overloaded.asked == 3

"""A bounded load on the API over loopback: renters who search, turn pages and book."""

import http.client
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any, Self
from urllib.parse import quote

import orjson

_DAY = (datetime.now(UTC).date() + timedelta(days=60)).isoformat()
_LATER = (datetime.now(UTC).date() + timedelta(days=64)).isoformat()
BY_PRICE = "vehicles?sort=price&limit=5&facets=none"
BY_RELEVANCE = "vehicles?q=toyota&limit=5&facets=none"
# What renters ask for, of `/v1/search/`. Each is one search.
SEARCHES = (
    "vehicles?q=toyota rav4 hilo",
    "vehicles?q=citroen&make=Toyota&facets=model,city",
    "vehicles?region=Hawaii&features=GPS&priceMax=9000",
    f"vehicles?start={_DAY}&end={_LATER}&priceBasis=total&sort=price",
    "vehicles?lat=19.7&lon=-155.1&radiusKm=50&sort=distance&facets=none",
)
LOOKUPS = (
    "suggest?q=toy",
    "facet-values?facet=model&q=r",
    "clusters?bbox=-160.5,18.5,-154.5,22.5&zoom=7",
)
WALKS = (BY_PRICE, BY_RELEVANCE)  # page after page
PAGES = 4  # of a walk
PAUSE_S = 0.1  # of a renter between two questions: the load is bounded


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request. `engine` and `degraded` are a search's."""

    asked: str
    begun: float  # of `time.monotonic`
    ms: float
    status: int
    problem: str | None = None  # the last part of its type
    engine: str | None = None
    degraded: bool | None = None


class Load:
    """Runs for as long as its block, in threads; the answers so far are `searches` and `bookings`.

    The bookers go for the same days of the same vehicles, so that each is wanted by all.
    """

    def __init__(
        self,
        address: str,
        *,
        searchers: int,
        tokens: Sequence[str],
        vehicles: Sequence[int],
        first_day: date,
        asked: Sequence[str] = SEARCHES,
    ) -> None:
        self.searches: list[Answer] = []
        self.bookings: list[Answer] = []
        self._address = address
        self._asked = asked
        self._stopped = threading.Event()
        self._errors: list[BaseException] = []
        days = [first_day + timedelta(days=3 * n) for n in range(120)]
        self._wanted = [(vehicle, day) for day in days for vehicle in vehicles]
        self._threads = [
            *(threading.Thread(target=self._run, args=(self._search, n)) for n in range(searchers)),
            *(threading.Thread(target=self._run, args=(self._book, token)) for token in tokens),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)
        if self._errors:
            raise self._errors[0]

    def stay(self, seconds: float) -> float:
        """Go on for so long; the time at which that began."""
        begun = time.monotonic()
        self._stopped.wait(seconds)
        return begun

    def _run(self, work: Any, of: Any) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            work(connection, of)
        except BaseException as error:  # noqa: BLE001 - raised again where the block ends
            self._errors.append(error)
        finally:
            connection.close()

    def _search(self, connection: http.client.HTTPConnection, number: int) -> None:
        everything = [*self._asked, *WALKS]
        first = number % len(everything)
        for asked in cycle(everything[first:] + everything[:first]):
            cursor = ""
            for _ in range(PAGES if asked in WALKS else 1):
                if self._stopped.is_set():
                    return
                cursor = self.ask(connection, asked, cursor).get("nextCursor") or ""
                self._stopped.wait(PAUSE_S)
                if not cursor:
                    break

    def ask(
        self, connection: http.client.HTTPConnection, asked: str, cursor: str = ""
    ) -> dict[str, Any]:
        """Search; the answer's content, whatever its status."""
        target = f"/v1/search/{quote(asked, safe='?=&-,.')}{cursor and f'&cursor={cursor}'}"
        answer, content = _request(connection, "GET", target, asked)
        meta = content.get("meta", {})
        self.searches.append(
            Answer(*answer, _problem(content), meta.get("engine"), meta.get("degraded"))
        )
        return content

    def _book(self, connection: http.client.HTTPConnection, token: str) -> None:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        for vehicle, day in self._wanted:
            if self._stopped.is_set():
                return
            body = {"vehicleId": vehicle, "start": day, "end": day + timedelta(days=3)}
            answer, content = _request(
                connection, "POST", "/v1/bookings", "booking", orjson.dumps(body), headers
            )
            self.bookings.append(Answer(*answer, _problem(content)))
            self._stopped.wait(PAUSE_S)


def _request(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    asked: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[tuple[str, float, float, int], dict[str, Any]]:
    begun = time.monotonic()
    connection.request(method, target, body, headers or {})
    answer = connection.getresponse()
    content = orjson.loads(answer.read())
    ms = (time.monotonic() - begun) * 1000
    return (asked, begun, ms, answer.status), content


def _problem(content: dict[str, Any]) -> str | None:
    kind = content.get("type")
    return kind and str(kind).rpartition(":")[2]


def since(answers: Iterable[Answer], moment: float) -> list[Answer]:
    """Those to requests that began at `moment` or later."""
    return [each for each in answers if each.begun >= moment]


def latencies(answers: Sequence[Answer]) -> str:
    """How many, and milliseconds at the median, the 95th percentile and the worst."""
    times = sorted(each.ms for each in answers)
    if not times:
        return "none"
    p50, p95 = (times[int(len(times) * share)] for share in (0.5, 0.95))
    return f"{len(times)} in {p50:.0f} / {p95:.0f} / {times[-1]:.0f} ms (p50 / p95 / max)"

"""From the commit of a change to the search that finds it, measured from outside.

A writer changes prices and adds reviews at a steady rate, each in a transaction of its own. Some
changes are samples: a probe searches for them by id, over and over, until the new price is there.
It neither refreshes nor reads by key, so what it sees is what a renter would.
"""

import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg

from bench.report import summary

SAMPLES_A_SECOND = 10
REVIEW_EVERY = 4  # of so many writes one is a review
POLL_S = 0.01
LONGEST_BACKLOG_S = 600
LONGEST_S = 60.0  # a sample that is not found by then counts as that


@dataclass(slots=True)
class Written:
    """What the writer did. `prices` is the last one by vehicle, `behind` how late it began."""

    prices: dict[int, int] = field(default_factory=dict)
    writes: int = 0
    behind_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Index:
    """Where changes arrive: `price` is the name of the field."""

    url: str
    name: str
    price: str

    def prices(self, connection: http.client.HTTPConnection, ids: list[int]) -> dict[int, int]:
        """The prices that a search finds for these vehicles now."""
        body = {
            "query": {"ids": {"values": [str(each) for each in ids]}},
            "size": len(ids),
            "_source": [self.price],
        }
        connection.request(
            "POST",
            f"/{self.name}/_search",
            orjson.dumps(body),
            {"content-type": "application/json"},
        )
        hits = orjson.loads(connection.getresponse().read())["hits"]["hits"]
        return {int(hit["_id"]): hit["_source"][self.price] for hit in hits}

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is kept alive."""
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)


def measure(database_url: str, index: Index, *, rate: int, seconds: float) -> dict[str, Any]:
    """Lags in ms at `rate` writes a second, and how many writes there were."""
    samples: dict[int, tuple[int, float]] = {}  # by vehicle: price, time of the commit
    lags: list[float] = []
    done = threading.Event()
    probe = threading.Thread(target=_probe, args=(index, samples, lags, done))
    probe.start()
    try:
        written = write(database_url, rate=rate, seconds=seconds, samples=samples)
        deadline = time.monotonic() + LONGEST_S
        while samples and time.monotonic() < deadline:
            time.sleep(POLL_S)
    finally:
        done.set()
        probe.join()
    lags += [LONGEST_S * 1000] * len(samples)
    return summary(lags) | {
        "p99": round(sorted(lags)[int(len(lags) * 0.99)], 2),
        "max": round(max(lags), 2),
        "not_found": len(samples),
        "writes_a_second": round(written.writes / (seconds + written.behind_s), 1),
    }


def drained(connection: psycopg.Connection[Any]) -> None:
    """Wait until the drain has done what there is.

    Raises:
        TimeoutError: it does not within ten minutes.
    """
    deadline = time.monotonic() + LONGEST_BACKLOG_S
    while connection.execute("SELECT FROM search_dirty LIMIT 1").fetchall():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker does not get through what is waiting")
        time.sleep(1)


def write(
    database_url: str,
    *,
    rate: int,
    seconds: float,
    samples: dict[int, tuple[int, float]] | None = None,
    stop: threading.Event | None = None,
) -> Written:
    """Write at `rate` for `seconds`, or until `stop`; samples are vehicles that change once."""
    rng = random.Random(rate)
    written = Written()
    with psycopg.connect(database_url, autocommit=True) as connection:
        rows = connection.execute("SELECT id FROM vehicles WHERE status = 'listed'").fetchall()
        ids = [row[0] for row in rows]
        rng.shuffle(ids)
        half = len(ids) // 2
        sampled, others = iter(ids[:half]), ids[half:]
        every = max(rate // SAMPLES_A_SECOND, 1)
        for n in _ticks(rate, seconds, written):
            if stop and stop.is_set():
                break
            if samples is not None and n % every == 0:
                vehicle = next(sampled)
                _reprice(connection, vehicle, 1_000_000 + n, written)
                samples[vehicle] = (1_000_000 + n, time.monotonic())
            elif n % REVIEW_EVERY == 1:
                connection.execute(
                    "INSERT INTO reviews (vehicle_id, rating) VALUES (%s, 500)",
                    [rng.choice(others)],
                )
            else:
                _reprice(connection, rng.choice(others), 2_000_000 + n, written)
            written.writes += 1
    return written


def _reprice(
    connection: psycopg.Connection[Any], vehicle: int, price: int, written: Written
) -> None:
    connection.execute(
        "UPDATE vehicles SET daily_rate_cents = %s WHERE id = %s", [price, vehicle], prepare=True
    )
    written.prices[vehicle] = price


def _ticks(rate: int, seconds: float, written: Written) -> Iterator[int]:
    begun = time.monotonic()
    for n in range(int(rate * seconds)):
        wait = begun + n / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield n
    written.behind_s = max(time.monotonic() - begun - seconds, 0.0)


def _probe(
    index: Index,
    samples: dict[int, tuple[int, float]],
    lags: list[float],
    done: threading.Event,
) -> None:
    connection = index.connect()
    while not done.wait(POLL_S):
        waiting = dict(samples)
        if not waiting:
            continue
        found = index.prices(connection, list(waiting))
        now = time.monotonic()
        for vehicle, (price, since) in waiting.items():
            if found.get(vehicle) == price:
                lags.append((now - since) * 1000)
                del samples[vehicle]


@contextmanager
def writing(database_url: str, rate: int) -> Iterator[Written]:
    """Write beside the block, a minute at most; what was written is complete after it."""
    stop = threading.Event()
    result = Written()

    def run() -> None:
        done = write(database_url, rate=rate, seconds=60, stop=stop)
        result.prices, result.writes = done.prices, done.writes

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield result
    finally:
        stop.set()
        thread.join()


def lost(index: Index, written: Written, *, settled_s: float = 15, longest_s: float = 90) -> int:
    """How many of the written prices the index lacks once it has stood still for `settled_s`."""
    connection = index.connect()

    def missing() -> int:
        ids = list(written.prices)
        found: dict[int, int] = {}
        for start in range(0, len(ids), 1000):
            found |= index.prices(connection, ids[start : start + 1000])
        return sum(found.get(each) != price for each, price in written.prices.items())

    return wait_until_still(missing, settled_s, longest_s)


def wait_until_still(count: Callable[[], int], settled_s: float, longest_s: float) -> int:
    """What `count` says once that is 0 or has been the same for `settled_s`, or at `longest_s`."""
    deadline = time.monotonic() + longest_s
    last, since = count(), time.monotonic()
    while last and time.monotonic() < min(since + settled_s, deadline):
        time.sleep(0.25)
        if (now := count()) != last:
            last, since = now, time.monotonic()
    return last

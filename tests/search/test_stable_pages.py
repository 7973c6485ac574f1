"""Pages hold still: no vehicle that is left alone comes twice or is missed, on either engine.

At the size where it would show: ten thousand equals, and two hundred writes a second.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from indexer import drain
from tests import factory
from tests.market import Market

TIES = 10_000  # no more: `tests.market.clear` hides so many
HITS = TIES // 10  # of a text, that are left alone; and as many again that somebody writes
WRITES_A_SECOND, AT_ONCE = 200, 10
BY_TEXT: dict[str, Any] = {"q": "snorkels", "limit": 20, "facets": "none"}
# All cost the same. The first two of ten have the word; their ranks differ by their reviews.
_STORE = """
INSERT INTO vehicles (host_id, imported_rating, imported_review_count, description, {columns})
SELECT %s, 400 + n %% 100, n %% 7, CASE WHEN n %% 10 < 2 THEN 'Snorkels.' ELSE 'Towels.' END,
    {values}
FROM generate_series(0, %s) AS n"""
_WRITE = """
UPDATE vehicles SET status = %s, description = %s, imported_rating = %s WHERE id = ANY(%s)"""


@pytest.fixture(scope="module")
def filled(lasting: Market) -> Market:
    row = {name: value for name, value in factory.VEHICLE.items() if name != "description"}
    statement = _STORE.format(columns=", ".join(row), values=", ".join(["%s"] * len(row)))
    host = factory.store_account(lasting.conn, "host")
    lasting.conn.execute(statement, [host, *row.values(), TIES - 1])  # type: ignore[arg-type]
    lasting.drain()
    return lasting


def ids(market: Market, where: str) -> list[int]:
    rows = market.conn.execute(
        f"SELECT id FROM vehicles WHERE {where} ORDER BY daily_rate_cents, id"  # type: ignore[arg-type]
    )
    return [vehicle_id for (vehicle_id,) in rows]


def test_ten_thousand_equals_are_met_once_each(engine: Market) -> None:
    walked = engine.walk(sort="price", limit=100, facets="none")
    assert len(walked) > TIES - HITS
    assert walked == ids(engine, "status = 'listed'")


@pytest.mark.parametrize("sort", ["relevance", "price"])
def test_a_walk_under_writes_meets_what_is_left_alone_once(
    engine: Market, database_url: str, sort: str
) -> None:
    left_alone, written = (ids(engine, f"(id - 1) % 10 = {n}") for n in (0, 1))
    assert (len(left_alone), len(written)) == (HITS, HITS)
    with written_to(engine, database_url, written) as done:
        walked = engine.walk(**BY_TEXT, sort=sort)
    met = [vehicle_id for vehicle_id in walked if vehicle_id in set(left_alone)]
    assert sorted(met) == left_alone
    assert done.writes > 0.9 * WRITES_A_SECOND * done.seconds
    assert done.searchable > 100, "or nobody has drained while the pages were turned"
    assert set(walked) & set(written), "or what is written was not among the hits"


@dataclass
class Done:
    """What happened meanwhile."""

    writes: int = 0
    searchable: int = 0  # writes of those
    seconds: float = 0


@contextmanager
def written_to(market: Market, database_url: str, vehicles: list[int]) -> Iterator[Done]:
    """Somebody changes the vehicles, and the indexer makes that searchable, while it lasts."""
    done, stop = Done(), threading.Event()
    rng = random.Random(53)
    begun = time.monotonic()

    def write() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not stop.wait(AT_ONCE / WRITES_A_SECOND / 2):
                while done.writes < WRITES_A_SECOND * (time.monotonic() - begun):
                    status = rng.choice(["listed", "listed", "unlisted"])
                    text = rng.choice(["Snorkels.", "Snorkels and snorkels.", "Surfboards."])
                    some = rng.sample(vehicles, AT_ONCE)
                    connection.execute(_WRITE, [status, text, rng.randint(100, 500), some])
                    done.writes += AT_ONCE

    def index() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not stop.wait(0.1):
                done.searchable += drain.drain(connection, market.elastic)

    threads = [threading.Thread(target=each) for each in (write, index)]
    for each in threads:
        each.start()
    try:
        yield done
        done.seconds = time.monotonic() - begun
    finally:
        stop.set()
        for each in threads:
            each.join()
        market.drain()

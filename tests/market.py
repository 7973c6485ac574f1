"""The vocabulary of search tests: `store`, `search`, `assert_search`, `assert_order`.

Vehicles go into PostgreSQL and, through the indexer's own code, into Elasticsearch; searches go
through HTTP.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from elasticsearch import Elasticsearch
from fastapi.testclient import TestClient
from psycopg import Connection

from api import suggesting
from api.dependencies import now
from indexer import builds, drain
from indexer.documents import Document, next_version, operations
from runtime.settings import Settings
from search import dead_ends
from search.understand import source, vocabulary
from tests import factory

NOTHING: dict[str, Any] = {"facets": "none"}
# Only a test that is about understanding reads the vocabulary, by `Market.learn`.
source.POLL_S = 3600
# A loaded machine must not make suggestions disappear.
dead_ends.PATIENCE_S = suggesting.ANSWERED_S = 60
drain.POLL_S = 0  # nobody else writes: waiting for the next change would only cost time


class Market:
    """A marketplace of a test's own."""

    def __init__(
        self, conn: Connection[Any], elastic: Elasticsearch, api: TestClient, settings: Settings
    ) -> None:
        self.conn, self.elastic, self.api = conn, elastic, api
        self.alias, self.database_url = settings.index_alias, settings.database_url

    def through(self, api: TestClient) -> "Market":
        """The same marketplace as another API shows it."""
        other = Market.__new__(Market)
        other.__dict__.update(self.__dict__ | {"api": api})
        return other

    def store(self, *vehicles: dict[str, Any]) -> list[int]:
        """Insert vehicles (columns of the table, besides `features` and `photos`), searchably."""
        ids = [factory.store_vehicle(self.conn, **vehicle) for vehicle in vehicles]
        self.drain()
        return ids

    def book(self, vehicle_id: int, start: str, end: str) -> int:
        """Book days, searchably; the booking's id."""
        days = date.fromisoformat(start), date.fromisoformat(end)
        booking = factory.store_booking(self.conn, vehicle_id, *days)
        self.drain()
        return booking

    def review(self, vehicle_id: int, rating: int) -> None:
        """Review a vehicle in hundredths, searchably."""
        factory.store_review(self.conn, vehicle_id, rating)
        self.drain()

    def median(self, cents: int, **cell: str) -> None:
        """What comparable cars cost a day: of the factory's vehicles' cell, but for `cell`."""
        of = {"currency": "USD", "country": "United States", "region": "Hawaii", "body": "SUV"}
        row = of | cell | {"median": cents, "listings": 10}
        names = ", ".join(row)
        places = ", ".join(["%s"] * len(row))
        self.conn.execute(
            f"INSERT INTO price_medians ({names}) VALUES ({places})",
            list(row.values()),
        )

    def drain(self) -> int:
        """Make every change searchable; the number of dirty rows done."""
        return drain.drain(self.conn, self.elastic)

    def learn(self) -> None:
        """Have the API read texts with the names that the index holds now."""
        self.api.app.state.vocabulary.current = vocabulary.read(self.elastic, self.alias)  # type: ignore[attr-defined]

    @contextmanager
    def clock(self) -> Iterator[Callable[[datetime], None]]:
        """Sets the clock of the API that is asked, until the block ends."""
        overrides = self.api.app.dependency_overrides  # type: ignore[attr-defined]

        def set_clock(moment: datetime) -> None:
            overrides[now] = lambda: moment

        yield set_clock
        overrides.pop(now, None)

    def search(self, **parameters: Any) -> dict[str, Any]:
        """The page for these query parameters; a list repeats its parameter."""
        answer = self.api.get("/v1/search/vehicles", params=parameters)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def ids(self, **parameters: Any) -> list[int]:
        """The ids of the first page of up to 100, in order."""
        return [
            item["id"] for item in self.search(**(NOTHING | {"limit": 100} | parameters))["items"]
        ]

    def walk(self, **parameters: Any) -> list[int]:
        """The ids of all pages, in order; at most 1,000 pages."""
        found: list[int] = []
        cursor: dict[str, str] = {}
        for _ in range(1000):
            page = self.search(**(parameters | cursor))
            found += [item["id"] for item in page["items"]]
            assert page["hasMore"] == (page["nextCursor"] is not None)
            if not page["hasMore"]:
                return found
            cursor = {"cursor": page["nextCursor"]}
        raise AssertionError("the pages do not end")

    def assert_search(self, expected: list[int], **parameters: Any) -> None:
        """The search finds just these vehicles, in any order."""
        page = self.search(**({"limit": 100} | parameters))
        assert sorted(item["id"] for item in page["items"]) == sorted(expected)
        assert page["total"] == {"value": len(expected), "exact": True}

    def assert_order(self, expected: list[int], **parameters: Any) -> None:
        """The search finds these vehicles in this order."""
        assert self.ids(**parameters) == expected

    def facet(self, name: str, **parameters: Any) -> dict[str, int]:
        """A facet's values and counts."""
        facets = self.search(**(parameters | {"facets": name}))["facets"]
        return {each["value"]: each["count"] for each in facets[name]}


def clear(conn: Connection[Any], elastic: Elasticsearch) -> None:
    """Hide every vehicle of earlier tests, as the indexer hides what must not be found."""
    for build in builds.live(conn):
        elastic.indices.refresh(index=build.index_name)
        found = elastic.search(
            index=build.index_name,
            query={"bool": {"must_not": {"term": {"hidden": True}}}},
            size=10_000,
            source=False,
        )
        gone = [Document.hidden(int(hit["_id"])) for hit in found["hits"]["hits"]]
        if gone:
            elastic.perform_request(
                "POST",
                f"/{build.index_name}/_bulk",
                params={"refresh": "true"},
                headers={"accept": "application/json", "content-type": "application/x-ndjson"},
                body=operations(gone, next_version(conn)),
            )

"""A marketplace and an index of a test's own, so that builds can come, fail and go."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from elasticsearch import Elasticsearch
from psycopg import sql
from psycopg.rows import TupleRow

from indexer import builds, drain
from indexer.builds import Build
from indexer.rebuild import rebuild
from models.session import connect
from runtime.settings import Settings
from tests import factory
from tests.conftest import create_database, database_name

VISIBLE = {"bool": {"must_not": {"term": {"hidden": True}}}}


@dataclass(frozen=True)
class Site:
    """A database and an alias; nothing is built in it yet."""

    conn: psycopg.Connection[TupleRow]
    elastic: Elasticsearch
    settings: Settings

    @property
    def alias(self) -> str:
        return self.settings.index_alias

    def store(self, **overrides: Any) -> int:
        return factory.store_vehicle(self.conn, **overrides)

    def rebuild(self, on_progress: Any = lambda done, total: None) -> Build:
        return rebuild(self.conn, self.elastic, self.alias, on_progress)

    def drain(self) -> int:
        return drain.drain(self.conn, self.elastic)

    def found(self) -> list[int]:
        """What a search finds right now, without a refresh."""
        answer = self.elastic.search(index=self.alias, query=VISIBLE, size=1000, source=False)
        return sorted(int(hit["_id"]) for hit in answer["hits"]["hits"])

    def table(self) -> list[int]:
        """What PostgreSQL finds by itself."""
        rows = self.conn.execute("SELECT id FROM vehicle_search_view WHERE NOT hidden ORDER BY id")
        return [row[0] for row in rows]

    def document(self, vehicle_id: int, index: str | None = None) -> dict[str, Any]:
        """What an index holds of a vehicle, searchable or not."""
        name = index or self.serving().index_name
        source: dict[str, Any] = self.elastic.get(index=name, id=str(vehicle_id))["_source"]
        return source

    def serving(self) -> Build:
        build = builds.serving(self.conn)
        assert build is not None
        return build

    def states(self) -> dict[str, str]:
        return {build.index_name: build.state for build in builds.builds(self.conn)}

    def indices(self) -> set[str]:
        return set(self.elastic.indices.get(index=f"{self.alias}-*"))

    def dirty(self) -> list[tuple[Any, ...]]:
        """`(vehicle_id, attempts)` of every dirty row, oldest first."""
        return self.conn.execute(
            "SELECT vehicle_id, attempts FROM search_dirty ORDER BY id"
        ).fetchall()

    def due(self) -> None:
        """Let every backoff and lease be over."""
        self.conn.execute("UPDATE search_dirty SET leased_until = NULL")

    @contextmanager
    def another(self) -> Iterator[psycopg.Connection[TupleRow]]:
        """A second connection: another process."""
        with connect(self.settings, application="test") as connection:
            yield connection


@pytest.fixture
def site(worker: str, settings: Settings, elastic: Elasticsearch) -> Iterator[Site]:
    name = f"rides_{worker}_{uuid4().hex[:6]}"
    url = create_database(name, database_name(os.environ["RIDES_DATABASE_URL"]))
    # Not `vehicles-…`: the servers of tests refuse to create those by themselves, and the indexer
    # must not rely on it.
    own = settings.model_copy(update={"database_url": url, "index_alias": name.replace("_", "-")})
    with connect(own, application="test") as conn:
        yield Site(conn, elastic, own)
    for index in elastic.indices.get(index=f"{own.index_alias}-*", expand_wildcards="all"):
        elastic.indices.delete(index=index)
    with psycopg.connect(os.environ["RIDES_TEST_SERVER"], autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def live(site: Site) -> Site:
    """A site whose index is live and empty."""
    site.rebuild()
    return site


def after(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, then: Callable[[], None]
) -> None:
    """Have `then` happen once, just after a step of the drain."""
    step, pending = getattr(module, name), [then]

    def slowed(*args: Any, **kwargs: Any) -> Any:
        result = step(*args, **kwargs)
        if pending:
            pending.pop()()
        return result

    monkeypatch.setattr(module, name, slowed)


def building(site: Site) -> Build:
    (build,) = builds.builds(site.conn, ["building"])
    return build


def once_filled(then: Callable[[], None]) -> Callable[[int, int], None]:
    """Progress that calls `then` once, when everything has been sent."""
    pending = [then]

    def on_progress(done: int, total: int) -> None:
        if pending and done >= total > 0:
            pending.pop()()

    return on_progress

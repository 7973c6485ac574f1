"""The engine over PostgreSQL: one statement a search, on a small pool of its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs
from sqlalchemy.engine import Row, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runtime.settings import Settings
from search import clusters, facet_values, page, suggest
from search.answer import Found
from search.engine import SearchUnavailableError
from search.postgres import counts as counting
from search.postgres import facet_values as of_facet_values
from search.postgres import statement
from search.postgres import suggest as of_suggest
from search.request import SearchRequest

NAME = "postgres"
POOL = 2  # connections: what a flood of searches may take from bookings, of cores too
TIMEOUT_S = 2  # of a statement


@dataclass(frozen=True, slots=True)
class PostgresEngine:
    """Searches over `vehicle_search_view`."""

    pool: AsyncEngine

    async def search(self, request: SearchRequest) -> page.SearchPage:
        """One page, from one statement.

        Raises:
            SearchUnavailableError: the database does not answer within its 2 s.
        """
        return page.read(request, await self._answer(request, *statement.build(request)))

    async def window(self, request: SearchRequest) -> page.Window:
        """The first hits as candidates, from one statement; raises as `search` does."""
        built = statement.build(request, window=request.text is not None)
        return page.read_window(request, await self._answer(request, *built))

    async def _answer(self, request: SearchRequest, sql: str, values: dict[str, Any]) -> Found:
        begun = time.perf_counter()
        row = (await self._rows(sql, values))[0]
        took_ms = round((time.perf_counter() - begun) * 1000)
        return statement.answer(request, row.total, row.hits, row.aggregations, took_ms)

    async def count(self, requests: Sequence[SearchRequest]) -> list[int]:
        """How many each finds, from one statement; raises as `search` does."""
        (row,) = await self._rows(*counting.build(requests))
        return list(row[0])

    async def suggest(self, typed: suggest.Typed) -> dict[str, Any]:
        """Suggestions by section, from two statements; raises as `search` does."""
        dictionary = await self._rows(of_suggest.DICTIONARY)
        candidates = of_suggest.Candidates.of(typed, dictionary)
        counted = await self._rows(*of_suggest.build(candidates)) if candidates.codes else []
        return suggest.read(typed, of_suggest.answer(typed, candidates, counted))

    async def facet_values(self, asked: facet_values.FacetQuestion) -> dict[str, Any]:
        """Values of one facet, from one statement; raises as `search` does."""
        rows = await self._rows(*of_facet_values.build(asked))
        return facet_values.read(asked, of_facet_values.answer(asked, rows))

    async def clusters(self, view: clusters.MapView) -> dict[str, Any]:
        """A map's clusters or vehicles, from one statement; raises as `search` does."""
        request = view.listed
        row = (await self._rows(*statement.build(request, grid=view.precision)))[0]
        found = statement.answer(request, row.total, row.hits, {}, 0)
        return clusters.read(view, structs.replace(found, aggregations=row.aggregations))

    async def _rows(
        self, sql: str, values: dict[str, Any] | None = None
    ) -> Sequence[Row[tuple[Any, ...]]]:
        try:
            async with self.pool.connect() as connection:
                return (await connection.exec_driver_sql(sql, values)).all()
        except (SQLAlchemyError, OSError) as error:
            msg = "PostgreSQL could not answer the search: see RIDES_DATABASE_URL"
            raise SearchUnavailableError(msg) from error

    async def ping(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.pool.connect():
                return True
        except (SQLAlchemyError, OSError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self.pool.dispose()


def open_postgres(settings: Settings) -> PostgresEngine:
    """An engine for `settings`; connects when first asked."""
    # Every search is planned by its own values: what is common is read otherwise than what is rare.
    options = (
        f"-c statement_timeout={TIMEOUT_S * 1000} -c timezone=UTC -c jit=off"
        " -c plan_cache_mode=force_custom_plan"
    )
    return PostgresEngine(
        create_async_engine(
            make_url(settings.database_url).set(drivername="postgresql+psycopg"),
            pool_size=min(POOL, settings.pool_size),
            max_overflow=0,
            pool_timeout=TIMEOUT_S,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "options": options,
                "application_name": "rides search",
                "connect_timeout": TIMEOUT_S,
            },
        )
    )

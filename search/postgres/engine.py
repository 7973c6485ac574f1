"""The engine over PostgreSQL: one statement a search, on a small pool of its own."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runtime.settings import Settings
from search import page
from search.engine import SearchUnavailableError
from search.postgres import statement
from search.request import SearchRequest

NAME = "postgres"
POOL = 5  # connections: what a flood of searches may take from bookings
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

    async def _answer(
        self, request: SearchRequest, sql: str, values: dict[str, Any]
    ) -> dict[str, Any]:
        begun = time.perf_counter()
        try:
            async with self.pool.connect() as connection:
                row = (await connection.exec_driver_sql(sql, values)).one()
        except (SQLAlchemyError, OSError) as error:
            msg = "PostgreSQL could not answer the search: see RIDES_DATABASE_URL"
            raise SearchUnavailableError(msg) from error
        took_ms = round((time.perf_counter() - begun) * 1000)
        return statement.answer(request, row.total, row.hits, row.aggregations, took_ms)

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
    options = f"-c statement_timeout={TIMEOUT_S * 1000} -c timezone=UTC -c jit=off"
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

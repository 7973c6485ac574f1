"""What PostgreSQL says now: what can be booked, and which changes the index does not show yet.

Every search asks, so it is made cheap: one connection a process, kept open, its statements
prepared, used by one question at a time. A question takes half a millisecond, so they hardly meet,
and searches never take a connection from bookings. Whatever goes wrong, an answer is there within
`PATIENCE_S`: None stands for "not known".
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
import psycopg
import structlog

from bookings import bookable
from runtime.settings import Settings
from search.request import Dates

log = structlog.get_logger(__name__)

PATIENCE_S = 0.5
STATEMENT_TIMEOUT_MS = 300
READING_S = 0.025  # a reading of the oldest change serves all searches that begin so soon after it
AFTER_S = 2.0
AFTER_POLL_S = 0.025

_OLDEST = "SELECT extract(EPOCH FROM clock_timestamp() - at) FROM search_dirty ORDER BY id LIMIT 1"
# No index on xid: every write would pay for it, and the table holds what a fraction of a second
# wrote. Of a long log, the rows of older transactions are the first that are read.
_PENDING = "SELECT EXISTS (SELECT FROM search_dirty WHERE xid <= %(xid)s::text::xid8)"

# What the page of an engine that did not read it shows; `bookable` says id and first day.
_DOCUMENTS = """
    SELECT asked.id, asked.start, (d.document - 'description')::text
    FROM (%s) AS asked (id, start)
    LEFT JOIN vehicle_search_documents AS d ON d.id = asked.id AND NOT d.hidden
"""

Rows = list[Any]


class Truth:
    """PostgreSQL, as searches ask it."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._connecting = asyncio.Lock()
        self._reading = asyncio.Lock()
        # On this process's clock: when the last reading was begun, when the last that succeeded,
        # and the oldest change that it saw.
        self._tried = float("-inf")
        self._read = time.monotonic()
        self._oldest: float | None = None

    async def bookable(
        self, ids: Sequence[int], dates: Dates | None, now: datetime
    ) -> dict[int, date | None] | None:
        """Those of `ids` that are listed and, with dates, the first day from which each is free."""
        starts, days = (dates.starts, dates.days) if dates else ([], 0)
        rows = await self._ask(*bookable.statement(ids, starts, days, now))
        return None if rows is None else dict(rows)

    async def documents(
        self, ids: Sequence[int], dates: Dates | None, now: datetime
    ) -> dict[int, tuple[date | None, dict[str, Any]]] | None:
        """As `bookable`, with what a page shows of each; None also where a document is missing."""
        starts, days = (dates.starts, dates.days) if dates else ([], 0)
        statement, parameters = bookable.statement(ids, starts, days, now)
        rows = await self._ask(_DOCUMENTS.replace("%s", statement, 1), parameters)
        if rows is None or any(document is None for *_, document in rows):
            return None
        return {each: (start, orjson.loads(document)) for each, start, document in rows}

    async def oldest_change(self) -> float | None:
        """When, on this process's clock, the oldest change that is not searchable yet was made.

        None when everything is searchable. To be asked before the index is: what becomes searchable
        in between is then still counted as missing. Without an answer, the index is taken to have
        stood still since the last one.
        """
        async with self._reading:
            begun = time.monotonic()
            if begun - self._tried > READING_S:
                self._tried = begun
                rows = await self._ask(_OLDEST)
                if rows is None:
                    self._oldest = self._read if self._oldest is None else self._oldest
                else:
                    self._read = begun
                    self._oldest = begun - float(rows[0][0]) if rows else None
            return self._oldest

    async def searchable(self, xid: int) -> bool:
        """Whether what the transaction and all before it wrote is searchable, in at most 2 s."""
        deadline = time.monotonic() + AFTER_S
        while True:
            rows = await self._ask(_PENDING, {"xid": str(xid)})
            if rows == [(False,)]:
                return True
            if time.monotonic() + AFTER_POLL_S > deadline:
                return False
            await asyncio.sleep(AFTER_POLL_S)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()

    async def _ask(
        self, statement: str, parameters: Mapping[str, Any] | None = None
    ) -> Rows | None:
        used = self._connection
        # Waited for apart: a statement that is cancelled itself waits for the server to agree.
        task = asyncio.create_task(self._execute(statement, parameters))
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        if not done:
            task.cancel()
            # The next question gets a new one. Of many that wait, the first has seen to it.
            if self._connection is used:
                self._connection = None
            log.warning("the database does not answer a search in time")
            return None
        if error := task.exception():
            if not isinstance(error, psycopg.Error | OSError):
                raise error
            log.warning("the database does not answer a search", error=str(error))
            return None
        return task.result()

    async def _execute(self, statement: str, parameters: Mapping[str, Any] | None) -> Rows:
        connection = await self._open()
        try:
            cursor = await connection.execute(statement, parameters, prepare=True)
        except psycopg.OperationalError:
            if not connection.closed:
                raise
            # The server closed it while it was idle, as a restart does: once more on a new one.
            connection = await self._open()
            cursor = await connection.execute(statement, parameters, prepare=True)
        return await cursor.fetchall()

    async def _open(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        async with self._connecting:
            if self._connection is None or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=2,
                    application_name="rides search",
                    options=f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS}",
                )
            return self._connection


def age_ms(oldest: float | None) -> int:
    """How old a change is, in milliseconds; 0 for none."""
    return 0 if oldest is None else round((time.monotonic() - oldest) * 1000)

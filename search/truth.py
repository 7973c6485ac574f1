"""What PostgreSQL says now: what can be booked, and which changes the index does not show yet.

Every search asks, so it is made cheap: one connection a process, kept open, its statements
prepared, used by one question at a time. A question takes half a millisecond, so they hardly meet,
and searches never take a connection from bookings. Whatever goes wrong, an answer is there within
`PATIENCE_S`: None stands for "not known".
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cache

import psycopg
import structlog

from bookings import bookable
from runtime.prepared import Prepared, Row, Value
from runtime.settings import Settings
from search.fallback import ELASTICSEARCH
from search.postgres.columns import TOTAL
from search.postgres.engine import NAME as POSTGRES
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
# PostgreSQL's own table has what is no more in the log, and what waits there for the index alone:
# all of the log is read then, 6 ms where 50,000 changes wait.
_NOT_FED = _PENDING.replace("WHERE", "WHERE NOT fed AND")

# What a page shows of vehicles that its engine did not read; `bookable` says id and first day.
_ITEMS = """
    SELECT asked.id, asked.start, d.item, {total}
    FROM ({bookable}) AS asked (id, start)
    LEFT JOIN vehicle_search_documents AS d
        ON d.id = asked.id AND NOT d.hidden AND d.item_version = d.version
"""
_TOTAL = TOTAL.format(days="%(days)s")


# A vehicle that can be booked: from which day, its item as JSON, its total in cents.
Shown = tuple[date | None, bytes, bytes | None]


class Truth:
    """PostgreSQL, as searches ask it."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url
        self._connection: Prepared | None = None
        self._asking = asyncio.Lock()
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
        return None if rows is None else {int(each): _day(start) for each, start in rows}

    async def items(
        self, ids: Sequence[int], dates: Dates | None, now: datetime
    ) -> dict[int, Shown] | None:
        """As `bookable`, with what a page shows of each; None also where one's item is missing."""
        starts, days = (dates.starts, dates.days) if dates else ([], 0)
        statement, values = bookable.statement(ids, starts, days, now)
        rows = await self._ask(_items(statement, with_totals=bool(dates)), values)
        if rows is None:
            return None
        found: dict[int, Shown] = {}
        for each, start, item, total in rows:
            if item is None or (dates and not total):
                return None
            found[int(each)] = (_day(start), item, total)
        return found

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

    async def wait(self, xid: int, answers: Callable[[], str]) -> set[str]:
        """Engines that have what the transaction and all before it wrote, in at most 2 s.

        Waited for is the one that `answers` names, which may become the other in between.
        """
        deadline = time.monotonic() + AFTER_S
        while not await self._has(_PENDING, xid):
            late = time.monotonic() + AFTER_POLL_S > deadline
            # PostgreSQL may answer all the same, if the other turns out to be away.
            if (late or answers() == POSTGRES) and await self._has(_NOT_FED, xid):
                return {POSTGRES}
            if late:
                return set()
            await asyncio.sleep(AFTER_POLL_S)
        return {ELASTICSEARCH, POSTGRES}  # the table comes first

    async def _has(self, pending: str, xid: int) -> bool:
        return await self._ask(pending, {"xid": str(xid)}) == [(b"f",)]

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    async def _ask(
        self, statement: str, values: Mapping[str, Value] | None = None
    ) -> list[Row] | None:
        try:
            async with asyncio.timeout(PATIENCE_S), self._asking:
                return await self._execute(statement, values or {})
        except TimeoutError:
            log.warning("the database does not answer a search in time")
        except (psycopg.Error, OSError) as error:
            log.warning("the database does not answer a search", error=str(error))
        return None

    async def _execute(self, statement: str, values: Mapping[str, Value]) -> list[Row]:
        kept = self._connection
        if kept is not None and not kept.closed:
            # The server may have closed it just now, as a restart does: once more on a new one.
            with suppress(psycopg.Error):
                return await kept.ask(statement, values)
        self._connection = await Prepared.open(
            self._url,
            connect_timeout=2,
            application_name="rides search",
            options=f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS}",
        )
        return await self._connection.ask(statement, values)


@cache
def _items(statement: str, *, with_totals: bool) -> str:
    """The query of what a page shows of those that `statement` finds: id, day, item, total."""
    return _ITEMS.format(bookable=statement, total=_TOTAL if with_totals else "NULL")


def _day(written: bytes | None) -> date | None:
    return None if written is None else date.fromisoformat(written.decode())


def age_ms(oldest: float | None) -> int:
    """How old a change is, in milliseconds; 0 for none."""
    return 0 if oldest is None else round((time.monotonic() - oldest) * 1000)

"""How far the index is behind, known without asking for it on every search."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

log = structlog.get_logger(__name__)

POLL_S = 0.5
_OLDEST = text(
    "SELECT extract(EPOCH FROM clock_timestamp() - at) FROM search_dirty ORDER BY id LIMIT 1"
)


class IndexAge:
    """The age of the oldest change that is not searchable yet, polled twice a second."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._oldest: float | None = None  # when, on this process's clock

    @property
    def ms(self) -> int:
        """Milliseconds; 0 when everything is searchable."""
        return 0 if self._oldest is None else int((time.monotonic() - self._oldest) * 1000)

    async def poll(self) -> None:
        """Ask the database once; if it does not answer, what was known goes on ageing."""
        try:
            async with self._engine.connect() as connection:
                age = (await connection.execute(_OLDEST)).scalar()
        except (SQLAlchemyError, OSError) as error:
            log.warning("index age unknown", error=str(error))
            return
        self._oldest = None if age is None else time.monotonic() - float(age)

    @asynccontextmanager
    async def polling(self) -> AsyncIterator["IndexAge"]:
        """Poll for as long as the block runs."""
        task = asyncio.create_task(self._poll_for_ever())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _poll_for_ever(self) -> None:
        while True:
            await self.poll()
            await asyncio.sleep(POLL_S)

"""What is known of the index, for health and metrics, read once a second at most.

Both are asked by anybody: a flood of questions must not become a flood of connections.
"""

import asyncio
import time

from indexer.status import Facts, facts
from models.session import connect
from runtime.settings import Settings

FRESH_S = 1.0


class IndexFacts:
    """One reader for all requests of a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._read: tuple[float, Facts] | None = None

    async def read(self) -> Facts:
        """The facts, at most `FRESH_S` old.

        Raises:
            psycopg.OperationalError: the database does not answer.
        """
        async with self._lock:
            if self._read is None or time.monotonic() - self._read[0] > FRESH_S:
                known = await asyncio.to_thread(self._ask)
                self._read = time.monotonic(), known
            return self._read[1]

    def _ask(self) -> Facts:
        with connect(self._settings, application="metrics") as connection:
            return facts(connection)

"""The vocabulary that a process reads texts with, learnt once a minute."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import structlog
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from search.postgres import vocabulary as of_postgres
from search.understand import vocabulary
from search.understand.vocabulary import EMPTY, Vocabulary

log = structlog.get_logger(__name__)

POLL_S = 60
START_S = 2  # that a process waits for its first vocabulary before it answers
_TIMEOUT_S = 5


class VocabularySource:
    """The newest vocabulary: of the index or, where there never was one, of PostgreSQL.

    Empty until the first is learnt, so that every word stays text.
    """

    def __init__(self, client: AsyncElasticsearch | None, alias: str, database_url: str) -> None:
        self._client = client and client.options(request_timeout=_TIMEOUT_S)
        self._alias, self._database_url = alias, database_url
        self._index_answered = False
        self._answer: Mapping[str, Any] | None = None
        self.current: Vocabulary = EMPTY

    async def poll(self) -> None:
        """Ask once and swap; if nobody answers, what was known stays."""
        answer = await self._of_index()
        if answer is not None:
            self._index_answered = True
        elif not self._index_answered:
            answer = await self._of_postgres()
        if answer is None or answer == self._answer:
            return
        self._answer = answer
        # Beside the event loop: thousands of places take a tenth of a second.
        newest = await asyncio.to_thread(vocabulary.from_answer, answer)
        if newest.epoch != self.current.epoch:
            log.info("vocabulary swapped", epoch=newest.epoch, names=len(newest.terms))
        self.current = newest

    async def _of_index(self) -> Mapping[str, Any] | None:
        if self._client is None:
            return None
        try:
            answer = await self._client.search(index=self._alias, **vocabulary.ask())
        except (ApiError, TransportError) as error:
            log.warning("vocabulary not refreshed", error=str(error))
            return None
        return answer["aggregations"]  # type: ignore[no-any-return]

    async def _of_postgres(self) -> Mapping[str, Any] | None:
        try:
            return await of_postgres.aggregations(self._database_url, _TIMEOUT_S)
        except (psycopg.Error, OSError) as error:
            log.warning("vocabulary not refreshed", error=str(error))
            return None

    @asynccontextmanager
    async def polling(self) -> AsyncIterator["VocabularySource"]:
        """Poll for as long as the block runs; the first one is waited for, 2 s at most."""
        first = asyncio.Event()
        task = asyncio.create_task(self._poll_for_ever(first))
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(first.wait(), START_S)
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _poll_for_ever(self, first: asyncio.Event) -> None:
        while True:
            try:
                await self.poll()
            except Exception:
                log.exception("vocabulary not refreshed")
            first.set()
            await asyncio.sleep(POLL_S)

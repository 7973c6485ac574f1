"""The vocabulary that a process reads texts with, built from the index once a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from search.understand import vocabulary
from search.understand.vocabulary import EMPTY, Vocabulary

log = structlog.get_logger(__name__)

POLL_S = 60
_TIMEOUT_S = 10


class VocabularySource:
    """The newest vocabulary; empty until an index is live, so that every word stays text."""

    def __init__(self, client: AsyncElasticsearch | None, alias: str) -> None:
        # Without a client no name is known, and every name stays text.
        self._client = client and client.options(request_timeout=_TIMEOUT_S)
        self._alias = alias
        self.current: Vocabulary = EMPTY

    async def poll(self) -> None:
        """Ask the index once and swap; if it does not answer, what was known stays."""
        if self._client is None:
            return
        try:
            answer = await self._client.search(index=self._alias, **vocabulary.ask())
        except (ApiError, TransportError) as error:
            log.warning("vocabulary not refreshed", error=str(error))
            return
        # Beside the event loop: thousands of places take a tenth of a second.
        newest = await asyncio.to_thread(vocabulary.from_answer, answer["aggregations"])
        if newest.epoch != self.current.epoch:
            self.current = newest
            log.info("vocabulary swapped", epoch=newest.epoch, names=len(newest.terms))

    @asynccontextmanager
    async def polling(self) -> AsyncIterator["VocabularySource"]:
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
            try:
                await self.poll()
            except Exception:
                log.exception("vocabulary not refreshed")
            await asyncio.sleep(POLL_S)

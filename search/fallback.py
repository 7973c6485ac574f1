"""Both engines behind one door: Elasticsearch answers, or PostgreSQL does within the same request.

Where no Elasticsearch is configured PostgreSQL is what answers, and nothing is degraded.
"""

import asyncio
from dataclasses import dataclass, field, replace

import structlog

from runtime.settings import Settings
from search import diversity
from search.breaker import Breaker
from search.engine import Engine, SearchRefusedError, SearchUnavailableError, open_engine
from search.fields import DISTANCE, RELEVANCE
from search.page import SearchPage
from search.postgres.engine import NAME as POSTGRES
from search.postgres.engine import PostgresEngine, open_postgres
from search.query.body import ENGINE_TIMEOUT_S
from search.request import SearchRequest

log = structlog.get_logger(__name__)

ELASTICSEARCH = "elasticsearch"


class CursorEngineChangedError(RuntimeError):
    """The cursor's order exists only in the engine that issued it, and that does not answer now."""


@dataclass(frozen=True, slots=True)
class Searches:
    """Answers searches; `elasticsearch` may be an engine that is not there."""

    elasticsearch: Engine
    postgres: PostgresEngine
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def configured(self) -> bool:
        """Whether Elasticsearch is the one to ask."""
        return self.elasticsearch.client is not None

    async def search(self, request: SearchRequest, issuer: str | None = None) -> SearchPage:
        """One page; `issuer` is the engine that issued the cursor from which it continues.

        Raises:
            CursorEngineChangedError: the page would be of another order than those before it.
            SearchUnavailableError: neither engine answers.
        """
        # An engine's own order continues there alone, even where the other could answer.
        if issuer == POSTGRES and self.configured and _own_order(request):
            return await self._fall_back(request, issuer)
        if self.configured and self.breaker.lets_pass():
            try:
                page = await self._elasticsearch(request)
            except SearchRefusedError as error:
                # A question that it cannot answer must not keep the others from it.
                self.breaker.succeeded()
                log.exception("search refused", error=str(error))
            except SearchUnavailableError as error:
                self.breaker.failed()
                log.warning("search falls back", error=str(error))
            else:
                self.breaker.succeeded()
                return page
        return await self._fall_back(request, issuer)

    async def more(self, request: SearchRequest, engine: str) -> SearchPage:
        """What follows on a page that `engine` began: from it alone.

        Raises:
            SearchUnavailableError: it does not answer.
        """
        if engine == POSTGRES:
            return await diversity.search(self.postgres, request)
        try:
            return await self._elasticsearch(request)
        except SearchRefusedError:
            raise
        except SearchUnavailableError:
            self.breaker.failed()
            raise

    async def _elasticsearch(self, request: SearchRequest) -> SearchPage:
        # A first page takes two calls: both have the time of one.
        try:
            async with asyncio.timeout(ENGINE_TIMEOUT_S):
                return await diversity.search(self.elasticsearch, request)
        except TimeoutError as error:
            msg = f"Elasticsearch did not answer within {ENGINE_TIMEOUT_S} s"
            raise SearchUnavailableError(msg) from error

    async def _fall_back(self, request: SearchRequest, issuer: str | None) -> SearchPage:
        if issuer == ELASTICSEARCH and _own_order(request):
            msg = "the engine that ordered these pages does not answer now"
            raise CursorEngineChangedError(msg)
        page = await diversity.search(self.postgres, request)
        return replace(page, engine=POSTGRES, degraded=self.configured)

    async def ping(self) -> bool:
        """Whether the engine that should answer does."""
        return await (self.elasticsearch if self.configured else self.postgres).ping()

    async def close(self) -> None:
        """Close the connections to PostgreSQL; Elasticsearch's are closed by who opened them."""
        await self.postgres.close()


def _own_order(request: SearchRequest) -> bool:
    """Whether sort values mean something in one engine only: a score, a distance's last bits."""
    return request.sort in (RELEVANCE, DISTANCE)


def open_searches(settings: Settings) -> Searches:
    """Both engines for `settings`; they connect when first asked."""
    return Searches(open_engine(settings), open_postgres(settings))

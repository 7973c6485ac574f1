"""Both engines behind one door: Elasticsearch answers, or PostgreSQL does within the same request.

Where no Elasticsearch is configured PostgreSQL is what answers, and nothing is degraded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import replace

from runtime.settings import Settings
from search import diversity, suggest
from search.breaker import Breaker, State
from search.clusters import MapView
from search.engine import Engine, SearchRefusedError, SearchUnavailableError, open_engine
from search.facet_values import FacetQuestion
from search.fields import DISTANCE, RELEVANCE
from search.page import SearchPage
from search.postgres.engine import NAME as POSTGRES
from search.postgres.engine import PostgresEngine, open_postgres
from search.query.body import ENGINE_TIMEOUT_S
from search.request import SearchRequest
from search.suggest import Typed

Question = TypeVar("Question")
Found = TypeVar("Found")

log = structlog.get_logger(__name__)

ELASTICSEARCH = "elasticsearch"


class CursorEngineChangedError(RuntimeError):
    """The cursor's order exists only in the engine that issued it, and that does not answer now."""


class Answer(Struct, frozen=True):
    """To a question beside a search; `engine` and `degraded` mean what those of a page do."""

    content: dict[str, Any]
    engine: str
    degraded: bool


@dataclass(frozen=True, slots=True)
class Searches:
    """Answers searches and the questions beside them; `elasticsearch` may not be there."""

    elasticsearch: Engine
    postgres: PostgresEngine
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def configured(self) -> bool:
        """Whether Elasticsearch is the one to ask."""
        return self.elasticsearch.client is not None

    @property
    def answers(self) -> str:
        """The engine that a question of now would be answered by, as far as is known."""
        well = self.configured and self.breaker.state is State.CLOSED
        return ELASTICSEARCH if well else POSTGRES

    async def search(self, request: SearchRequest, issuer: str | None = None) -> SearchPage:
        """One page; `issuer` is the engine that issued the cursor from which it continues.

        Raises:
            CursorEngineChangedError: the page would be of another order than those before it.
            SearchUnavailableError: neither engine answers.
        """
        # An engine's own order continues there alone, even where the other could answer.
        asked = partial(diversity.search, self.elasticsearch)
        other = partial(diversity.search, self.postgres)
        if issuer == POSTGRES and _own_order(request):
            page, engine = await other(request), POSTGRES
        elif issuer == ELASTICSEARCH and _own_order(request):
            page, engine = await self._ask(asked, _refuse_the_other_order, request)
        else:
            page, engine = await self._ask(asked, other, request)
        return replace(page, engine=engine, degraded=self._degraded(engine))

    async def suggest(self, typed: Typed) -> Answer:
        """Suggestions by section.

        Raises:
            SearchUnavailableError: neither engine answers.
        """
        if not typed.words:  # nobody is asked, so nobody is known to be well
            return Answer(suggest.nothing(), ELASTICSEARCH if self.configured else POSTGRES, False)
        return await self._answer(self.elasticsearch.suggest, self.postgres.suggest, typed)

    async def facet_values(self, asked: FacetQuestion) -> Answer:
        """Values of one facet; raises as `suggest` does."""
        return await self._answer(
            self.elasticsearch.facet_values, self.postgres.facet_values, asked
        )

    async def clusters(self, view: MapView) -> Answer:
        """A map's clusters or vehicles, not checked; raises as `suggest` does."""
        return await self._answer(self.elasticsearch.clusters, self.postgres.clusters, view)

    async def more(self, request: SearchRequest, engine: str) -> SearchPage:
        """What follows on a page that `engine` began: from it alone.

        Raises:
            SearchUnavailableError: it does not answer.
        """
        if engine == POSTGRES:
            return await diversity.search(self.postgres, request)
        if not self.breaker.lets_pass():
            msg = "Elasticsearch is not asked now"
            raise SearchUnavailableError(msg)
        try:
            page = await _in_time(diversity.search(self.elasticsearch, request))
        except SearchRefusedError:
            self.breaker.succeeded()
            raise
        except SearchUnavailableError:
            self.breaker.failed()
            raise
        self.breaker.succeeded()
        return page

    async def count(self, requests: Sequence[SearchRequest], engine: str) -> list[int]:
        """How many vehicles each finds, from the engine that answered a search; raises as `more`.

        Whether it answers says nothing to the breaker: a search can do without.
        """
        if engine == POSTGRES:
            return await self.postgres.count(requests)
        return await _in_time(self.elasticsearch.count(requests))

    async def _answer(
        self,
        elasticsearch: Callable[[Question], Awaitable[dict[str, Any]]],
        postgres: Callable[[Question], Awaitable[dict[str, Any]]],
        question: Question,
    ) -> Answer:
        content, engine = await self._ask(elasticsearch, postgres, question)
        return Answer(content, engine, self._degraded(engine))

    async def _ask(
        self,
        elasticsearch: Callable[[Question], Awaitable[Found]],
        postgres: Callable[[Question], Awaitable[Found]],
        question: Question,
    ) -> tuple[Found, str]:
        """The answer, and who gave it: the door that every question goes through."""
        if self.configured and self.breaker.lets_pass():
            try:
                found = await _in_time(elasticsearch(question))
            except SearchRefusedError as error:
                # A question that it cannot answer must not keep the others from it.
                self.breaker.succeeded()
                log.exception("search refused", error=str(error))
            except SearchUnavailableError as error:
                self.breaker.failed()
                log.warning("search falls back", error=str(error))
            else:
                self.breaker.succeeded()
                return found, ELASTICSEARCH
        return await postgres(question), POSTGRES

    def _degraded(self, engine: str) -> bool:
        return self.configured and engine == POSTGRES

    async def ping(self) -> bool:
        """Whether the engine that should answer does."""
        return await (self.elasticsearch if self.configured else self.postgres).ping()

    async def close(self) -> None:
        """Close the connections of both."""
        await self.elasticsearch.close()
        await self.postgres.close()


async def _in_time(asking: Awaitable[Found]) -> Found:
    """What Elasticsearch answers in the time of one call, though a first page takes two.

    Raises:
        SearchUnavailableError: it does not, or cannot.
    """
    try:
        async with asyncio.timeout(ENGINE_TIMEOUT_S):
            return await asking
    except TimeoutError as error:
        msg = f"Elasticsearch did not answer within {ENGINE_TIMEOUT_S} s"
        raise SearchUnavailableError(msg) from error


async def _refuse_the_other_order(request: SearchRequest) -> SearchPage:
    msg = f"the engine that ordered these pages by {request.sort} does not answer now"
    raise CursorEngineChangedError(msg)


def _own_order(request: SearchRequest) -> bool:
    """Whether sort values mean something in one engine only: a score, a distance's last bits."""
    return request.sort in (RELEVANCE, DISTANCE)


def open_searches(settings: Settings) -> Searches:
    """Both engines for `settings`; they connect when first asked."""
    return Searches(open_engine(settings), open_postgres(settings))

"""The engine: asks Elasticsearch and refuses to pass on an answer that is not whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar, cast

import orjson
import structlog
from elastic_transport import ConnectionError as TransportConnectionError
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch
from elasticsearch.serializer import OrjsonSerializer

from runtime.http_node import HttpNode
from runtime.settings import Settings
from search import clusters, facet_values, page, suggest
from search.answer import Counted, Found, read_counted, read_found
from search.query import body, counts
from search.query.body import ENGINE_TIMEOUT_S
from search.request import SearchRequest

log = structlog.get_logger(__name__)

Read = TypeVar("Read")
Parsed = TypeVar("Parsed", Counted, Found)


class SearchUnavailableError(RuntimeError):
    """No whole answer is to be had now; the message names the fix where there is one."""


class SearchRefusedError(SearchUnavailableError):
    """Elasticsearch is well but refuses this very question: another question may succeed."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Elasticsearch behind one alias; without a client nothing is asked and nothing answered.

    It waits for as long as its caller does.
    """

    client: AsyncElasticsearch | None
    node: HttpNode | None  # the client's, which searches ask themselves
    alias: str

    async def search(self, request: SearchRequest) -> page.SearchPage:
        """One page, from one call.

        Raises:
            SearchUnavailableError: no index is live, the server cannot be reached, or its answer is
                partial or none.
        """
        # The same copy of the index for every page of a search.
        preference = request.fingerprint()
        return await self._find(body.build(request), partial(page.read, request), preference)

    async def count(self, requests: Sequence[SearchRequest]) -> list[int]:
        """How many vehicles each finds, from one call; raises as `search` does."""
        preference = requests[0].fingerprint()
        return await self._count(counts.build(requests), counts.read, preference)

    async def window(self, request: SearchRequest) -> page.Window:
        """The first hits as candidates, from one call; raises as `search` does."""
        read = partial(page.read_window, request)
        return await self._find(body.window(request), read, request.fingerprint())

    async def suggest(self, typed: suggest.Typed) -> dict[str, Any]:
        """Suggestions by section, from one call; raises as `search` does."""
        read = partial(suggest.read, typed)
        return await self._count(suggest.build(typed), read, typed.fingerprint())

    async def facet_values(self, asked: facet_values.FacetQuestion) -> dict[str, Any]:
        """Values of one facet, from one call; raises as `search` does."""
        read = partial(facet_values.read, asked)
        return await self._count(facet_values.build(asked), read, asked.request.fingerprint())

    async def clusters(self, view: clusters.MapView) -> dict[str, Any]:
        """A map's clusters or vehicles, from one call; raises as `search` does."""
        read = partial(clusters.read, view)
        return await self._find(clusters.build(view), read, view.request.fingerprint())

    async def _find(
        self, content: dict[str, Any], read: Callable[[Found], Read], preference: str
    ) -> Read:
        return await self._ask(content, read_found, read, preference)

    async def _count(
        self, content: dict[str, Any], read: Callable[[Mapping[str, Any]], Read], preference: str
    ) -> Read:
        return await self._ask(
            content, read_counted, lambda counted: read(counted.aggregations), preference
        )

    async def _ask(
        self,
        content: dict[str, Any],
        parse: Callable[[bytes], Parsed],
        read: Callable[[Parsed], Read],
        preference: str,
    ) -> Read:
        answer = await self._call(f"/{self.alias}/_search", content, preference=preference)
        try:
            parsed = parse(answer)
            if parsed.timed_out or parsed.shards.failed:
                msg = "the search engine answered only in part; try again"
                raise SearchUnavailableError(msg)
            return read(parsed)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            # What an answer lacks shows when it is read: it may be a proxy's, or cut off.
            log.exception("search engine's answer not understood")
            msg = "the search engine answered something else"
            raise SearchUnavailableError(msg) from error

    async def _call(self, path: str, content: dict[str, Any], *, preference: str) -> bytes:
        if self.node is None:
            msg = "no Elasticsearch is configured: set RIDES_ELASTICSEARCH_URL"
            raise SearchUnavailableError(msg)
        target = f"{path}?allow_partial_search_results=false&preference={preference}"
        try:
            status, answer = await self.node.post(target, orjson.dumps(content))
        except TransportConnectionError as error:
            msg = "Elasticsearch does not answer: see RIDES_ELASTICSEARCH_URL"
            raise SearchUnavailableError(msg) from error
        except TransportError as error:
            msg = f"Elasticsearch could not answer: {error}"
            raise SearchUnavailableError(msg) from error
        if status == HTTPStatus.NOT_FOUND:
            msg = f"no index is live behind the alias {self.alias!r}: run `rides reindex`"
            raise SearchUnavailableError(msg)
        if status == HTTPStatus.BAD_REQUEST:
            msg = f"Elasticsearch refused the question: {answer.decode(errors='replace')}"
            raise SearchRefusedError(msg)
        if status != HTTPStatus.OK:
            msg = f"Elasticsearch answered {status}: {answer.decode(errors='replace')}"
            raise SearchUnavailableError(msg)
        return answer

    async def ping(self) -> bool:
        """Whether an index is live behind the alias."""
        if self.client is None:
            return False
        try:
            return bool(await self.client.indices.exists_alias(name=self.alias))
        except (ApiError, TransportError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        if self.client is not None:
            await self.client.close()


def open_engine(settings: Settings) -> Engine:
    """An engine for `settings`; connects when first asked.

    The client's own retries are off: at once and without a pause, they multiply an overload.
    """
    if not settings.elasticsearch_url:
        return Engine(None, None, settings.index_alias)
    client = AsyncElasticsearch(
        settings.elasticsearch_url,
        serializer=OrjsonSerializer(),
        request_timeout=ENGINE_TIMEOUT_S,
        max_retries=0,
        retry_on_timeout=False,
        connections_per_node=50,
        node_class=HttpNode,
        meta_header=False,  # what the client is made of, put together anew for every call
    )
    node = cast("HttpNode", client.transport.node_pool.get())  # the only one of one address
    return Engine(client, node, settings.index_alias)

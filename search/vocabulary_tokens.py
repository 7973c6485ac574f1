"""The words that vehicles are described by: a word among them is no typo.

A process holds them as an immutable set, loaded from the index and refreshed each minute, so that a
search needs no second call.
"""

import asyncio
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import structlog
from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from search.aliases import also_called
from search.fields import FIELDS, Kind
from search.query.filters import VISIBLE
from search.query.text import OPTIONAL
from search.words import fold, split

log = structlog.get_logger(__name__)

REFRESH_S = 60
MOST_VALUES = 10_000  # of one field
SHORTEST_TYPO = 4  # letters
_FIELDS = tuple(f.name for f in FIELDS if f.weight and f.kind is Kind.KEYWORD)


def misspelt(text: str, known: Container[str]) -> tuple[str, ...]:
    """The words of `text`, folded, that may be misspelt: letters only, four or more, not known.

    A short word or a digit is one letter away from another name: `fit` from Fiat, `cx5` from X5.
    """
    words = dict.fromkeys(fold(word) for word in split(text))
    return tuple(word for word in words if _suspect(word) and not is_known(word, known))


def _suspect(word: str) -> bool:
    # The plural of a short word is short, too.
    letters = len(word.removesuffix("s"))
    return letters >= SHORTEST_TYPO and word.isalpha() and word not in OPTIONAL


def is_known(word: str, known: Container[str]) -> bool:
    """Whether a folded word, or the one that it is the plural of, means something."""
    return bool(also_called(word)) or word in known or word.removesuffix("s") in known


def request_body() -> dict[str, Any]:
    """One call for all values of all fields that text is searched in and that hold words."""
    return {
        "size": 0,
        "query": {"bool": {"filter": [VISIBLE]}},
        "aggs": {name: {"terms": {"field": name, "size": MOST_VALUES}} for name in _FIELDS},
    }


def read(aggregations: dict[str, Any]) -> frozenset[str]:
    """The words of an answer to `request_body`, joined forms included."""
    known: set[str] = set()
    for name in _FIELDS:
        for bucket in aggregations[name]["buckets"]:
            words = [fold(word) for word in split(bucket["key"])]
            known.update(words)
            known.update(left + right for left, right in pairwise(words))
    return frozenset(known)


class KnownWords:
    """The words of the index behind an alias, as of the last minute; empty until first loaded."""

    def __init__(self, client: AsyncElasticsearch | None, alias: str) -> None:
        self._client, self._alias = client, alias
        self.words: frozenset[str] = frozenset()

    async def load(self) -> None:
        """Ask once; if the index does not answer, what was known stays.

        Without a client nothing is known: PostgreSQL looks for no similar words.
        """
        if self._client is None:
            return
        try:
            answer = await self._client.search(index=self._alias, body=request_body())
        except (ApiError, TransportError) as error:
            log.warning("known words not refreshed", error=str(error))
            return
        self.words = read(answer["aggregations"])

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator["KnownWords"]:
        """Load now and each minute, for as long as the block runs."""
        task = asyncio.create_task(self._refresh_for_ever())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _refresh_for_ever(self) -> None:
        while True:
            try:
                await self.load()
            except Exception:
                log.exception("known words not refreshed")
            await asyncio.sleep(REFRESH_S)

"""What renters search for often: counted in memory, added up in PostgreSQL, suggested to others.

A text is counted only if every word of it is one that vehicles are described by or was understood
as a filter, so that no name, address or number of a person is ever kept. Both are asked again
before a text is suggested: what no vehicle has any more disappears.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Container, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from search.query.text import is_optional
from search.suggest import Typed
from search.typos import is_known
from search.understand.reader import understand
from search.understand.vocabulary import Vocabulary
from search.words import fold, mark, matches, split

log = structlog.get_logger(__name__)

DAYS = 14  # that a search counts for
LEAST = 5  # searches: a text of fewer says who searched rather than what is popular
LONGEST = 60  # characters
MOST_DIGITS = 6  # telephone numbers have more
FLUSH_S = 30.0
TYPED_S = 5.0  # a text that is longer after that is another one
REFRESH_S = 60.0
SEEN_S = 600.0  # a client that repeats a text within that counts once
MOST_SEEN = 50_000
MOST_WAITING = 1000  # texts between two flushes
MOST_OF_A_DAY = 10_000
MOST_SUGGESTED = 500

_TODAY = "(now() AT TIME ZONE 'UTC')::date"
# In the order of the texts, so that two processes never wait for each other in a circle.
_ADD = f"""
    INSERT INTO popular_searches (day, text, searches)
    SELECT {_TODAY}, text, searches
    FROM unnest(%(texts)s::text[], %(searches)s::integer[]) AS counted (text, searches)
    ORDER BY text
    ON CONFLICT (day, text) DO UPDATE SET searches = popular_searches.searches + excluded.searches
"""  # noqa: S608 - constants only
_PRUNE = f"""
    DELETE FROM popular_searches WHERE day <= {_TODAY} - {DAYS} OR (day, text) IN (
        SELECT day, text FROM popular_searches WHERE day = {_TODAY}
        ORDER BY searches DESC, text OFFSET {MOST_OF_A_DAY}
    )
"""  # noqa: S608 - constants only
_READ = f"""
    SELECT text, sum(searches)::integer AS searches
    FROM popular_searches WHERE day > {_TODAY} - {DAYS}
    GROUP BY text HAVING sum(searches) >= {LEAST} ORDER BY 2 DESC, 1 LIMIT {MOST_SUGGESTED}
"""  # noqa: S608 - constants only

# Of a text: which kind of filter is read out of it, from where to where.
Span = tuple[str, int, int]


def countable(text: str, read: Iterable[Span], known: Container[str]) -> str | None:
    """The text as it is counted: folded, without its days; None if it says anything unknown.

    Days are left out because they pass, and are each renter's own.
    """
    parts: list[str | None] = []
    at = 0
    for kind, start, end in read:
        parts.append(_plain(text[at:start], known))
        if kind != "dates":
            parts.append(fold(text[start:end]))
        at = end
    parts.append(_plain(text[at:], known))
    if None in parts:
        return None
    said = " ".join(" ".join(filter(None, parts)).split())
    digits = sum(each.isdigit() for each in said)
    return said if said and len(said) <= LONGEST and digits <= MOST_DIGITS else None


def _plain(text: str, known: Container[str]) -> str | None:
    words = [fold(word) for word in split(text)]
    return " ".join(words) if all(is_optional(w) or is_known(w, known) for w in words) else None


@dataclass(frozen=True, slots=True)
class Popular:
    """A text and how often it was searched for."""

    text: str
    searches: int


class PopularSearches:
    """Of one process: what was searched since the last flush, and what is popular everywhere.

    `vocabulary` answers with what is known now; it costs a search nothing.
    """

    def __init__(self, engine: AsyncEngine, vocabulary: Callable[[], Vocabulary]) -> None:
        self._engine, self._vocabulary = engine, vocabulary
        self._waiting: Counter[str] = Counter()
        self._seen: set[int] = set()
        self._lately: dict[int, float] = {}  # since the last flush: who counted, and when
        self._forgotten = self._refreshed = float("-inf")
        self._read_by: Vocabulary | None = None
        self._by_letter: dict[str, list[Popular]] = {}

    def count(self, text: str, read: Iterable[Span], client: str) -> None:
        """One search that found something; `client` is who asked, and only a hash of it is held."""
        said = countable(text, read, self._vocabulary().words)
        who = hash((client, said))
        if said is None or who in self._seen or len(self._seen) >= MOST_SEEN:
            return
        self._seen.add(who)
        self._take_back_beginnings(said, client)
        self._lately[who] = time.monotonic()
        if said in self._waiting or len(self._waiting) < MOST_WAITING:
            self._waiting[said] += 1

    def _take_back_beginnings(self, said: str, client: str) -> None:
        """Whoever searches at every key has searched for "jeep" on the way to "jeep wrangler"."""
        for end in range(1, len(said)):
            counted_at = self._lately.pop(hash((client, said[:end])), None)
            if counted_at is not None and time.monotonic() - counted_at < TYPED_S:
                self._take_back(said[:end])

    def _take_back(self, said: str) -> None:
        self._waiting[said] -= 1
        if self._waiting[said] <= 0:
            del self._waiting[said]

    def begin(self, typed: Typed) -> list[dict[str, Any]]:
        """Suggestions in which every typed word begins a word, the most popular first."""
        found: list[dict[str, Any]] = []
        for each in self._by_letter.get(typed.words[0][0], ()) if typed.words else ():
            if matches(each.text, typed.words):
                found.append(_suggestion(each, typed))
                if len(found) == typed.limit:
                    break
        return found

    async def flush(self) -> None:
        """Add up in PostgreSQL; if it does not answer, the counts wait for the next time."""
        waiting, self._waiting = self._waiting, Counter()
        self._lately.clear()
        if not waiting:
            return
        values = {"texts": list(waiting), "searches": list(waiting.values())}
        try:
            async with self._engine.begin() as connection:
                await connection.exec_driver_sql(_ADD, values)
        except (SQLAlchemyError, OSError) as error:
            log.warning("popular searches wait", error=type(error).__name__)
            self._waiting = Counter(dict((waiting + self._waiting).most_common(MOST_WAITING)))

    async def refresh(self) -> None:
        """Forget old days, and take over what is popular and still means something."""
        vocabulary = self._vocabulary()
        try:
            async with self._engine.begin() as connection:
                await connection.exec_driver_sql(_PRUNE)
                rows = list(await connection.exec_driver_sql(_READ))
        except (SQLAlchemyError, OSError) as error:
            log.warning("popular searches not refreshed", error=type(error).__name__)
            rows = []  # what was popular may not be there any more
        # Beside the event loop: reading so many texts takes a fifth of a second.
        popular = [Popular(row.text, row.searches) for row in rows]
        self._by_letter = await asyncio.to_thread(_by_letter, popular, vocabulary)
        self._read_by = vocabulary

    @asynccontextmanager
    async def counting(self) -> AsyncIterator["PopularSearches"]:
        """Flush and refresh for as long as the block runs, and flush once more after it."""
        task = asyncio.create_task(self._count_for_ever())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.flush()

    async def _count_for_ever(self) -> None:
        while True:
            try:
                await self.flush()
                await self._refresh_if_due()
            except Exception:
                log.exception("popular searches not counted")
            await asyncio.sleep(FLUSH_S)

    async def _refresh_if_due(self) -> None:
        now = time.monotonic()
        if now - self._forgotten > SEEN_S:
            self._seen.clear()
            self._forgotten = now
        # A newer vocabulary may lack a word: what has it must go at once.
        changed = self._read_by is not self._vocabulary()
        if changed or now - self._refreshed > REFRESH_S:
            await self.refresh()
            self._refreshed = now


def _by_letter(popular: Iterable[Popular], vocabulary: Vocabulary) -> dict[str, list[Popular]]:
    """By the first letter of any of their words, the texts that still can be counted."""
    today = datetime.now(UTC).date()
    found: dict[str, list[Popular]] = defaultdict(list)
    for each in popular:
        read = [(r.kind, r.start, r.end) for r in understand(each.text, vocabulary, today)]
        if countable(each.text, read, vocabulary.words) == each.text:
            for letter in {word[0] for word in split(each.text)}:
                found[letter].append(each)
    return dict(found)


def _suggestion(popular: Popular, typed: Typed) -> dict[str, Any]:
    return {
        "kind": "search",
        "value": popular.text,
        "label": mark(popular.text, typed.words),
        "count": popular.searches,
        "filter": {"q": popular.text},
    }

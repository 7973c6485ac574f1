"""What to try instead where a search finds little: another spelling, or asking for less.

All of it is counted in one request besides the search, made only when little is found or a word is
not known. It is a courtesy: late or failing, it is left out.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from msgspec import Struct
from msgspec.structs import replace

from search import checked, relax
from search.did_you_mean import Correction, corrections, surest
from search.fallback import Searches
from search.given_up import given_up
from search.page import SearchPage
from search.request import SearchRequest
from search.truth import Truth
from search.understand.vocabulary import Vocabulary

log = structlog.get_logger(__name__)

FEW = 5  # fewer vehicles than these are little
PATIENCE_S = 0.4  # that all of this may take
MOST_RELAXED = 4  # are shown
MOST_ITEMS = 10  # of the first of them, where the page is empty
MOST_COUNTED = 30

# A request as the route searches it, and the kinds of readings in its text.
Reader = Callable[[SearchRequest], tuple[SearchRequest, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Search:
    """A first page: what was sent, as what it was searched, and what was found."""

    sent: SearchRequest
    asked: SearchRequest
    found: SearchPage
    read: Reader
    vocabulary: Vocabulary
    now: datetime

    def tried(self, text: str) -> "Tried":
        """The same with another text."""
        sent = replace(self.sent, text=text)
        return Tried(sent, self.read(sent)[0])


@dataclass(slots=True)
class Tried:
    """Another search as it is sent and as it is searched, and how many vehicles it finds.

    `items` are its first, where they are wanted.
    """

    sent: SearchRequest
    searched: SearchRequest
    count: int = 0
    items: list[dict[str, Any]] = field(default_factory=list)


class Suggestions(Struct, frozen=True):
    """`total` is what the correction finds; `applied`: the page is of similar words already."""

    correction: Correction | None = None
    total: int = 0
    applied: bool = False
    relaxed: Sequence[tuple[list[dict[str, Any]], Tried]] = ()


NOTHING = Suggestions()


async def suggest(searches: Searches, truth: Truth, of: Search, patience_s: float) -> Suggestions:
    """What to try instead; nothing where enough was found, or when it takes too long."""
    if of.found.total >= FEW and not of.asked.similar:
        return NOTHING
    # Waited for apart: a statement that is cancelled itself waits for the server to agree.
    task = asyncio.create_task(_suggest(searches, truth, of))
    done, _ = await asyncio.wait({task}, timeout=max(0, min(patience_s, PATIENCE_S)))
    if not done:
        task.cancel()
        log.warning("suggestions are late")
        return NOTHING
    if error := task.exception():
        log.warning("no suggestions", error=repr(error))
        return NOTHING
    return task.result()


async def _suggest(searches: Searches, truth: Truth, of: Search) -> Suggestions:
    text, vocabulary = of.sent.text or "", of.vocabulary
    # With `typing` the page has what the last word begins.
    ends = None if of.sent.typing else vocabulary.names_begun
    meant = corrections(text, of.asked.text or "", vocabulary.words, vocabulary.near, ends)
    spelt = [of.tried(each.text) for each in meant]
    literal = Tried(of.sent, replace(of.asked, similar={}, begun=()))
    base = Tried(of.sent, of.asked)
    if meant and not of.found.total:
        base = of.tried(surest(text, meant[0]))
    less = _Less(base.searched, of) if of.found.total < FEW else None
    tried = [*([literal, *spelt] if spelt else []), *(less.tried if less else [])]
    if not tried:
        return NOTHING
    counts = await searches.count([each.searched for each in tried], of.found.engine)
    for each, count in zip(tried, counts, strict=True):
        each.count = count
    found = _spelling(of, meant, spelt, literal.count)
    relaxed = []
    if found.correction and not of.found.items:
        best = spelt[meant.index(found.correction)]
        relaxed.append((given_up(of.sent, best.sent), best))
    if less and found.total < FEW:
        respelt = given_up(of.sent, base.sent)
        chosen = less.choose(more_than=max(of.found.total, found.total))
        relaxed += [(respelt + given_up(base.searched, each.sent), each) for each in chosen]
    if relaxed and not of.found.items:
        relaxed[0][1].items = await _items(searches, truth, of, relaxed[0][1].searched)
    return replace(found, relaxed=relaxed[:MOST_RELAXED])


def _spelling(of: Search, meant: list[Correction], spelt: list[Tried], literal: int) -> Suggestions:
    """The likeliest correction that finds something, and more than the words as written."""
    for correction, tried in zip(meant, spelt, strict=True):
        if literal < FEW and tried.count > literal:
            applied = not literal and of.found.total > 0
            return Suggestions(correction, tried.count, applied)
    return NOTHING


class _Less:
    """Searches that ask for less: of one thing, by step and level, or of several."""

    def __init__(self, base: SearchRequest, of: Search) -> None:
        known: dict[str, Tried] = {base.fingerprint(): Tried(base, base)}

        def once(request: SearchRequest) -> Tried:
            sent, searched = _sendable(request, of.read)
            return known.setdefault(searched.fingerprint(), Tried(sent, searched))

        self._singly = [
            [[once(each) for each in level] for level in levels]
            for levels in relax.singly(base, of.vocabulary)
        ]
        self._together = [
            [once(each) for each in several] for several in relax.together(base, of.vocabulary)
        ]
        self.tried = [*known.values()][1 : MOST_COUNTED + 1]

    def choose(self, *, more_than: int) -> list[Tried]:
        """Of each step the mildest level that finds more; of a level, what finds the most.

        Where no step alone does, the fewest together. To ask for nothing is the last resort.
        """

        def mildest(levels: list[list[Tried]]) -> Tried | None:
            bests = (max(level, key=lambda each: each.count) for level in levels)
            return next((best for best in bests if best.count > more_than), None)

        ways = [[best for levels in self._singly if (best := mildest(levels))]]
        ways += [[each for each in ways if each.count > more_than] for ways in self._together]
        for way in ways:
            if useful := [each for each in way if relax.demanding(each.sent)]:
                return _distinct(useful)
        return _distinct([each for way in ways for each in way])[: 0 if more_than else 1]


def _distinct(tried: list[Tried]) -> list[Tried]:
    return [*{id(each): each for each in tried}.values()][:MOST_RELAXED]


def _sendable(request: SearchRequest, read: Reader) -> tuple[SearchRequest, SearchRequest]:
    """The request to send, and as what it is then searched: just this.

    What is left of a text may say what the whole did not: that stays text.
    """
    searched, kinds = read(request)
    if kinds:
        request = replace(request, keep=tuple(dict.fromkeys((*request.keep, *kinds))))
        searched, _ = read(request)
    return request, searched


async def _items(
    searches: Searches, truth: Truth, of: Search, request: SearchRequest
) -> list[dict[str, Any]]:
    limit = min(request.limit, MOST_ITEMS)
    page = await checked.search(searches, truth, replace(request, facets=(), limit=limit), of.now)
    return page.items

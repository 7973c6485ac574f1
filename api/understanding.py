"""Free text as filters, between the parsed request and the engine."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from search.request import SearchRequest
from search.understand.apply import apply
from search.understand.reader import understand
from search.understand.reading import Reading
from search.understand.vocabulary import Vocabulary
from search.vocabulary_tokens import misspelt

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Understood:
    """The request with what was understood in it, for the page and for the next page's cursor."""

    request: SearchRequest
    items: list[dict[str, Any]]
    pinned: list[list[Any]]


def first_page(
    asked: SearchRequest, vocabulary: Vocabulary, now: datetime, time_zone: str
) -> Understood:
    """Read the text as of today in the marketplace's time zone; it never makes a search fail."""
    readings: tuple[Reading, ...] = ()
    if asked.text:
        today = now.astimezone(ZoneInfo(time_zone)).date()
        try:
            readings = understand(asked.text, vocabulary, today, asked.keep)
        except Exception:
            # A text that is not understood is still a text to search.
            log.exception("text not understood", length=len(asked.text))
    return _understood(asked, readings)


def first_page_of(state: Any, asked: SearchRequest, now: datetime) -> Understood:
    """A first page as the application of this `state` reads it, ready for an engine.

    Besides its filters it has the words for which similar ones will do, and the time: every route
    that counts what a search finds asks the same.
    """
    vocabulary, words = known(state)
    understood = first_page(asked, vocabulary, now, state.settings.time_zone)
    suspects = misspelt(understood.request.text or "", words)
    return replace(understood, request=replace(understood.request, misspelt=suspects, now=now))


def known(state: Any) -> tuple[Vocabulary, Container[str]]:
    """What this process knows now: what names mean, and the words of vehicles."""
    return state.vocabulary.current, state.known_words.words


def next_page(asked: SearchRequest, pinned: Sequence[Sequence[Any]]) -> Understood:
    """What the first page understood: neither midnight nor a new vocabulary moves it."""
    text = asked.text or ""
    return _understood(
        asked,
        [
            Reading(kind, text[start:end], start, end, parameters)
            for kind, start, end, parameters in pinned
        ],
    )


def _understood(asked: SearchRequest, readings: Sequence[Reading]) -> Understood:
    request, applied = apply(asked, readings)
    return Understood(
        request,
        [_item(*each) for each in zip(readings, applied, strict=True)],
        [[each.kind, each.start, each.end, dict(each.parameters)] for each in readings],
    )


def _item(reading: Reading, applied: bool) -> dict[str, Any]:
    return {
        "kind": reading.kind,
        "words": reading.words,
        "start": reading.start,
        "end": reading.end,
        "parameters": dict(reading.parameters),
        "applied": applied,
    }

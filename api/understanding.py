"""Free text as filters, between the parsed request and the engine."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct
from msgspec.structs import replace

from search.did_you_mean import similar
from search.fields import DISTANCE
from search.query.text import is_optional
from search.request import SearchRequest
from search.understand.apply import apply
from search.understand.reader import understand
from search.understand.reading import Reading
from search.understand.vocabulary import Vocabulary
from search.words import fold, split

log = structlog.get_logger(__name__)


class Understood(Struct, frozen=True):
    """The request with what was understood in it, for the page and for the next page's cursor."""

    request: SearchRequest
    items: list[dict[str, Any]]
    pinned: list[list[Any]]

    @property
    def kinds(self) -> list[str]:
        """The kinds of what was read, applied or not."""
        return [each["kind"] for each in self.items]


def first_page(
    asked: SearchRequest, vocabulary: Vocabulary, now: datetime, time_zone: str
) -> Understood:
    """Read the text as of today in the marketplace's time zone; it never makes a search fail.

    Of the text that remains, similar words will do for those that the vocabulary does not know.
    """
    readings: tuple[Reading, ...] = ()
    if asked.text:
        today = now.astimezone(ZoneInfo(time_zone)).date()
        try:
            days = asked.dates.days if asked.dates else asked.half_dates.get("days")
            readings = understand(asked.text, vocabulary, today, asked.keep, days)
            if asked.sort == DISTANCE and asked.near is None:
                readings = tuple(_with_point(each, vocabulary) for each in readings)
        except Exception:
            # A text that is not understood is still a text to search.
            log.exception("text not understood", length=len(asked.text))
    understood = _understood(asked, readings)
    rest = understood.request
    alike = similar(rest.text or "", vocabulary.words, vocabulary.near)
    begun: tuple[str, ...] = ()
    if unfinished := _unfinished(asked, rest.text):
        begun = vocabulary.near.begun(unfinished)
        if begun:  # it is not misspelt
            alike.pop(unfinished, None)
    return replace(understood, request=replace(rest, similar=alike, begun=begun, now=now))


def _with_point(reading: Reading, vocabulary: Vocabulary) -> Reading:
    """A reading of a city also as the point to measure distances from, as far as it is known."""
    point = vocabulary.point(reading.parameters.get("city", ("",))[0])
    if point is None:
        return reading
    where = dict(zip(("lat", "lon"), point, strict=True))
    return dataclasses.replace(reading, parameters={**reading.parameters, **where})


def _unfinished(asked: SearchRequest, rest: str | None) -> str | None:
    """The last word that was typed, folded, if it may be unfinished and nothing was read of it."""
    typed, left = split(asked.text or ""), split(rest or "")
    if not asked.typing or not left or typed[-1] != left[-1] or is_optional(left[-1]):
        return None
    return fold(left[-1])


def first_page_of(state: Any, asked: SearchRequest, now: datetime) -> Understood:
    """A first page as the application of this `state` reads it, ready for an engine."""
    return first_page(asked, state.vocabulary.current, now, state.settings.time_zone)


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
        [_item(asked.text or "", *each) for each in zip(readings, applied, strict=True)],
        [[each.kind, each.start, each.end, dict(each.parameters)] for each in readings],
    )


def units(text: str, characters: int) -> int:
    """How many UTF-16 units so many characters are, which is what JavaScript cuts strings by."""
    return characters if text.isascii() else len(text[:characters].encode("utf-16-le")) // 2


def _item(text: str, reading: Reading, applied: bool) -> dict[str, Any]:
    return {
        "kind": reading.kind,
        "words": reading.words,
        "start": units(text, reading.start),
        "end": units(text, reading.end),
        "parameters": dict(reading.parameters),
        "applied": applied,
    }

"""What to try instead, between a first page and `search/dead_ends.py`."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from fastapi import FastAPI

from api import understanding
from api.errors import Problem
from api.schemas.search import LONGEST_TEXT
from api.search_parameters import parse
from api.understanding import units
from search import dead_ends
from search.page import SearchPage
from search.parameters import parameters
from search.request import SearchRequest
from search.understand.vocabulary import Vocabulary

ANSWERED_S = 1.4  # since the engine was asked; after that no search may wait for suggestions


def nothing() -> dict[str, Any]:
    """What is suggested beside a page that needs no help."""
    return {"didYouMean": None, "relaxed": []}


async def suggestions(
    app: FastAPI, sent: SearchRequest, asked: SearchRequest, found: SearchPage, begun: float
) -> dict[str, Any]:
    """`{didYouMean, relaxed}` for a first page: what was sent, as what it was searched, and found.

    `begun` is when the engine was asked, of `time.perf_counter`. An engine that stands in for
    another has no time for this.
    """
    if found.degraded:
        return nothing()
    vocabulary: Vocabulary = app.state.vocabulary.current
    now = asked.now
    assert now
    search = dead_ends.Search(
        sent, asked, found, _reader(vocabulary, now, app.state.settings.time_zone), vocabulary, now
    )
    patience_s = begun + ANSWERED_S - time.perf_counter()
    tried = await dead_ends.suggest(app.state.searches, app.state.truth, search, patience_s)
    if tried is dead_ends.NOTHING:
        return nothing()
    return {
        "didYouMean": _did_you_mean(sent.text or "", tried),
        "relaxed": _relaxed(tried, now.date()),
    }


def _reader(vocabulary: Vocabulary, now: datetime, time_zone: str) -> dead_ends.Reader:
    def read(request: SearchRequest) -> tuple[SearchRequest, Sequence[str]]:
        understood = understanding.first_page(request, vocabulary, now, time_zone)
        return understood.request, understood.kinds

    return read


def _did_you_mean(text: str, tried: dead_ends.Suggestions) -> dict[str, Any] | None:
    if tried.correction is None or len(tried.correction.text) > LONGEST_TEXT:
        return None
    return {
        "q": tried.correction.text,
        "replaced": [
            asdict(each) | {"start": units(text, each.start), "end": units(text, each.end)}
            for each in tried.correction.replaced
        ],
        "total": tried.total,
        "applied": tried.applied,
    }


def _relaxed(tried: dead_ends.Suggestions, today: date) -> list[dict[str, Any]]:
    return [
        {"relaxed": given_up, "parameters": parameters(each.sent), "count": each.count}
        | ({"items": each.items} if each.items else {})
        for given_up, each in tried.relaxed
        if _accepted(parameters(each.sent), today)
    ]


def _accepted(sent: dict[str, Any], today: date) -> bool:
    """Whether the route takes it; a text may say what no parameter may, such as 400 days."""
    pairs = [
        (name, str(one).lower() if isinstance(one, bool) else str(one))
        for name, value in sent.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    try:
        parse(pairs, today)
    except Problem:
        return False
    return True

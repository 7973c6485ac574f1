"""`GET /v1/search/vehicles`."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from msgspec.structs import replace

from api import cursors, filter_values, media, suggesting, understanding, write_tokens
from api.dependencies import Now
from api.direct import DirectRoute
from api.errors import Problem, problem_responses
from api.schemas.common import FieldError
from api.schemas.search import SearchPage
from api.search_parameters import SEARCH, openapi_parameters, pairs, parse_for, require_whole
from api.understanding import Understood
from runtime.settings import Settings
from search import checked
from search.engine import SearchUnavailableError
from search.fallback import CursorEngineChangedError
from search.fields import RELEVANCE, camel
from search.page import SearchPage as Found
from search.profiles import DEFAULT
from search.request import SearchRequest
from search.truth import Truth, age_ms

router = APIRouter(prefix="/v1/search", tags=["search"], route_class=DirectRoute)


@router.get(
    "/vehicles",
    summary="Find vehicles",
    response_model=None,  # the page is built once, as plain dicts; a test holds it to this schema
    responses={
        200: {"model": SearchPage, "description": "A page; empty when nothing matches"},
        **problem_responses(
            {
                400: "The cursor is not one of ours, has expired or belongs to another search "
                "(`invalid-cursor`), the engine that ordered its pages does not answer "
                "(`cursor-engine-changed`), or `after` is no write's token (`invalid-write-token`)",
                503: "No search engine answers; try again after `Retry-After` seconds",
            }
        ),
    },
    openapi_extra={"parameters": openapi_parameters()},
)
async def search_vehicles(request: Request, now: Now) -> Response:
    """Search by text, place, dates and filters, with facets, in pages.

    Facets count only vehicles that are free on the asked dates. A facet of which any value may
    match leaves its own filter out of its counts: they say what another choice would find.
    """
    begun = time.perf_counter()
    state = request.app.state
    parameters, asked = parse_for(SEARCH, pairs(request), now.date())
    question = _read(state, asked, parameters.cursor, now)
    truth: Truth = state.truth
    having = await write_tokens.wait(state, parameters.after)
    oldest_change = await truth.oldest_change()
    asking = time.perf_counter()
    found = await _search(request, question, now)
    suggestions = suggesting.nothing()
    if question.first:
        _count(request, question, found)
        suggestions = await suggesting.suggestions(
            request.app, question.sent, question.asked, found, asking
        )
    at = state.settings.media_address
    for each in suggestions["relaxed"]:
        if "items" in each:
            each["items"] = media.with_addresses(at, each["items"])
    content = _page(found) | {
        "items": media.with_addresses(at, found.items),
        "nextCursor": _next_cursor(state.settings, question, found) if found.more else None,
        "understood": question.understood.items,
        "suggestions": suggestions,
        "meta": {
            "engine": found.engine,
            "degraded": found.degraded or not found.checked,
            "profile": DEFAULT.name,
            "indexAgeMs": age_ms(oldest_change),
            "afterSatisfied": write_tokens.satisfied(having, found.engine),
            "tookMs": round((time.perf_counter() - begun) * 1000, 1),
        },
    }
    return Response(orjson.dumps(content), media_type="application/json")


@dataclass(frozen=True, slots=True)
class _Question:
    """A search as it was sent, and as engines are asked it: its text and its cursor are read."""

    sent: SearchRequest
    asked: SearchRequest
    understood: Understood
    issuer: str | None = None  # the engine that issued the cursor

    @property
    def first(self) -> bool:
        """Whether no page came before."""
        return self.issuer is None

    @property
    def name(self) -> str:
        """What its cursors belong to; a score of another profile would go on with a wrong page."""
        version = f" {DEFAULT.version}" if self.sent.sort == RELEVANCE else ""
        return f"vehicles {self.sent.fingerprint()}{version}"


def _read(state: Any, sent: SearchRequest, cursor: str | None, now: datetime) -> _Question:
    if cursor is None:
        filter_values.refuse_joined(state, sent)
        understood = understanding.first_page_of(state, sent, now)
        question = _Question(sent, filter_values.as_shown(state, understood.request), understood)
    else:
        question = _continued(state, sent, cursor)
    require_whole(sent, question.asked, now.date())
    return question


def _continued(state: Any, sent: SearchRequest, cursor: str) -> _Question:
    unread = _Question(sent, sent, understanding.next_page(sent, ()))
    pinned = cursors.decode(state.settings, unread.name, cursor)
    understood = understanding.next_page(sent, pinned["understood"])
    asked = replace(
        filter_values.as_shown(state, understood.request),
        after=pinned["after"] and tuple(pinned["after"]),
        pinned=tuple(pinned.get("pinned", ())),
        similar={word: tuple(others) for word, others in pinned["similar"].items()},
        begun=tuple(pinned["begun"]),
        now=datetime.fromtimestamp(pinned["now"], UTC),
    )
    return _Question(sent, asked, understood, pinned["engine"])


async def _search(request: Request, question: _Question, now: datetime) -> Found:
    state = request.app.state
    try:
        return await checked.search(
            state.searches, state.truth, question.asked, now, question.issuer
        )
    except CursorEngineChangedError as error:
        raise _engine_changed(error) from error
    except SearchUnavailableError as error:
        raise Problem(
            503,
            "search-unavailable",
            "Search does not answer",
            str(error),
            headers={"Retry-After": "1"},
        ) from error


def _count(request: Request, question: _Question, found: Found) -> None:
    """Count what was searched for, if it found something and its last word was whole."""
    if question.sent.text and found.total and not question.asked.begun:
        read = [(kind, start, end) for kind, start, end, _ in question.understood.pinned]
        client = request.client.host if request.client else ""
        request.app.state.popular.count(question.sent.text, read, client)


def _next_cursor(settings: Settings, question: _Question, found: Found) -> str:
    assert question.asked.now
    pinned = {
        "after": found.last,
        "engine": found.engine,
        "similar": question.asked.similar,
        "begun": question.asked.begun,
        "now": question.asked.now.timestamp(),
        "understood": question.understood.pinned,
    }
    return cursors.encode(
        settings, question.name, pinned | ({"pinned": found.pinned} if found.pinned else {})
    )


def _engine_changed(error: CursorEngineChangedError) -> Problem:
    return Problem(
        400,
        "cursor-engine-changed",
        "The pages cannot be continued now",
        f"{error}: ask without `cursor` for the first page.",
        errors=[FieldError(pointer="cursor", message="continues an order that is not to be had")],
    )


def _page(found: Found) -> dict[str, object]:
    return {
        "facets": {camel(name): values for name, values in found.facets.items()},
        "facetStats": {camel(name): stats for name, stats in found.facet_stats.items()},
        "total": {"value": found.total, "exact": True},
        "hasMore": found.more,
    }

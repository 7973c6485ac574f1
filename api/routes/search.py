"""`GET /v1/search/vehicles`."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import orjson
from fastapi import APIRouter, Request, Response

from api import cursors, suggesting, understanding, write_tokens
from api.dependencies import Now
from api.errors import Problem, problem_responses
from api.schemas.common import FieldError
from api.schemas.search import SearchPage
from api.search_parameters import openapi_parameters, parse, require_days
from search import checked
from search.engine import SearchUnavailableError
from search.fallback import CursorEngineChangedError, Searches
from search.fields import RELEVANCE, camel
from search.page import SearchPage as Found
from search.profiles import DEFAULT
from search.truth import Truth, age_ms

router = APIRouter(prefix="/v1/search", tags=["search"])


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
    asked, cursor = parse(request.query_params.multi_items(), now.date())
    sent = asked
    settings = request.app.state.settings
    this_search = f"search {asked.fingerprint()}"
    issuer: str | None = None
    if asked.sort == RELEVANCE:
        # A score of another profile would continue on a wrong page.
        this_search += f" {DEFAULT.version}"
    if cursor is not None:
        pinned = cursors.decode(settings, this_search, cursor)
        issuer = pinned["engine"]
        understood = understanding.next_page(asked, pinned["understood"])
        asked = replace(
            understood.request,
            after=pinned["after"] and tuple(pinned["after"]),
            pinned=tuple(pinned.get("pinned", ())),
            misspelt=tuple(pinned["misspelt"]),
            now=datetime.fromtimestamp(pinned["now"], UTC),
        )
    else:
        understood = understanding.first_page_of(request.app.state, asked, now)
        asked = understood.request
    require_days(asked)
    truth: Truth = request.app.state.truth
    after = request.query_params.get("after")
    written = None if after is None else write_tokens.decode(settings, after)
    satisfied = None if written is None else await truth.searchable(written)
    oldest_change = await truth.oldest_change()
    searches: Searches = request.app.state.searches
    asking = time.perf_counter()
    try:
        found = await checked.search(searches, truth, asked, now, issuer)
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
    if cursor is None and sent.text and found.total:
        read = [(each["kind"], each["start"], each["end"]) for each in understood.items]
        client = request.client.host if request.client else ""
        request.app.state.popular.count(sent.text, read, client)
    content = _page(found) | {
        "hasMore": found.more,
        "nextCursor": None
        if not found.more
        else cursors.encode(
            settings,
            this_search,
            {
                "after": found.last,
                "engine": found.engine,
                "misspelt": asked.misspelt,
                "now": now.timestamp() if asked.now is None else asked.now.timestamp(),
                "understood": understood.pinned,
            }
            | ({"pinned": found.pinned} if found.pinned else {}),
        ),
        "understood": understood.items,
        "suggestions": suggesting.nothing()
        if cursor
        else await suggesting.suggestions(request.app, sent, asked, found, asking),
        "meta": {
            "engine": found.engine,
            "degraded": found.degraded or not found.checked,
            "profile": DEFAULT.name,
            "indexAgeMs": age_ms(oldest_change),
            "afterSatisfied": satisfied,
            "tookMs": round((time.perf_counter() - begun) * 1000, 1),
        },
    }
    return Response(orjson.dumps(content), media_type="application/json")


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
        "items": found.items,
        "facets": {camel(name): values for name, values in found.facets.items()},
        "facetStats": {camel(name): stats for name, stats in found.facet_stats.items()},
        "total": {"value": found.total, "exact": True},
    }

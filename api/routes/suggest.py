"""`GET /v1/search/suggest`."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.dependencies import known_parameters
from api.lookups import SEARCH_UNAVAILABLE, answer
from api.schemas.common import DECIMAL_DIGITS
from api.schemas.lookups import Suggestions
from search.fallback import Answer
from search.suggest import Typed

router = APIRouter(prefix="/v1/search", tags=["search"], dependencies=[Depends(known_parameters)])


@router.get(
    "/suggest",
    summary="Suggest while a renter types",
    response_model=None,
    responses={200: {"model": Suggestions, "description": "Suggestions"}, **SEARCH_UNAVAILABLE},
)
async def suggest_searches(
    request: Request,
    q: Annotated[
        str, Query(min_length=1, max_length=100, description="what was typed", examples=["wra"])
    ],
    limit: Annotated[
        int,
        Field(ge=1, le=20),
        DECIMAL_DIGITS,
        Query(description="suggestions a section", examples=[5]),
    ] = 5,
) -> Response:
    """Makes, models, types, places and features with a word that begins so, with their vehicles.

    Every typed word must begin a word of the name; of a model, its make counts as well. Case and
    accents do not matter. When nothing begins so, words of at least four letters may have one
    wrong letter, but not the first. Popular searches are those of the last 14 days, counted without
    who asked; their words are all taken from vehicles or are filters.
    """
    begun = time.perf_counter()
    return await answer(request, _suggest(request.app.state, Typed.of(q, limit)), begun)


async def _suggest(state: Any, typed: Typed) -> Answer:
    found: Answer = await state.searches.suggest(typed)
    # From memory, so that they cost no question of their own. While the index is away, nobody
    # learns whose words must not be shown any more.
    popular = [] if found.degraded else state.popular.begin(typed)
    found.content["sections"]["searches"] = popular
    return found

"""`GET /v1/search/facet-values`."""

import time

from fastapi import APIRouter, Request, Response
from msgspec.structs import replace

from api import filter_values, understanding, write_tokens
from api.dependencies import Now
from api.direct import DirectRoute
from api.lookups import INVALID_WRITE_TOKEN, SEARCH_UNAVAILABLE, answer
from api.schemas import lookups
from api.search_parameters import (
    Accepted,
    openapi_parameters,
    pairs,
    parse_for,
    require_whole,
)
from search.facet_values import FACET_OF, FacetQuestion

PARAMETERS = Accepted.searching(
    "FacetValuesParameters", without={"sort", "facets", "cursor"}, **lookups.FACET_VALUES
)
router = APIRouter(prefix="/v1/search", tags=["search"], route_class=DirectRoute)


@router.get(
    "/facet-values",
    summary="Search inside one facet",
    response_model=None,
    responses={
        200: {"model": lookups.FacetValues, "description": "Values"},
        **INVALID_WRITE_TOKEN,
        **SEARCH_UNAVAILABLE,
    },
    openapi_extra={"parameters": openapi_parameters(PARAMETERS)},
)
async def find_facet_values(request: Request, now: Now) -> Response:
    """The values of a facet that begin so, counted under a search's filters.

    Send the search's own parameters, its `q` as `text`. The counts are those of the search's facet:
    a facet of which any value may match leaves its own filter out.
    """
    begun = time.perf_counter()
    asked, search = parse_for(PARAMETERS, pairs(request), now.date())
    search = replace(search, text=(asked.text or "").strip() or None)
    state = request.app.state
    filter_values.refuse_joined(state, search)
    understood = understanding.first_page_of(state, search, now)
    require_whole(search, understood.request, now.date())
    shown = filter_values.as_shown(state, understood.request)
    question = FacetQuestion.of(shown, FACET_OF[asked.facet], asked.q)
    having = await write_tokens.wait(state, asked.after)
    return await answer(
        request,
        state.searches.facet_values(question),
        begun,
        lambda found: {"afterSatisfied": write_tokens.satisfied(having, found.engine)},
        understood=understood.items,
    )

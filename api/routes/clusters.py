"""`GET /v1/search/clusters`."""

import time
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from msgspec.structs import replace

from api import filter_values, media, understanding, write_tokens
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
from search import checked
from search.clusters import MapView
from search.fallback import Answer

PARAMETERS = Accepted.searching(
    "ClusterParameters", without={"sort", "facets", "limit", "cursor"}, **lookups.CLUSTERS
)
router = APIRouter(prefix="/v1/search", tags=["search"], route_class=DirectRoute)


@router.get(
    "/clusters",
    summary="Vehicles on a map",
    response_model=None,
    responses={
        200: {"model": lookups.Clusters, "description": "A map"},
        **INVALID_WRITE_TOKEN,
        **SEARCH_UNAVAILABLE,
    },
    openapi_extra={"parameters": openapi_parameters(PARAMETERS)},
)
async def cluster_vehicles(request: Request, now: Now) -> Response:
    """What a search finds in a map section: clusters or, when at most 50, the vehicles.

    The grid follows the zoom but stays within 1,000 cells. No cluster spans the 180th meridian.
    Single vehicles are checked as a page's are: all of them can be booked.
    """
    begun = time.perf_counter()
    asked, search = parse_for(PARAMETERS, pairs(request), now.date())
    state = request.app.state
    filter_values.refuse_joined(state, search)
    understood = understanding.first_page_of(state, search, now)
    require_whole(search, understood.request, now.date())
    view = MapView(filter_values.as_shown(state, understood.request), asked.zoom)
    having = await write_tokens.wait(state, asked.after)
    return await answer(
        request,
        _shown(state, view, now),
        begun,
        lambda found: {"afterSatisfied": write_tokens.satisfied(having, found.engine)},
        understood=understood.items,
    )


async def _shown(state: Any, view: MapView, now: datetime) -> Answer:
    found = await checked.clusters(state.searches, state.truth, view, now)
    items = media.with_addresses(state.settings.media_address, found.content["items"])
    return replace(found, content=found.content | {"items": items})

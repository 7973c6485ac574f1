"""`GET /v1/search/clusters`."""

import time
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from api.lookups import SEARCH_UNAVAILABLE, answer
from api.schemas import lookups
from api.search_parameters import Accepted, openapi_parameters, parse_for
from search.clusters import MapView

PARAMETERS = Accepted.searching(
    "ClusterParameters", without={"sort", "facets", "limit", "cursor"}, **lookups.CLUSTERS
)
router = APIRouter(prefix="/v1/search", tags=["search"])


@router.get(
    "/clusters",
    summary="Vehicles on a map",
    response_model=None,
    responses={200: {"model": lookups.Clusters, "description": "A map"}, **SEARCH_UNAVAILABLE},
    openapi_extra={"parameters": openapi_parameters(PARAMETERS)},
)
async def cluster_vehicles(request: Request) -> Response:
    """What a search finds in a map section: clusters or, when at most 50, the vehicles.

    The grid follows the zoom but stays within 1,000 cells. No cluster spans the 180th meridian.
    """
    begun = time.perf_counter()
    now = datetime.now(UTC)
    asked, search = parse_for(PARAMETERS, request.query_params.multi_items(), now.date())
    search = replace(search, now=now)
    return await answer(
        request, request.app.state.search.clusters(MapView(search, asked.zoom)), begun
    )

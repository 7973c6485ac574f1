"""`GET /v1/vehicles/{id}/similar`."""
# ruff: noqa: FAST003 - `id` is the alias of VehicleId

import time

import orjson
from fastapi import APIRouter, Request, Response

from api import media
from api.dependencies import Now
from api.routes.vehicles import NOT_FOUND, VehicleId
from api.schemas.search import PARAMETERS as SEARCH
from api.schemas.similar import SimilarVehicles
from api.search_parameters import Accepted, openapi_parameters, pairs, parse_for
from bookings.service import listed_vehicle
from search import checked, similar
from search.profiles import DEFAULT
from search.truth import age_ms

PARAMETERS = Accepted.searching(
    "SimilarParameters", without=SEARCH.keys() - {"start", "end", "limit"}
)
router = APIRouter(prefix="/v1/vehicles", tags=["vehicles"], responses=NOT_FOUND)


@router.get(
    "/{id}/similar",
    summary="Vehicles like this one",
    response_model=None,
    responses={200: {"model": SimilarVehicles, "description": "Empty when nothing is alike"}},
    openapi_extra={"parameters": openapi_parameters(PARAMETERS)},
)
async def similar_vehicles(vehicle_id: VehicleId, request: Request, now: Now) -> Response:
    """Others of its kind within 100 km, with `start` and `end` only those free on the days.

    Likeness counts first: model, body, seats, price, distance, make, fuel, transmission. What is
    equally alike is ordered as a search is, and no host floods it.
    """
    begun = time.perf_counter()
    _, asked = parse_for(PARAMETERS, pairs(request), now.date())
    app = request.app.state
    async with app.sessions() as session:
        vehicle = await listed_vehicle(session, vehicle_id)
    oldest_change = await app.truth.oldest_change()
    found = await checked.search(app.searches, app.truth, similar.request(vehicle, asked, now), now)
    meta = {
        "engine": found.engine,
        "degraded": found.degraded or not found.checked,
        "profile": DEFAULT.name,
        "indexAgeMs": age_ms(oldest_change),
        "tookMs": round((time.perf_counter() - begun) * 1000, 1),
    }
    items = media.with_addresses(app.settings.media_address, found.items)
    content = {"items": items, "meta": meta}
    return Response(orjson.dumps(content), media_type="application/json")

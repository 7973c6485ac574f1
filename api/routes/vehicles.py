"""One vehicle: its details, its calendar, its price, its reviews."""
# ruff: noqa: FAST003 - `id` is the alias of VehicleId

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field

from api import cursors, preconditions
from api.dependencies import AppSettings, Now, OptionalPrincipal, Session, known_parameters
from api.errors import problem_responses
from api.preconditions import ETAG
from api.schemas.common import DECIMAL_DIGITS, Id, IsoDate
from api.schemas.reviews import ReviewOut, ReviewPage
from api.schemas.vehicles import AvailabilityOut, QuoteOut, VehicleOut
from bookings import calendar, quotes, reviews
from bookings import vehicles as showroom
from bookings.hosting import Owned

NOT_FOUND = problem_responses({404: "No listed vehicle has this id (`vehicle-not-found`)"})
BAD_CURSOR = problem_responses({400: "The cursor was not issued for this list (`invalid-cursor`)"})

router = APIRouter(
    prefix="/v1/vehicles",
    tags=["vehicles"],
    dependencies=[Depends(known_parameters)],
    responses=NOT_FOUND,
)

VehicleId = Annotated[Id, Path(alias="id", description="the vehicle", examples=[7])]
Limit = Annotated[
    int, Field(ge=1, le=100), DECIMAL_DIGITS, Query(description="items a page", examples=[20])
]
Cursor = Annotated[
    str | None, Query(description="`nextCursor` of the page before", max_length=1000)
]


@router.get(
    "/{id}",
    summary="Everything public about a vehicle",
    responses=problem_responses({401: "A bearer token was sent and is not valid"}) | {200: ETAG},
    openapi_extra={"security": [{}]},  # added to the bearer token: it may be left out
)
async def get_vehicle(
    vehicle_id: VehicleId,
    viewer: OptionalPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> VehicleOut:
    """One that is not listed is shown to its host and to admins only."""
    found = await showroom.detail(session, vehicle_id=vehicle_id, viewer=viewer)
    preconditions.tag(response, Owned(found.vehicle, frozenset(found.features)).version)
    return VehicleOut.of(found, settings.media_address)


@router.get("/{id}/availability", summary="Taken and free days")
async def get_availability(
    vehicle_id: VehicleId,
    session: Session,
    now: Now,
    first: Annotated[
        IsoDate | None,
        Query(alias="from", description="first day; default today", examples=["2027-06-01"]),
    ] = None,
    until: Annotated[
        IsoDate | None,
        Query(
            alias="to",
            description="the day after the last, at most 366 days after `from`; default 90",
            examples=["2027-08-30"],
        ),
    ] = None,
) -> AvailabilityOut:
    """Days on the vehicle's own calendar."""
    found = await calendar.availability(
        session, vehicle_id=vehicle_id, first=first, until=until, now=now
    )
    return AvailabilityOut.of(vehicle_id, found)


@router.get("/{id}/quote", summary="The price of these days")
async def get_quote(
    vehicle_id: VehicleId,
    session: Session,
    settings: AppSettings,
    now: Now,
    start: Annotated[IsoDate, Query(description="pick-up day", examples=["2027-06-01"])],
    end: Annotated[
        IsoDate,
        Query(description="return day, at most 365 days after start", examples=["2027-06-04"]),
    ],
) -> QuoteOut:
    """The total is what a booking of these days costs; nothing is held by asking.

    `token` makes the price hold for 15 minutes, whatever the host does meanwhile.
    """
    found = await calendar.quote_for(session, vehicle_id=vehicle_id, start=start, end=end, now=now)
    signed: tuple[str | None, datetime | None] = (None, None)
    if found.obstacle is None:
        secret = settings.require_secret()
        signed = quotes.sign(
            secret, vehicle_id=vehicle_id, start=start, end=end, quote=found.quote, now=now
        )
    return QuoteOut.of(vehicle_id, start, end, found, signed)


@router.get("/{id}/reviews", summary="Reviews, newest first", responses=BAD_CURSOR)
async def list_reviews(
    vehicle_id: VehicleId,
    session: Session,
    settings: AppSettings,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> ReviewPage:
    """Those written here; `reviewCount` of the vehicle also counts what its source had."""
    of = f"reviews of {vehicle_id}"
    before = None
    if cursor is not None:
        last = cursors.decode(settings, of, cursor)
        before = (datetime.fromisoformat(last["createdAt"]), last["id"])
    found, has_more = await reviews.of_vehicle(
        session, vehicle_id=vehicle_id, before=before, limit=limit
    )
    next_cursor = None
    if has_more:
        oldest = found[-1].review
        next_cursor = cursors.encode(
            settings, of, {"createdAt": oldest.created_at, "id": oldest.id}
        )
    items = [ReviewOut.of(each) for each in found]
    return ReviewPage(items=items, has_more=has_more, next_cursor=next_cursor)

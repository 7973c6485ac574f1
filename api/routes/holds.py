"""`POST /v1/bookings`: whoever is signed in holds a vehicle."""

from fastapi import APIRouter, Depends, Request, Response

from api import write_tokens
from api.dependencies import CurrentPrincipal, Now, known_parameters
from api.direct import DirectBodyRoute
from api.errors import problem_responses
from api.once import Answer, OnceOnly
from api.schemas.bookings import BookingIn, BookingOut
from bookings import holds, quotes
from runtime.prepared import Prepared

router = APIRouter(
    prefix="/v1/bookings",
    tags=["bookings"],
    route_class=DirectBodyRoute,
    dependencies=[Depends(known_parameters)],
    responses=problem_responses({401: "There is no valid bearer token"}),
)


@router.post(
    "",
    status_code=201,
    summary="Hold a vehicle for 15 minutes",
    response_model=BookingOut,
    response_description="Held; `Location` is the booking",
    responses=problem_responses(
        {
            400: "The body is not UTF-8",
            413: "The body is larger than 64 KiB",
            403: "The vehicle is your own (`own-vehicle`)",
            404: "No listed vehicle has this id (`vehicle-not-found`)",
            409: "Somebody else has at least one of the days (`vehicle-unavailable`), or they cost "
            "another amount (`price-changed`); or `idempotency-in-flight`",
            422: "A field is wrong, the quote does not hold (`invalid-quote`), or "
            "`idempotency-mismatch`",
        }
    )
    | {201: write_tokens.ANSWER},
)
async def create_booking(
    body: BookingIn, principal: CurrentPrincipal, once: OnceOnly, request: Request, now: Now
) -> Response:
    """Takes the days until `expiresAt`, at a price that no longer changes: that of the quote, or
    what the days cost now. Pay for it to have it confirmed.
    """  # noqa: D205 - it is what the documentation shows
    state = request.app.state
    settings = state.settings

    async def hold(connection: Prepared) -> Answer:
        quoted = None
        if body.quote is not None:
            quoted = quotes.verify(
                settings.require_secret(), body.quote,
                vehicle_id=body.vehicle_id, start=body.start, end=body.end, now=now,
            )  # fmt: skip
        booking, transaction_id = await holds.hold(
            connection,
            state.sessions,
            renter_id=principal.account_id,
            vehicle_id=body.vehicle_id,
            start=body.start,
            end=body.end,
            now=now,
            quoted=quoted,
            amount=body.amount,
        )
        headers = {
            write_tokens.HEADER: write_tokens.encode(settings, transaction_id),
            "Location": f"/v1/bookings/{booking.id}",
        }
        return Answer(BookingOut.of(booking, None, principal), 201, headers)

    return await once.directly(body, hold)

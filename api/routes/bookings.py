"""Bookings of whoever is signed in."""
# ruff: noqa: FAST003 - `id` is the alias of BookingId

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from api import cursors, write_tokens
from api.dependencies import AppSettings, CurrentPrincipal, Now, Session, known_parameters
from api.errors import problem_responses
from api.routes.vehicles import BAD_CURSOR, Cursor, Limit
from api.schemas.bookings import BookingIn, BookingOut, BookingPage
from api.schemas.common import Id
from bookings import service

NOT_FOUND = problem_responses({404: "You have no such booking (`booking-not-found`)"})

router = APIRouter(
    prefix="/v1/bookings",
    tags=["bookings"],
    dependencies=[Depends(known_parameters)],
    responses=problem_responses({401: "There is no valid bearer token"}),
)

BookingId = Annotated[Id, Path(alias="id", description="the booking", examples=[42])]


@router.post(
    "",
    status_code=201,
    summary="Book a vehicle",
    response_description="Booked; `Location` is the booking",
    responses=problem_responses(
        {
            400: "The body is not UTF-8",
            413: "The body is larger than 64 KiB",
            403: "The vehicle is your own (`own-vehicle`)",
            404: "No listed vehicle has this id (`vehicle-not-found`)",
            409: "Somebody else has at least one of the days (`vehicle-unavailable`)",
        }
    )
    | {201: write_tokens.ANSWER},
)
async def create_booking(
    body: BookingIn,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    now: Now,
    response: Response,
) -> BookingOut:
    """Confirmed at once, at the total that the vehicle's quote gives."""
    booking = await service.book(
        session,
        renter_id=principal.account_id,
        vehicle_id=body.vehicle_id,
        start=body.start,
        end=body.end,
        now=now,
    )
    response.headers["Location"] = f"/v1/bookings/{booking.id}"
    await write_tokens.stamp(response, session, settings)
    return BookingOut.of(booking)


@router.get("", summary="My bookings, newest first", responses=BAD_CURSOR)
async def list_bookings(
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    as_: Annotated[
        Literal["renter", "host"],
        Query(alias="as", description="my own trips, or the bookings of my vehicles"),
    ] = "renter",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> BookingPage:
    """All of them, whatever their status."""
    of = f"bookings of {principal.account_id} as {as_}"
    before = None if cursor is None else cursors.decode(settings, of, cursor)["id"]
    found, has_more = await service.list_bookings(
        session,
        account_id=principal.account_id,
        as_host=as_ == "host",
        before=before,
        limit=limit,
    )
    return BookingPage(
        items=[BookingOut.of(booking) for booking in found],
        has_more=has_more,
        next_cursor=cursors.encode(settings, of, {"id": found[-1].id}) if has_more else None,
    )


@router.get("/{id}", summary="One booking", responses=NOT_FOUND)
async def get_booking(
    booking_id: BookingId, principal: CurrentPrincipal, session: Session
) -> BookingOut:
    """For its renter, the vehicle's host and admins; for others it does not exist."""
    return BookingOut.of(await service.get(session, booking_id=booking_id, principal=principal))


@router.post(
    "/{id}/cancel",
    summary="Cancel a booking",
    responses=NOT_FOUND
    | problem_responses({409: "It has begun or ended (`booking-not-cancellable`)"})
    | {200: write_tokens.ANSWER},
)
async def cancel_booking(
    booking_id: BookingId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> BookingOut:
    """Frees the days. Cancelling it again changes nothing and answers the same."""
    booking = await service.cancel(session, booking_id=booking_id, principal=principal)
    await write_tokens.stamp(response, session, settings)
    return BookingOut.of(booking)

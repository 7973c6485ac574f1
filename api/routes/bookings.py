"""Bookings of whoever is signed in: hold, pay, look."""
# ruff: noqa: FAST003 - `id` is the alias of BookingId

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.tokens import Principal
from api import cursors, write_tokens
from api.dependencies import (
    AppSettings,
    CurrentPrincipal,
    Now,
    Session,
    Transactions,
    known_parameters,
)
from api.errors import problem_responses
from api.once import PROBLEMS as ONCE
from api.once import Answer, OnceOnly
from api.routes.vehicles import BAD_CURSOR, Cursor, Limit
from api.schemas.bookings import BookingIn, BookingOut, BookingPage, CancellationOut, PayIn
from api.schemas.common import Id
from bookings import changes, holds, quotes, service
from models import CancellationPolicy
from models.session import transaction_id
from runtime.prepared import Prepared
from runtime.settings import Settings

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
    body: BookingIn,
    principal: CurrentPrincipal,
    once: OnceOnly,
    settings: AppSettings,
    sessions: Transactions,
    now: Now,
) -> Response:
    """Takes the days until `expiresAt`, at a price that no longer changes: that of the quote, or
    what the days cost now. Pay for it to have it confirmed.
    """  # noqa: D205 - it is what the documentation shows

    async def hold(connection: Prepared) -> Answer:
        quoted = None
        if body.quote is not None:
            quoted = quotes.verify(
                settings.require_secret(), body.quote,
                vehicle_id=body.vehicle_id, start=body.start, end=body.end, now=now,
            )  # fmt: skip
        booking, transaction_id = await holds.hold(
            connection,
            sessions,
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
    payments = await service.payments_of(session, [booking.id for booking in found])
    return BookingPage(
        items=[BookingOut.of(each, payments.get(each.id), principal) for each in found],
        has_more=has_more,
        next_cursor=cursors.encode(settings, of, {"id": found[-1].id}) if has_more else None,
    )


@router.get("/{id}", summary="One booking", responses=NOT_FOUND)
async def get_booking(
    booking_id: BookingId, principal: CurrentPrincipal, session: Session
) -> BookingOut:
    """For its renter, the vehicle's host and admins; for others it does not exist."""
    return await show(session, booking_id, principal)


@router.post(
    "/{id}/pay",
    summary="Pay for a held booking",
    response_model=BookingOut,
    responses=NOT_FOUND
    | problem_responses(
        {
            400: "The body is not UTF-8",
            413: "The body is larger than 64 KiB",
            402: "The card was refused (`payment-declined`): try another, with a new key",
            403: "Only the renter pays (`not-your-part`)",
            409: "The hold is over (`hold-expired`), or the booking (`booking-not-payable`); or "
            "`idempotency-in-flight`",
            422: ONCE[422],
        }
    )
    | {200: write_tokens.ANSWER},
)
async def pay_booking(
    booking_id: BookingId,
    body: PayIn,
    principal: CurrentPrincipal,
    once: OnceOnly,
    request: Request,
    now: Now,
) -> Response:
    """Confirms the booking, or, where `needsApproval`, asks the host: until then the amount is
    only reserved. Money is never taken twice, however often this is sent.
    """  # noqa: D205 - it is what the documentation shows

    async def pay() -> Answer:
        await request.app.state.cashier.pay(
            booking_id=booking_id, principal=principal, method=body.payment_method, now=now
        )
        return await shown(request, booking_id, principal)

    return await once.apart(body, pay)


@router.get(
    "/{id}/cancellation",
    summary="What cancelling would give back",
    responses=NOT_FOUND
    | problem_responses({409: "It has begun or ended (`booking-not-cancellable`)"}),
)
async def get_cancellation(
    booking_id: BookingId, principal: CurrentPrincipal, session: Session, now: Now
) -> CancellationOut:
    """For the renter, now. When the host cancels, everything goes back."""
    booking, terms = await changes.cancellation_terms(
        session, booking_id=booking_id, principal=principal, now=now
    )
    return CancellationOut(
        cancellation_policy=CancellationPolicy(booking.policy),
        percent=terms.percent,
        refund=terms.cents,
        currency=booking.currency,
    )


async def stamped(session: AsyncSession, settings: Settings) -> dict[str, str]:
    """The headers that an answer to a write carries."""
    return {write_tokens.HEADER: write_tokens.encode(settings, await transaction_id(session))}


async def show(session: AsyncSession, booking_id: int, principal: Principal) -> BookingOut:
    """The booking as it is."""
    booking = await service.get(session, booking_id=booking_id, principal=principal)
    payments = await service.payments_of(session, [booking_id])
    return BookingOut.of(booking, payments.get(booking_id), principal)


async def shown(request: Request, booking_id: int, principal: Principal) -> Answer:
    """The booking after what was done to it, which is committed; with a token that covers it."""
    async with request.app.state.sessions.begin() as session:
        headers = await stamped(session, request.app.state.settings)
        return Answer(await show(session, booking_id, principal), headers=headers)

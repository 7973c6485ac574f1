"""Bookings of whoever is signed in: look, pay."""
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
    known_parameters,
)
from api.errors import problem_responses
from api.once import PROBLEMS as ONCE
from api.once import Answer, OnceOnly
from api.routes.vehicles import BAD_CURSOR, Cursor, Limit
from api.schemas.bookings import BookingOut, BookingPage, CancellationOut, PayIn
from api.schemas.common import Id
from bookings import changes, service
from models import CancellationPolicy
from models.session import transaction_id
from runtime.settings import Settings

NOT_FOUND = problem_responses({404: "You have no such booking (`booking-not-found`)"})

router = APIRouter(
    prefix="/v1/bookings",
    tags=["bookings"],
    dependencies=[Depends(known_parameters)],
    responses=problem_responses({401: "There is no valid bearer token"}),
)

BookingId = Annotated[Id, Path(alias="id", description="the booking", examples=[42])]


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

"""What renter and host do with a booking: cancel, move, approve, decline."""
# ruff: noqa: FAST003 - `id` is the alias of BookingId

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from accounts.tokens import Principal
from api import write_tokens
from api.dependencies import CurrentPrincipal, Now, known_parameters
from api.errors import problem_responses
from api.once import PROBLEMS as ONCE
from api.once import Answer, OnceOnly
from api.routes.bookings import NOT_FOUND, BookingId, shown
from api.schemas.bookings import BookingOut, RescheduleIn
from bookings import changes

router = APIRouter(
    prefix="/v1/bookings",
    tags=["bookings"],
    dependencies=[Depends(known_parameters)],
    responses=problem_responses({401: "There is no valid bearer token"}),
)
NOT_THE_RENTERS = {403: "It is for the host to decide (`not-your-part`)"}
NOT_AWAITING = "It does not wait for its host (`booking-not-awaiting-host`); or "


def _changing(problems: dict[int, str]) -> dict[str, Any]:
    answers = {409: ONCE[409], 422: ONCE[422]} | problems
    return {
        "response_model": BookingOut,
        "responses": NOT_FOUND | problem_responses(answers) | {200: write_tokens.ANSWER},
    }


async def _changed(
    request: Request,
    booking_id: int,
    principal: Principal,
    now: Now,
    change: Callable[..., Awaitable[object]],
    **wishes: Any,
) -> Answer:
    """Make a change, move the money that it is about, show what came of it."""
    async with request.app.state.sessions.begin() as session:
        await change(session, booking_id=booking_id, principal=principal, now=now, **wishes)
    await request.app.state.cashier.settle(booking_id, now)
    return await shown(request, booking_id, principal)


@router.post(
    "/{id}/cancel",
    summary="Cancel a booking",
    **_changing({409: "It has begun or ended (`booking-not-cancellable`); or " + ONCE[409]}),
)
async def cancel_booking(
    booking_id: BookingId,
    principal: CurrentPrincipal,
    once: OnceOnly,
    request: Request,
    now: Now,
) -> Response:
    """Frees the days. The renter gets back what `…/cancellation` says; everything, if the host
    cancels. Cancelling it again changes nothing and answers the same.
    """  # noqa: D205 - it is what the documentation shows

    async def work() -> Answer:
        return await _changed(request, booking_id, principal, now, changes.cancel)

    return await once.apart(None, work)


@router.post(
    "/{id}/reschedule",
    summary="Move a booking to other days",
    **_changing(
        {
            400: "The body is not UTF-8",
            413: "The body is larger than 64 KiB",
            403: "Only the renter moves a booking (`not-your-part`)",
            409: "The new days are taken (`vehicle-unavailable`), cost another amount "
            "(`price-changed`) or more than was paid (`reschedule-costs-more`), or the booking "
            "cannot move any more (`booking-not-reschedulable`); or `idempotency-in-flight`",
        }
    ),
)
async def reschedule_booking(
    booking_id: BookingId,
    body: RescheduleIn,
    principal: CurrentPrincipal,
    once: OnceOnly,
    request: Request,
    now: Now,
) -> Response:
    """At what the new days cost now. An unpaid hold moves freely; a confirmed booking as long as
    cancelling would give everything back, and what is cheaper goes back.
    """  # noqa: D205 - it is what the documentation shows

    async def work() -> Answer:
        wishes = {"start": body.start, "end": body.end, "amount": body.amount}
        return await _changed(request, booking_id, principal, now, changes.reschedule, **wishes)

    return await once.apart(body, work)


@router.post(
    "/{id}/confirm",
    summary="Accept a booking, as its host",
    **_changing(NOT_THE_RENTERS | {409: NOT_AWAITING + ONCE[409]}),
)
async def confirm_booking(
    booking_id: BookingId,
    principal: CurrentPrincipal,
    once: OnceOnly,
    request: Request,
    now: Now,
) -> Response:
    """Takes the reserved money and confirms the booking, within a day of its payment."""

    async def work() -> Answer:
        return await _changed(request, booking_id, principal, now, changes.approve)

    return await once.apart(None, work)


@router.post(
    "/{id}/decline",
    summary="Refuse a booking, as its host",
    **_changing(NOT_THE_RENTERS | {409: NOT_AWAITING + ONCE[409]}),
)
async def decline_booking(
    booking_id: BookingId,
    principal: CurrentPrincipal,
    once: OnceOnly,
    request: Request,
    now: Now,
) -> Response:
    """Frees the days and the reserved money."""

    async def work() -> Answer:
        return await _changed(request, booking_id, principal, now, changes.decline)

    return await once.apart(None, work)

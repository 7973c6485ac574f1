"""Reviews of bookings: written by renters, answered by hosts, moderated by admins."""
# ruff: noqa: FAST003 - `id` is an alias

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import cursors, write_tokens
from api.dependencies import (
    AppSettings,
    CurrentAdmin,
    CurrentPrincipal,
    Now,
    Session,
    known_parameters,
)
from api.errors import problem_responses
from api.once import PROBLEMS as ONCE
from api.once import Answer, OnceOnly
from api.routes.bookings import NOT_FOUND as NO_BOOKING
from api.routes.bookings import BookingId, stamped
from api.routes.hosting import BODY
from api.routes.vehicles import BAD_CURSOR, Cursor, Limit
from api.schemas.common import Id
from api.schemas.reviews import (
    ModeratedReviewOut,
    ModeratedReviewPage,
    OwnReviewOut,
    ReviewHiddenIn,
    ReviewIn,
    ReviewReplyIn,
    ReviewReportIn,
)
from bookings import reviews
from bookings.reviews import Pile

NOT_FOUND = problem_responses({404: "There is no such review for you (`review-not-found`)"})
HOSTS_ONLY = problem_responses({403: "It is for the vehicle's host to do (`not-your-part`)"})
ADMINS_ONLY = problem_responses({403: "It is for admins to do (`not-your-part`)"})

router = APIRouter(
    prefix="/v1",
    tags=["reviews"],
    dependencies=[Depends(known_parameters)],
    responses=problem_responses({401: "There is no valid bearer token"}),
)

ReviewId = Annotated[Id, Path(alias="id", description="the review", examples=[12])]


@router.post(
    "/bookings/{id}/review",
    status_code=201,
    summary="Review a booking, as its renter",
    response_model=OwnReviewOut,
    response_description="Written; `Location` is the booking's review",
    responses=NO_BOOKING
    | BODY
    | problem_responses(
        {
            403: "Only the renter does, and not of the renter's own vehicle (`not-your-part`)",
            409: "It is not completed (`booking-not-reviewable`), more than 14 days over "
            "(`review-window-over`) or has a review (`already-reviewed`); or "
            "`idempotency-in-flight`",
            422: ONCE[422],
        }
    )
    | {201: write_tokens.ANSWER},
)
async def create_review(
    booking_id: BookingId,
    body: ReviewIn,
    principal: CurrentPrincipal,
    once: OnceOnly,
    settings: AppSettings,
    now: Now,
) -> Response:
    """Once, within 14 days of the return day. It counts in the vehicle's rating at once, and stays
    as it is: show it to the renter before you send it.
    """  # noqa: D205 - it is what the documentation shows

    async def write(session: AsyncSession) -> Answer:
        written = await reviews.write(
            session,
            booking_id=booking_id,
            principal=principal,
            stars=body.rating,
            title=body.title or "",
            body=body.body,
            now=now,
        )
        headers = await stamped(session, settings)
        headers["Location"] = f"/v1/bookings/{booking_id}/review"
        return Answer(OwnReviewOut.of(written), 201, headers)

    return await once.together(body, write)


@router.get(
    "/bookings/{id}/review",
    summary="The review of a booking",
    responses=problem_responses(
        {
            404: "You have no such booking (`booking-not-found`), or it has no review "
            "(`review-not-found`)"
        }
    ),
)
async def get_review(
    booking_id: BookingId, principal: CurrentPrincipal, session: Session
) -> OwnReviewOut:
    """For its renter, the vehicle's host and admins; also where an admin has hidden it."""
    found = await reviews.of_booking(session, booking_id=booking_id, principal=principal)
    return OwnReviewOut.of(found)


@router.put(
    "/reviews/{id}/reply",
    summary="Reply to a review, as the host",
    responses=NOT_FOUND | BODY | HOSTS_ONLY | {200: write_tokens.ANSWER},
)
async def reply_to_review(
    review_id: ReviewId,
    body: ReviewReplyIn,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> OwnReviewOut:
    """Everybody reads it below the review. Sent again, it replaces the reply that there was."""
    answered = await reviews.reply(
        session, review_id=review_id, principal=principal, body=body.body
    )
    await write_tokens.stamp(response, session, settings)
    return OwnReviewOut.of(answered)


@router.delete(
    "/reviews/{id}/reply",
    status_code=204,
    summary="Take a reply back",
    response_description="There is none any more",
    responses=NOT_FOUND | HOSTS_ONLY | {204: write_tokens.ANSWER},
)
async def delete_reply(
    review_id: ReviewId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> None:
    """As the host, or as an admin where it breaks a rule."""
    await reviews.remove_reply(session, review_id=review_id, principal=principal)
    await write_tokens.stamp(response, session, settings)


@router.post(
    "/reviews/{id}/report",
    status_code=204,
    summary="Report a review",
    response_description="Noted for the admins",
    responses=NOT_FOUND
    | BODY
    | problem_responses({403: "Its author does not report it (`not-your-part`)"}),
)
async def report_review(
    review_id: ReviewId, body: ReviewReportIn, principal: CurrentPrincipal, session: Session
) -> None:
    """Whoever can read it, once: the first reason stands, whatever is sent later."""
    await reviews.report(session, review_id=review_id, principal=principal, reason=body.reason)


@router.put(
    "/reviews/{id}/hidden",
    summary="Hide a review, as an admin",
    responses=NOT_FOUND | BODY | ADMINS_ONLY | {200: write_tokens.ANSWER},
)
async def hide_review(
    review_id: ReviewId,
    body: ReviewHiddenIn,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> ModeratedReviewOut:
    """It leaves the vehicle's page, rating, count and search. Its author and the host still see it,
    with the reason. What was reported about it is decided.
    """  # noqa: D205 - it is what the documentation shows
    hidden = await reviews.hide(
        session, review_id=review_id, principal=principal, reason=body.reason
    )
    await write_tokens.stamp(response, session, settings)
    return ModeratedReviewOut.about(hidden)


@router.delete(
    "/reviews/{id}/hidden",
    status_code=204,
    summary="Let a review stand, as an admin",
    response_description="Everybody can read it",
    responses=NOT_FOUND | ADMINS_ONLY | {204: write_tokens.ANSWER},
)
async def show_review(
    review_id: ReviewId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> None:
    """Shows a hidden one again. Of one that is not, it says that the reports are unfounded."""
    await reviews.let_stand(session, review_id=review_id, principal=principal)
    await write_tokens.stamp(response, session, settings)


@router.get(
    "/admin/reviews",
    summary="Reviews to moderate, newest first",
    responses=BAD_CURSOR | problem_responses({403: "You are no admin (`admins-only`)"}),
)
async def list_moderated_reviews(
    _: CurrentAdmin,
    session: Session,
    settings: AppSettings,
    show: Annotated[
        Pile,
        Query(description="those with reports to decide about, the hidden ones, or all"),
    ] = Pile.REPORTED,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> ModeratedReviewPage:
    """Decide by hiding a review or letting it stand: either way it leaves `reported`."""
    of = f"{show} reviews"
    before = None if cursor is None else cursors.decode(settings, of, cursor)["id"]
    found, has_more = await reviews.to_moderate(session, pile=show, before=before, limit=limit)
    last = {"id": found[-1].signed.review.id} if has_more else {}
    return ModeratedReviewPage(
        items=[ModeratedReviewOut.about(each) for each in found],
        has_more=has_more,
        next_cursor=cursors.encode(settings, of, last) if has_more else None,
    )

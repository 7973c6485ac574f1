"""The chat of a booking over HTTP: read, write, mark as read."""
# ruff: noqa: FAST003 - `id` is the alias of BookingId

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from api import cursors
from api.dependencies import AppSettings, CurrentPrincipal, Session, known_parameters
from api.errors import problem_responses
from api.once import PROBLEMS as ONCE
from api.once import Answer, OnceOnly
from api.routes.bookings import NOT_FOUND, BookingId
from api.routes.vehicles import BAD_CURSOR, Cursor, Limit
from api.schemas.chat import MessageIn, MessageOut, MessagePage, ReadIn
from api.schemas.common import DECIMAL_DIGITS, LARGEST_ID
from bookings import chat

BODY = problem_responses({400: "The body is not UTF-8", 413: "The body is larger than 64 KiB"})

router = APIRouter(
    prefix="/v1/bookings",
    tags=["bookings"],
    dependencies=[Depends(known_parameters)],
    responses=NOT_FOUND
    | problem_responses(
        {
            401: "There is no valid bearer token",
            403: "You are neither its renter nor its host, but an admin (`not-your-part`)",
        }
    ),
)

Since = Annotated[int, Field(ge=0, le=LARGEST_ID), DECIMAL_DIGITS]


@router.get("/{id}/messages", summary="What renter and host wrote", responses=BAD_CURSOR)
async def list_messages(
    booking_id: BookingId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    since: Annotated[
        Since | None,
        Query(
            description="what follows this message, in order, instead of the newest first",
            examples=[17],
        ),
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> MessagePage:
    """For the renter and the host alone, whatever became of the booking."""
    chair = await chat.seat(session, booking_id=booking_id, principal=principal)
    of = f"messages of {booking_id} since {since}"
    last = None if cursor is None else cursors.decode(settings, of, cursor)["id"]
    if since is None:
        found = await chat.older(session, chair, before=last, limit=limit + 1)
    else:
        after = since if last is None else last
        found = await chat.newer(session, chair, after=after, limit=limit + 1)
    has_more = len(found) > limit
    items = [MessageOut.of(each) for each in found[:limit]]
    return MessagePage(
        items=items,
        unread=await chat.unread(session, chair),
        has_more=has_more,
        next_cursor=cursors.encode(settings, of, {"id": items[-1].id}) if has_more else None,
    )


@router.post(
    "/{id}/messages",
    status_code=201,
    summary="Write to the other side",
    response_model=MessageOut,
    response_description="Stored",
    responses=BODY
    | problem_responses(
        {
            409: "The booking ended more than 14 days ago (`chat-ended`), or you sent another "
            "text under this id (`client-id-used`); or `idempotency-in-flight`",
            422: ONCE[422],
            429: "You wrote 20 messages in a minute (`too-many-messages`), or sent too many "
            "requests: wait `Retry-After` seconds",
        }
    ),
)
async def send_message(
    booking_id: BookingId,
    body: MessageIn,
    principal: CurrentPrincipal,
    once: OnceOnly,
    request: Request,
) -> Response:
    """Shown to both at once, where they have the chat open. While the booking takes its days, and
    for 14 days after it ended. The same `clientId` is stored once, also if one of the two came by
    WebSocket.
    """  # noqa: D205 - it is what the documentation shows
    stored = []

    async def store(session: AsyncSession) -> Answer:
        chair = await chat.seat(session, booking_id=booking_id, principal=principal)
        line = await chat.write(session, chair, client_id=body.client_id, body=body.body)
        stored.append(line.id)
        return Answer(MessageOut.of(line), 201)

    answer = await once.together(body, store)
    for number in stored:  # none, where it was refused or done before
        request.app.state.chat_hints.tell(booking_id, number)
    return answer


@router.put("/{id}/messages/read", status_code=204, summary="Mark messages as read", responses=BODY)
async def mark_messages_read(
    booking_id: BookingId, body: ReadIn, principal: CurrentPrincipal, session: Session
) -> None:
    """Up to `id`; a lower one than before changes nothing."""
    chair = await chat.seat(session, booking_id=booking_id, principal=principal)
    await chat.mark_read(session, chair, to=body.id)

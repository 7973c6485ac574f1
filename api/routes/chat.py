"""The chat of a booking over WebSocket; OpenAPI cannot describe it, docs/chat.md does."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, WebSocket

from api import cors
from api.chat_session import ChatSession
from api.dependencies import known_parameters
from api.errors import Problem
from api.routes.bookings import BookingId
from api.routes.messages import Since

router = APIRouter(prefix="/v1/bookings", dependencies=[Depends(known_parameters)])


@router.websocket("/{id}/chat")
async def talk(
    socket: WebSocket, booking_id: BookingId, since: Annotated[Since, Query()] = 0
) -> None:
    """Renter and host talk.

    Raises:
        Problem: 403, a page of a foreign origin asks; the only word about it before the accept,
            as a browser shows its page no answer, but tells the code of a close.
    """
    if not cors.admitted(socket.headers, socket.app.state.settings.cors_origins):
        raise Problem(
            403,
            "foreign-origin",
            "Pages of this origin may not talk to the API",
            "RIDES_CORS_ORIGINS names those that may.",
        )
    await socket.accept()
    await ChatSession(socket, booking_id, since).serve()

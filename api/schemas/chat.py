"""Shapes of chats: messages over HTTP, and the frames of the WebSocket that carries them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, TypeAdapter

from api import spelling
from api.schemas.common import LARGEST_ID, Body, Page, ProblemDocument, Shape
from bookings.chat import Line, Part
from models import LONGEST_MESSAGE

LONGEST_TOKEN = 4096


def _said(text: str) -> str:
    clean = spelling.prose(text)
    if not clean:
        raise ValueError("must not be blank")
    return clean


class MessageIn(Body):
    """What to say."""

    client_id: UUID = Field(
        description="made by you, a new one for each message: sent again with it, it is stored "
        "once",
        examples=["0f7c3a52-5a0e-4a53-9d3c-0f5e5b1f6c2d"],
    )
    body: Annotated[str, Field(min_length=1, max_length=LONGEST_MESSAGE), AfterValidator(_said)] = (
        Field(description="plain text", examples=["Where do I find the key?"])
    )


class ReadIn(Body):
    """How far the chat was read."""

    id: Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)] = Field(
        description="the last message that was seen", examples=[17]
    )


class MessageOut(Shape):
    """A message."""

    id: int = Field(
        description="counts the booking's messages from 1, without gaps, in the order in which "
        "both see them",
        examples=[17],
    )
    sender: Part = Field(description="who wrote it", examples=["renter"])
    body: str = Field(description="plain text", examples=["Where do I find the key?"])
    sent_at: datetime = Field(description="when it was stored", examples=["2027-06-01T18:30:00Z"])
    client_id: UUID = Field(
        description="the sender's own id", examples=["0f7c3a52-5a0e-4a53-9d3c-0f5e5b1f6c2d"]
    )

    @classmethod
    def of(cls, line: Line) -> Self:
        """The shape of a message."""
        return cls(
            id=line.id,
            sender=line.sender,
            body=line.body,
            sent_at=line.sent_at,
            client_id=line.client_id,
        )


class MessagePage(Page):
    """Messages: newest first, or with `since` in their order."""

    items: list[MessageOut] = Field(description="this page")
    unread: int = Field(
        description="messages of the other side after the last that you marked as read, at most "
        "100",
        examples=[2],
    )


class AuthFrame(Body):
    """Who is there: the first frame without an `Authorization` header, and before it expires."""

    type: Literal["auth"]
    token: Annotated[str, Field(max_length=LONGEST_TOKEN)]


class SendFrame(MessageIn):
    """What to say; answered by `accepted` or `refused`."""

    type: Literal["send"]


Frame = Annotated[AuthFrame | SendFrame, Field(discriminator="type")]
FRAME: TypeAdapter[AuthFrame | SendFrame] = TypeAdapter(Frame)


class ReadyFrame(Shape):
    """A token was taken: what follows `since` comes now, and then what is written."""

    type: Literal["ready"] = "ready"
    part: Part
    expires_at: datetime


class MessageFrame(Shape):
    """A message of either side, in the order of their ids."""

    type: Literal["message"] = "message"
    message: MessageOut


class AcceptedFrame(Shape):
    """A message that was sent is stored; it also comes as a `message`, before or after this."""

    type: Literal["accepted"] = "accepted"
    message: MessageOut


class RefusedFrame(Shape):
    """A frame was not carried out; `clientId` is that of the message, where it had one."""

    type: Literal["refused"] = "refused"
    client_id: UUID | None
    problem: ProblemDocument

"""What renter and host of a booking write to each other.

Every function works in the caller's transaction and commits nothing. A chat is of two people:
admins take no part and read nothing. Messages of a booking are numbered from 1 without gaps, by a
counter whose row stays locked until the commit, so they become visible in their order: who has
read number 5 has missed none before it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Select, any_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from accounts.tokens import Principal
from bookings.errors import (
    BookingNotFoundError,
    ChatEndedError,
    ClientIdUsedError,
    NotYourPartError,
    TooManyMessagesError,
)
from models import TAKES_DAYS, Booking, Chat, Message, Vehicle

# After the end of a booking, whatever its end was: for what was left in the car.
WRITABLE = timedelta(days=14)
RATE, WINDOW = 20, timedelta(minutes=1)  # messages of one sender in one chat
PAGE = 100  # messages that are read at once


class Part(StrEnum):
    """Who somebody is in a chat."""

    RENTER = "renter"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Chair:
    """The place of one of the two in the chat of a booking."""

    booking_id: int
    account_id: int
    part: Part


@dataclass(frozen=True, slots=True)
class Line:
    """A message, and whose it is."""

    id: int
    sender: Part
    body: str
    sent_at: datetime
    client_id: UUID


async def seat(session: AsyncSession, *, booking_id: int, principal: Principal) -> Chair:
    """The principal's place in the chat, whatever the booking's state.

    Raises:
        BookingNotFoundError: no such booking, or it is not the principal's business.
        NotYourPartError: an admin, who is neither of the two.
    """
    found = await session.execute(
        select(Booking.renter_id, Vehicle.host_id).join(Vehicle).where(Booking.id == booking_id)
    )
    me = principal.account_id
    for renter_id, host_id in found:
        if me == renter_id:
            return Chair(booking_id, me, Part.RENTER)
        if me == host_id:
            return Chair(booking_id, me, Part.HOST)
        if principal.is_admin:
            raise NotYourPartError("its renter and its host")
    raise BookingNotFoundError(booking_id)


async def write(session: AsyncSession, chair: Chair, *, client_id: UUID, body: str) -> Line:
    """Store a message; one that was stored before under the same `client_id` is given again.

    Raises:
        ChatEndedError: the booking ended more than 14 days ago.
        ClientIdUsedError: the id was used for another text.
        TooManyMessagesError: they wrote 20 in this minute; nothing may be committed.
    """
    number = await _next(session, chair)
    stored = await session.scalar(
        insert(Message)
        .values(
            booking_id=chair.booking_id,
            id=number,
            sender_id=chair.account_id,
            client_id=client_id,
            body=body,
        )
        .on_conflict_do_nothing()
        .returning(Message)
    )
    if stored is None:
        return await _again(session, chair, client_id, body)
    await _hold_to_rate(session, chair, number)
    return _line(stored, chair)


async def newer(session: AsyncSession, chair: Chair, *, after: int, limit: int) -> list[Line]:
    """At most `limit` messages that follow number `after`, in their order."""
    statement = select(Message).where(Message.id > after).order_by(Message.id)
    return await _read(session, chair, statement.limit(limit))


async def older(
    session: AsyncSession, chair: Chair, *, before: int | None, limit: int
) -> list[Line]:
    """At most `limit` messages before number `before`, by default the last ones; newest first."""
    statement = select(Message).order_by(Message.id.desc())
    if before is not None:
        statement = statement.where(Message.id < before)
    return await _read(session, chair, statement.limit(limit))


async def unread(session: AsyncSession, chair: Chair) -> int:
    """How many messages of the other side came after what was marked as read, up to 100."""
    read = select(_mark(chair)).where(Chat.booking_id == chair.booking_id).scalar_subquery()
    theirs = select(Message.id).where(
        Message.booking_id == chair.booking_id,
        Message.id > func.coalesce(read, 0),
        Message.sender_id != chair.account_id,
    )
    return (
        await session.scalar(select(func.count()).select_from(theirs.limit(PAGE).subquery())) or 0
    )


async def mark_read(session: AsyncSession, chair: Chair, *, to: int) -> None:
    """Mark everything up to number `to` as read; it never goes back, nor beyond what there is."""
    mark = _mark(chair)
    await session.execute(
        update(Chat)
        .where(Chat.booking_id == chair.booking_id, mark < to)
        .values({mark: func.least(to, Chat.last_id)})
    )


async def last_ids(session: AsyncSession, booking_ids: Collection[int]) -> dict[int, int]:
    """The number of the last message, of those bookings that have any."""
    wanted = any_(literal(list(booking_ids), ARRAY(BigInteger)))
    found = await session.execute(
        select(Chat.booking_id, Chat.last_id).where(Chat.booking_id == wanted)
    )
    return {row.booking_id: row.last_id for row in found}


async def _next(session: AsyncSession, chair: Chair) -> int:
    """The next number, which nobody else gets before this transaction ends."""
    open_ = select(Booking.id, 1).where(
        Booking.id == chair.booking_id,
        or_(Booking.status.in_(TAKES_DAYS), Booking.updated_at > func.now() - WRITABLE),
    )
    number: int | None = await session.scalar(
        insert(Chat)
        .from_select(["booking_id", "last_id"], open_)
        .on_conflict_do_update(index_elements=["booking_id"], set_={"last_id": Chat.last_id + 1})
        .returning(Chat.last_id)
    )
    if number is None:
        raise ChatEndedError(chair.booking_id, WRITABLE.days)
    return number


async def _again(session: AsyncSession, chair: Chair, client_id: UUID, body: str) -> Line:
    """What is stored under the id; the number that was taken is given back."""
    await session.execute(
        update(Chat)
        .where(Chat.booking_id == chair.booking_id)
        .values(last_id=Chat.last_id - 1)
        .execution_options(synchronize_session=False)
    )
    stored = (
        await session.scalars(
            select(Message).where(
                Message.booking_id == chair.booking_id,
                Message.sender_id == chair.account_id,
                Message.client_id == client_id,
            )
        )
    ).one()
    if stored.body != body:
        raise ClientIdUsedError(client_id)
    return _line(stored, chair)


async def _hold_to_rate(session: AsyncSession, chair: Chair, number: int) -> None:
    # By what is stored, so that all processes count alike, whether or not there is a Redis. Two
    # people who keep the rate write no more than this in a window.
    recent = number - 2 * RATE
    wait = WINDOW - (func.clock_timestamp() - func.min(Message.sent_at))
    count, left = (
        await session.execute(
            select(func.count(), wait).where(
                Message.booking_id == chair.booking_id,
                Message.id > recent,
                Message.sender_id == chair.account_id,
                Message.sent_at > func.clock_timestamp() - WINDOW,
            )
        )
    ).one()
    if count > RATE:
        raise TooManyMessagesError(RATE, max(1, round(left.total_seconds())))


async def _read(session: AsyncSession, chair: Chair, statement: Select[Message]) -> list[Line]:
    found = await session.scalars(statement.where(Message.booking_id == chair.booking_id))
    return [_line(each, chair) for each in found]


def _mark(chair: Chair) -> InstrumentedAttribute[int]:
    return Chat.renter_read if chair.part is Part.RENTER else Chat.host_read


def _line(message: Message, chair: Chair) -> Line:
    other = Part.HOST if chair.part is Part.RENTER else Part.RENTER
    mine = message.sender_id == chair.account_id
    sender = chair.part if mine else other
    return Line(message.id, sender, message.body, message.sent_at, message.client_id)

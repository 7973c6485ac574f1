"""One WebSocket of a chat, from its first frame to its close.

It holds no database connection while it waits, and no messages: what a slow client has not taken
yet is read when it has taken what came before.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

import orjson
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.websockets import WebSocket, WebSocketDisconnect

from accounts.tokens import CLOCK_SKEW, InvalidTokenError, Principal, read_token
from api.errors import STATUS_OF, Problem, document, invalid_request
from api.schemas.chat import (
    FRAME,
    AcceptedFrame,
    AuthFrame,
    MessageFrame,
    MessageOut,
    ReadyFrame,
    RefusedFrame,
    SendFrame,
)
from api.schemas.common import FieldError, Shape
from bookings import chat
from bookings.chat import PAGE, Chair
from bookings.errors import BookingError

AUTH_S = 10.0  # for the first frame, where no header says who is there
SEND_S = 20.0  # for a client to make room for one frame
MOST_FRAMES, WINDOW_S = 60, 60.0  # of a socket
MOST_SOCKETS, MOST_OF_ACCOUNT = 10_000, 8  # of a process

# Close codes: what RFC 6455's own (1009, 1011, 1012, 1013) do not say, by its HTTP status.
NO_TEXT, TRY_LATER, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = (
    1003,
    1013,
    4401,
    4403,
    4404,
    4429,
)


class Ended(Exception):  # noqa: N818 - not always an error
    """The socket is to be closed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Sockets:
    """How many there are in this process."""

    def __init__(self) -> None:
        self._all = 0
        self._of: Counter[int] = Counter()

    @contextmanager
    def one_of(self, account_id: int) -> Iterator[None]:
        """Count one for as long as the block runs.

        Raises:
            Ended: there are too many.
        """
        if self._all >= MOST_SOCKETS:
            raise Ended(TRY_LATER, "too many sockets here: connect again")
        if self._of[account_id] >= MOST_OF_ACCOUNT:
            raise Ended(TOO_MANY, f"{MOST_OF_ACCOUNT} sockets are the most")
        self._all += 1
        self._of[account_id] += 1
        try:
            yield
        finally:
            self._all -= 1
            self._of[account_id] -= 1
            if not self._of[account_id]:
                del self._of[account_id]


class ChatSession:
    """The talk of one client, which has read up to `since`."""

    def __init__(self, socket: WebSocket, booking_id: int, since: int) -> None:
        self._socket = socket
        self._state = socket.app.state
        self._booking_id = booking_id
        self._since = since
        self._window, self._frames = 0.0, 0
        self._chair: Chair | None = None

    async def serve(self) -> None:
        """Talk until either side or the token ends it."""
        end: Ended | None = None
        try:
            async with asyncio.timeout(AUTH_S) as self._deadline:
                await self._talk()
        except* Ended as ended:
            end = _one(ended)
        except* TimeoutError:
            late = "the token has expired" if self._chair else f"send `auth` within {AUTH_S:.0f} s"
            end = Ended(UNAUTHORIZED, late)
        except* (OperationalError, InterfaceError, PoolTimeoutError):
            end = Ended(TRY_LATER, "the database does not answer: connect again")
        except* WebSocketDisconnect:
            pass
        if end is not None:
            await self._close(end)

    async def _talk(self) -> None:
        token = _bearer(self._socket) or (await self._first()).token
        principal, ready = await self._identify(token)
        with self._state.sockets.one_of(principal.account_id):
            await self._count(principal)
            await self._send(ready)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._deliver())
                tasks.create_task(self._listen())

    async def _first(self) -> AuthFrame:
        frame = await self._receive()
        if not isinstance(frame, AuthFrame):
            raise Ended(UNAUTHORIZED, "send an `auth` frame first")
        return frame

    async def _identify(self, token: str) -> tuple[Principal, ReadyFrame]:
        """Whose token it is, and what to answer; the deadline is the token's end."""
        try:
            found = read_token(token, secret=self._state.settings.require_secret())
        except InvalidTokenError as error:
            raise Ended(UNAUTHORIZED, str(error)) from error
        principal = found.principal
        if self._chair is not None and self._chair.account_id != principal.account_id:
            raise Ended(FORBIDDEN, "this is the token of another account")
        try:
            async with self._state.sessions() as session:
                chair = await chat.seat(session, booking_id=self._booking_id, principal=principal)
        except BookingError as error:
            status = STATUS_OF[type(error)]
            code = NOT_FOUND if status == HTTPStatus.NOT_FOUND else FORBIDDEN
            raise Ended(code, str(error)) from error
        self._chair = chair
        left = found.expires_at + CLOCK_SKEW - datetime.now(UTC)
        self._deadline.reschedule(asyncio.get_running_loop().time() + left.total_seconds())
        return principal, ReadyFrame(part=chair.part, expires_at=found.expires_at)

    async def _count(self, principal: Principal) -> None:
        """A socket is a request of its account."""
        if not self._state.settings.rate_limits:
            return
        client = self._socket.client
        quota = await self._state.requests.count(principal, client.host if client else "")
        if quota is not None and quota.remaining < 0:
            raise Ended(TOO_MANY, f"too many requests: go on in {quota.seconds} s")

    async def _deliver(self) -> None:
        """Send what is stored, and what will be, in its order."""
        assert self._chair is not None
        with self._state.chat_hints.waiting(self._booking_id, self._since) as waiter:
            while True:
                async with self._state.sessions() as session:
                    lines = await chat.newer(session, self._chair, after=waiter.read, limit=PAGE)
                for line in lines:
                    await self._send(MessageFrame(message=MessageOut.of(line)))
                    waiter.read = line.id
                if len(lines) < PAGE:
                    await waiter.more()

    async def _listen(self) -> None:
        while True:
            frame = await self._receive()
            if isinstance(frame, AuthFrame):
                _, ready = await self._identify(frame.token)
                await self._send(ready)
            elif frame is not None:
                await self._store(frame)

    async def _store(self, frame: SendFrame) -> None:
        assert self._chair is not None
        try:
            async with self._state.sessions.begin() as session:
                line = await chat.write(
                    session, self._chair, client_id=frame.client_id, body=frame.body
                )
        except BookingError as error:
            refused = Problem(STATUS_OF[type(error)], error.code, error.title, str(error))
            await self._refuse(refused, frame.client_id)
            return
        await self._send(AcceptedFrame(message=MessageOut.of(line)))
        self._state.chat_hints.tell(self._booking_id, line.id)

    async def _receive(self) -> AuthFrame | SendFrame | None:
        """The next frame; None where it was none that anybody understands, and was refused."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        self._hold_to_rate()
        text: str | None = message.get("text")
        if text is None:
            raise Ended(NO_TEXT, "frames are JSON text")
        try:
            return FRAME.validate_json(text)
        except ValidationError as error:
            await self._refuse(_wrong(error), _client_id(text))
            return None

    def _hold_to_rate(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._window >= WINDOW_S:
            self._window, self._frames = now, 0
        self._frames += 1
        if self._frames > MOST_FRAMES:
            raise Ended(TOO_MANY, f"{MOST_FRAMES} frames a minute are the most")

    async def _refuse(self, problem: Problem, client_id: UUID | None) -> None:
        await self._send(RefusedFrame(client_id=client_id, problem=document(problem)))

    async def _send(self, frame: Shape) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await self._socket.send_text(frame.model_dump_json(by_alias=True))
        except TimeoutError as error:
            raise WebSocketDisconnect from error  # a close could not be sent either

    async def _close(self, end: Ended) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await self._socket.close(end.code, end.reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            pass  # it has gone meanwhile


def _bearer(socket: WebSocket) -> str | None:
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _one(group: BaseExceptionGroup[Ended]) -> Ended:
    one = group.exceptions[0]
    return _one(one) if isinstance(one, BaseExceptionGroup) else one


def _wrong(error: ValidationError) -> Problem:
    """The first part of a place is which frame it was taken for."""
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    return invalid_request(
        [
            FieldError(
                pointer="".join(f"/{part}" for part in each["loc"][1:]),
                message=each["msg"].removeprefix("Value error, "),
            )
            for each in wrong
        ]
    )


def _client_id(text: str) -> UUID | None:
    """That of a message which is refused for what else it says."""
    try:
        return UUID(orjson.loads(text)["clientId"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None

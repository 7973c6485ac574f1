"""A chat's clients: the frames that they send, get, and may expect."""

import asyncio
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts.tokens import sign_token
from tests.conftest import SECRET
from tests.factory import store_account, store_booking, store_vehicle

LONGEST_S = 20  # that anything takes


class Talk:
    """One client's socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **frame: Any) -> None:
        await self.socket.send(orjson.dumps(frame).decode())

    async def say(self, body: str, client_id: str | None = None) -> None:
        await self.send(type="send", clientId=client_id or str(uuid4()), body=body)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(LONGEST_S):
            frame: dict[str, Any] = orjson.loads(await self.socket.recv())
        return frame

    async def get(self, type_: str) -> dict[str, Any]:
        """The next frame of a type; others are passed over."""
        while True:
            frame = await self.next()
            if frame["type"] == type_:
                return frame

    async def messages(self, count: int) -> list[dict[str, Any]]:
        return [(await self.get("message"))["message"] for _ in range(count)]

    async def close_code(self) -> int | None:
        """Of the close that comes; frames before it are passed over."""
        try:
            while True:
                await self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@asynccontextmanager
async def talk(url: str, booking: int, token: str | None = None, query: str = "", **headers: str):
    """A socket; with a token in its header, if there is one."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    address = f"{url.replace('http', 'ws')}/v1/bookings/{booking}/chat{query}"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        yield Talk(socket)


class Two:
    """Renter and host of a booking, with their tokens."""

    def __init__(self, conn) -> None:
        self.renter_id, self.host_id = store_account(conn), store_account(conn, "host")
        vehicle = store_vehicle(conn, host_id=self.host_id)
        start = date(2027, 6, 1)
        self.booking = store_booking(
            conn, vehicle, start, start + timedelta(days=3), renter_id=self.renter_id
        )
        self.renter, self.host = token(self.renter_id), token(self.host_id, "host")


def token(account: int, role: str = "renter", **options: Any) -> str:
    return sign_token(account, role, secret=SECRET, **options)

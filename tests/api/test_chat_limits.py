"""How much one client of a chat may take: sockets, frames, requests, and the server's memory."""

import asyncio
import socket
import threading
from base64 import b64encode
from secrets import token_bytes

import pytest
import uvicorn

from accounts import limits
from api import chat_session
from api.app import create_app
from bookings import chat
from bookings.chat import PAGE
from devstack.processes import wait_until
from models import Tier
from tests.api.talking import LONGEST_S, Two, talk

pytestmark = pytest.mark.anyio
MANY = 8_000  # messages of 2,000 characters: more than the kernel's buffers of a connection hold


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


class Limited:
    """An API in a thread, whose limits a test can set."""

    def __init__(self, settings) -> None:
        self.app = create_app(settings.model_copy(update={"rate_limits": True}))
        config = uvicorn.Config(self.app, port=0, log_level="error", access_log=False)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    @property
    def port(self):
        return self.server.servers[0].sockets[0].getsockname()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def open(self):
        return self.app.state.sockets._all


@pytest.fixture(scope="module")
def served(settings):
    limited = Limited(settings)
    limited.thread.start()
    assert wait_until(lambda: limited.server.started, timeout=20)
    yield limited
    limited.server.should_exit = True
    limited.thread.join(20)


@pytest.fixture
def two(conn):
    return Two(conn)


async def test_an_account_has_so_many_sockets_and_gets_them_back(served, two, monkeypatch):
    monkeypatch.setattr(chat_session, "MOST_OF_ACCOUNT", 1)
    for _ in range(2):
        async with talk(served.url, two.booking, two.renter) as first:
            await first.get("ready")
            async with talk(served.url, two.booking, two.renter) as second:
                assert await second.close_code() == 4429
            async with talk(served.url, two.booking, two.host) as other:
                await other.get("ready")
        assert await asyncio.to_thread(wait_until, lambda: served.open == 0, timeout=LONGEST_S)
    assert not served.app.state.sockets._of


async def test_a_process_has_so_many(served, two, monkeypatch):
    monkeypatch.setattr(chat_session, "MOST_SOCKETS", 0)
    async with talk(served.url, two.booking, two.renter) as renter:
        assert await renter.close_code() == 1013


async def test_a_socket_takes_so_many_frames(served, two, monkeypatch):
    monkeypatch.setattr(chat_session, "MOST_FRAMES", 3)
    async with talk(served.url, two.booking, two.renter) as renter:
        await renter.get("ready")
        for _ in range(4):
            await renter.socket.send("?")
        for _ in range(3):
            await renter.get("refused")
        assert await renter.close_code() == 4429


async def test_a_socket_counts_as_a_request(served, settings, two, monkeypatch):
    counted = limits.RequestLimits(settings)
    await counted.reset()
    await counted.close()
    monkeypatch.setitem(limits.REQUESTS, Tier.AUTHENTICATED, 1)
    async with talk(served.url, two.booking, two.renter) as renter:
        await renter.get("ready")
    async with talk(served.url, two.booking, two.renter) as renter:
        assert await renter.close_code() == 4429


async def test_who_does_not_say_who_they_are_is_sent_away(served, two, monkeypatch):
    monkeypatch.setattr(chat_session, "AUTH_S", 0.1)
    async with talk(served.url, two.booking) as nobody:
        assert await nobody.close_code() == 4401


async def test_a_client_that_takes_nothing_is_left_and_read_for_no_further(
    served, two, conn, monkeypatch
):
    monkeypatch.setattr(chat_session, "SEND_S", 0.5)
    conn.execute("INSERT INTO chats (booking_id, last_id) VALUES (%s, %s)", [two.booking, MANY])
    conn.execute(
        "INSERT INTO messages (booking_id, id, sender_id, client_id, body)"
        " SELECT %s, n, %s, gen_random_uuid(), repeat('x', 2000) FROM generate_series(1, %s) AS n",
        [two.booking, two.renter_id, MANY],
    )
    asked = []

    async def newer(session, chair, *, after, limit):
        asked.append(after)
        return await read(session, chair, after=after, limit=limit)

    read = chat.newer
    monkeypatch.setattr(chat, "newer", newer)
    await asyncio.to_thread(take_nothing, served, two, asked)
    assert 0 < max(asked) < MANY - PAGE, "it was read page by page, as far as there was room"
    async with talk(served.url, two.booking, two.host, f"?since={MANY}") as host:
        await host.say("Still here")
        await host.get("accepted")


def take_nothing(served, two, asked):
    """Open a socket and leave what comes where it is, until the server has left."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=LONGEST_S) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        key = b64encode(token_bytes(16)).decode()
        raw.sendall(
            f"GET /v1/bookings/{two.booking}/chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {two.renter}\r\n\r\n".encode()
        )
        assert wait_until(lambda: asked and served.open == 0, timeout=LONGEST_S)

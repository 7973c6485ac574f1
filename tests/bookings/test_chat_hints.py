"""Who waits for messages hears of them by Redis, and where that is away, from the database."""

import asyncio
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import pytest

from bookings import chat, chat_hints
from bookings.chat import Part
from bookings.chat_hints import ChatHints
from tests.bookings.conftest import day
from tests.factory import store_booking, store_vehicle
from tests.faults import OwnValkey

pytestmark = pytest.mark.anyio
NEVER = 3600.0


@pytest.fixture
def renter(conn):
    booking = store_booking(conn, store_vehicle(conn), day(10), day(13))
    (account,) = conn.execute("SELECT renter_id FROM bookings").fetchone()
    return chat.Chair(booking, account, Part.RENTER)


@pytest.fixture
def valkey(tmp_path):
    own = OwnValkey(tmp_path / "valkey")
    yield own
    own.remove()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Nobody looks into the database by the clock, but for the tests that say so."""
    monkeypatch.setattr(chat_hints, "HEARING_S", NEVER)
    monkeypatch.setattr(chat_hints, "DEAF_S", NEVER)
    monkeypatch.setattr(chat_hints, "RETRY_S", 0.05)
    monkeypatch.setattr(chat_hints, "SILENCE_S", 0.2)


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a flag is all there is
            await asyncio.sleep(0.01)


async def wakes(waiter):
    async with asyncio.timeout(20):
        await waiter.more()


@asynccontextmanager
async def process(settings, transactions, redis_url):
    hints = ChatHints(settings.model_copy(update={"redis_url": redis_url}), transactions)
    async with hints.running():
        yield hints


async def write(transactions, chair):
    async with transactions.begin() as session:
        return (await chat.write(session, chair, client_id=uuid4(), body="Aloha")).id


async def test_a_hint_goes_to_who_waits_for_more_of_that_chat(settings, transactions):
    """In another process too; the one that gives it need not wait for Redis."""
    url = settings.redis_url
    async with (
        process(settings, transactions, url) as here,
        process(settings, transactions, url) as there,
    ):
        await until(lambda: here._hears and there._hears)
        with (
            here.waiting(7, 0) as mine,
            there.waiting(7, 0) as theirs,
            there.waiting(7, 1) as knows,
            there.waiting(8, 0) as elsewhere,
        ):
            here.tell(7, 1)
            await wakes(mine)
            await wakes(theirs)
            assert not knows._more.is_set()
            assert not elsewhere._more.is_set()
            there.tell(8, 1)
            await wakes(elsewhere)
        assert not here._waiters
        assert not there._waiters


@pytest.mark.parametrize("deaf", [True, False])
async def test_the_database_is_asked_in_any_case(settings, transactions, renter, monkeypatch, deaf):
    monkeypatch.setattr(chat_hints, "DEAF_S" if deaf else "HEARING_S", 0.05)
    url = "redis://127.0.0.1:1" if deaf else settings.redis_url
    async with process(settings, transactions, url) as hints:
        await until(lambda: hints._hears is not deaf)
        with hints.waiting(renter.booking_id, 0) as waiter:
            waiter.read = await written(transactions, renter, waiter)
            await written(transactions, renter, waiter)


async def test_whoever_hears_no_longer_asks_the_database(
    settings, transactions, renter, valkey, monkeypatch
):
    async with process(settings, transactions, valkey.url) as hints:
        await until(lambda: hints._hears)
        monkeypatch.setattr(chat_hints, "DEAF_S", 0.05)
        with hints.waiting(renter.booking_id, 0) as waiter:
            valkey.kill()
            await until(lambda: not hints._hears)
            waiter.read = await written(transactions, renter, waiter)
            await written(transactions, renter, waiter)


async def written(transactions, renter, waiter):
    """A message of a process that cannot tell anybody; it is heard of."""
    number = await write(transactions, renter)
    await wakes(waiter)
    return number


@pytest.mark.parametrize("fault", ["killed", "mute"])
async def test_what_was_said_while_redis_was_away_is_heard_when_it_is_back(
    settings, transactions, renter, valkey, fault
):
    async with process(settings, transactions, valkey.url) as hints:
        await until(lambda: hints._hears)
        with hints.waiting(renter.booking_id, 0) as waiter:
            with gone(valkey, fault):
                await until(lambda: not hints._hears)
                waiter.read = number = await write(transactions, renter)
                await write(transactions, renter)
            await wakes(waiter)
            async with process(settings, transactions, valkey.url) as another:
                another.tell(renter.booking_id, number + 2)
                await wakes(waiter)


@contextmanager
def gone(valkey, fault):
    if fault == "mute":
        with valkey.mute():
            yield
    else:
        valkey.kill()
        yield
        valkey.start()


async def test_who_tells_has_a_connection_of_before_a_restart(settings, transactions, valkey):
    async with (
        process(settings, transactions, valkey.url) as here,
        process(settings, transactions, valkey.url) as there,
    ):
        for number in (1, 2):
            await until(lambda: there._hears)
            with there.waiting(7, number - 1) as waiter:
                here.tell(7, number)
                await wakes(waiter)
            valkey.kill()
            await until(lambda: not there._hears)
            valkey.start()

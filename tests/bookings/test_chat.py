"""Renter and host write to each other: in one order for both, each message once."""

import asyncio
from uuid import UUID, uuid4

import pytest

from accounts.tokens import Principal
from bookings import chat
from bookings.chat import RATE, Part
from bookings.errors import (
    BookingNotFoundError,
    ChatEndedError,
    ClientIdUsedError,
    NotYourPartError,
    TooManyMessagesError,
)
from models import TAKES_DAYS, BookingStatus, Role
from tests.bookings.conftest import day
from tests.factory import store_account, store_booking, store_vehicle

pytestmark = pytest.mark.anyio

EVERYTHING = 1000
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def booking(conn):
    return store_booking(conn, store_vehicle(conn), day(10), day(13))


@pytest.fixture
def renter(conn, booking):
    (account,) = conn.execute("SELECT renter_id FROM bookings").fetchone()
    return chat.Chair(booking, account, Part.RENTER)


@pytest.fixture
def host(conn, booking):
    (account,) = conn.execute("SELECT host_id FROM vehicles").fetchone()
    return chat.Chair(booking, account, Part.HOST)


async def write(session, chair, body="Aloha", client_id=None):
    return await chat.write(session, chair, client_id=client_id or uuid4(), body=body)


async def read(transactions, chair, after=0):
    async with transactions() as session:
        return await chat.newer(session, chair, after=after, limit=EVERYTHING)


def last_id(conn):
    (last,) = conn.execute("SELECT last_id FROM chats").fetchone()
    return last


async def until_somebody_waits(conn):
    async with asyncio.timeout(20):
        while conn.execute(WAITING).fetchone() == (0,):  # noqa: ASYNC110 - PostgreSQL sends no event
            await asyncio.sleep(0.01)


async def test_numbers_from_a_sequence_let_a_reader_miss_what_commits_late(conn, transactions):
    """The race is real: what every table with an identity does."""
    conn.execute("CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY, body text)")
    try:
        async with transactions() as slow, transactions() as fast:
            for session, body in ((slow, "slow"), (fast, "fast")):
                raw = await session.connection()
                await raw.exec_driver_sql("INSERT INTO numbered (body) VALUES (%s)", (body,))
            await fast.commit()
            [(seen, first)] = conn.execute("SELECT id, body FROM numbered").fetchall()
            await slow.commit()
        later = conn.execute("SELECT body FROM numbered WHERE id > %s", [seen]).fetchall()
        assert (first, later) == ("fast", []), "the slow one is in the table, and never read"
    finally:
        conn.execute("DROP TABLE numbered")


async def test_who_writes_waits_for_who_writes_already(conn, transactions, renter, host):
    async with transactions() as slow:
        await write(slow, renter, "slow")

        async def fast():
            async with transactions.begin() as session:
                return await write(session, host, "fast")

        second = asyncio.create_task(fast())
        await until_somebody_waits(conn)
        assert await read(transactions, host) == []
        await slow.commit()
    assert (await second).id == 2
    lines = await read(transactions, host)
    assert [(each.id, each.body, each.sender) for each in lines] == [
        (1, "slow", Part.RENTER),
        (2, "fast", Part.HOST),
    ]
    assert lines[0].sent_at < lines[1].sent_at


async def test_who_follows_misses_nothing_of_many_writers(conn, transactions, renter, host):
    async def writer(chair, number):
        for count in range(RATE // 4):
            async with transactions() as session:
                await write(session, chair, f"{chair.part} {number} {count}")
                if count % 2 == 0:
                    await session.commit()

    async def follower(chair):
        seen = []
        while len(seen) < 2 * 4 * 3:
            seen += await read(transactions, chair, after=seen[-1].id if seen else 0)
        return seen

    async with asyncio.timeout(30):
        followers = [asyncio.create_task(follower(chair)) for chair in (renter, host)]
        await asyncio.gather(*(writer(each, n) for each in (renter, host) for n in range(4)))
        by_renter, by_host = await asyncio.gather(*followers)
    assert by_renter == by_host == await read(transactions, host)
    assert [each.id for each in by_host] == list(range(1, 2 * 4 * 3 + 1)), "no gaps"
    assert {each.body.rpartition(" ")[2] for each in by_host} == {"0", "2", "4"}


async def test_what_is_sent_again_is_stored_once(conn, transactions, renter, host):
    client_id = uuid4()

    async def send():
        async with transactions.begin() as session:
            return await write(session, renter, "Where is the key?", client_id)

    lines = await asyncio.gather(*(send() for _ in range(8)))
    assert len(set(lines)) == 1
    with pytest.raises(ClientIdUsedError):
        async with transactions.begin() as session:
            await write(session, renter, "Something else", client_id)
    async with transactions.begin() as session:
        answer = await write(session, host, "Under the mat", client_id)
    assert answer.id == last_id(conn) == 2, "it was the renter's id, not everybody's"


async def test_twenty_a_minute_are_the_most(conn, transactions, renter, host):
    first = UUID(int=1)
    async with transactions.begin() as session:
        await write(session, renter, "1", first)
        for number in range(2, RATE + 1):
            await write(session, renter, f"{number}")
    with pytest.raises(TooManyMessagesError) as refused:
        async with transactions.begin() as session:
            await write(session, renter)
    assert 1 <= refused.value.seconds <= 60
    assert last_id(conn) == RATE
    async with transactions.begin() as session:
        assert (await write(session, renter, "1", first)).id == 1, "it was stored in time"
        assert (await write(session, host)).id == RATE + 1, "the other side may answer"
    conn.execute("UPDATE messages SET sent_at = sent_at - interval '1 minute' WHERE id = 1")
    async with transactions.begin() as session:
        assert (await write(session, renter)).id == RATE + 2


@pytest.mark.parametrize("status", BookingStatus)
async def test_a_chat_ends_14_days_after_its_booking(conn, transactions, renter, host, status):
    async def at(days):
        conn.execute(
            "UPDATE bookings SET status = %s, expires_at = now(),"
            " updated_at = now() - make_interval(days => %s)",
            [status, days],
        )
        async with transactions.begin() as session:
            return (await write(session, renter)).id

    assert [await at(0), await at(13)] == [1, 2]
    if status in TAKES_DAYS:
        assert await at(15) == 3
    else:
        with pytest.raises(ChatEndedError):
            await at(15)
        assert last_id(conn) == len(await read(transactions, host)) == 2


async def test_only_its_renter_and_its_host_have_a_place_in_it(conn, session, booking, renter):
    async def seat(account, role=Role.RENTER):
        principal = Principal(account, role)
        return (await chat.seat(session, booking_id=booking, principal=principal)).part

    (hosting,) = conn.execute("SELECT host_id FROM vehicles").fetchone()
    assert await seat(renter.account_id) == await seat(renter.account_id, Role.ADMIN) == "renter"
    assert await seat(hosting, Role.HOST) == await seat(hosting, Role.ADMIN) == "host"
    with pytest.raises(BookingNotFoundError):
        await seat(store_account(conn))
    with pytest.raises(NotYourPartError):
        await seat(store_account(conn, "admin"), Role.ADMIN)
    nowhere = booking + 1
    with pytest.raises(BookingNotFoundError):
        await chat.seat(
            session, booking_id=nowhere, principal=Principal(renter.account_id, Role.ADMIN)
        )


async def test_pages_go_back_from_the_newest(session, renter):
    for number in range(1, 6):
        await write(session, renter, f"{number}")
    pages = [
        [each.id for each in await chat.older(session, renter, before=before, limit=2)]
        for before in (None, 4, 2)
    ]
    assert pages == [[5, 4], [3, 2], [1]]


async def test_what_the_other_side_wrote_is_unread_until_it_is_marked(session, renter, host):
    async def unread():
        return [await chat.unread(session, each) for each in (renter, host)]

    assert await unread() == [0, 0]
    for chair in (renter, renter, host):
        await write(session, chair)
    assert await unread() == [1, 2]
    await chat.mark_read(session, host, to=1)
    assert await unread() == [1, 1]
    await chat.mark_read(session, renter, to=EVERYTHING)
    await chat.mark_read(session, renter, to=1)
    assert await unread() == [0, 1]
    await write(session, host)
    assert await unread() == [1, 1], "beyond what there was, nothing was marked"


async def test_the_last_numbers_of_several_chats(conn, session, renter):
    vehicle = store_vehicle(conn)
    silent = store_booking(conn, vehicle, day(20), day(23))
    await write(session, renter)
    await write(session, renter)
    found = await chat.last_ids(session, [renter.booking_id, silent])
    assert found == {renter.booking_id: 2}

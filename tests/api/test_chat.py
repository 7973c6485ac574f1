"""Renter and host talk through two API processes, which die, and a Redis that goes away."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import aiohttp
import orjson
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bookings.chat import PAGE, RATE
from tests.api.talking import LONGEST_S, Two, talk, token
from tests.bookings.served import Served
from tests.factory import store_account
from tests.faults import OwnValkey

APP = "https://app.example.com"
SECRETS = "the key is under the mat"

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    own = OwnValkey(tmp_path_factory.mktemp("valkey"))
    yield own
    own.remove()


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def processes(settings, valkey, logs):
    """Two of the API, with a Redis of their own."""
    own = {
        "RIDES_REDIS_URL": valkey.url,
        "RIDES_CORS_ORIGINS": APP,
        "RIDES_LOG_LEVEL": "info",
    }
    both = [Served(settings, logs / f"{name}.log", **own) for name in "ab"]
    yield both
    for served in both:
        served.kill()


@pytest.fixture
def site(processes):
    """Both, running. Tests that end one come last, which saves a start."""
    return running(*processes)


def running(*processes):
    with ThreadPoolExecutor() as threads:
        list(threads.map(Served.start, [each for each in processes if each._process is None]))
    return processes


@pytest.fixture
def two(conn):
    return Two(conn)


async def test_two_processes_show_both_the_same_in_one_order(site, two):
    a, b = site
    async with (
        talk(a.url, two.booking, two.renter) as renter,
        talk(b.url, two.booking, two.host) as host,
    ):
        assert (await renter.get("ready"))["part"] == "renter"
        assert (await host.get("ready"))["part"] == "host"
        ids = [str(uuid4()) for _ in range(2 * RATE)]

        async def everything(who, mine):
            accepted, seen = {}, []
            for each in mine:
                await who.say(f"text {each}", each)
            while len(accepted) < RATE or len(seen) < 2 * RATE:
                frame = await who.next()
                message = frame["message"]
                if frame["type"] == "accepted":
                    accepted[message["clientId"]] = message
                else:
                    seen.append(message)
            return accepted, seen

        (mine, by_renter), (theirs, by_host) = await asyncio.gather(
            everything(renter, ids[:RATE]), everything(host, ids[RATE:])
        )
    assert by_renter == by_host
    assert [each["id"] for each in by_host] == list(range(1, 2 * RATE + 1))
    assert {each["clientId"]: each for each in by_host} == mine | theirs
    assert {each["sender"] for each in mine.values()} == {"renter"}
    assert all(each["body"] == f"text {each['clientId']}" for each in by_host)


async def test_redis_goes_and_comes_back_and_nothing_is_lost(site, two, valkey):
    a, b = site
    async with (
        talk(a.url, two.booking, two.renter) as renter,
        talk(b.url, two.booking, two.host) as host,
    ):
        for number, change in enumerate((lambda: None, valkey.kill, valkey.start, lambda: None)):
            await asyncio.to_thread(change)
            await renter.say(f"to the host {number}")
            await host.say(f"to the renter {number}")
            heard = [await each.messages(2) for each in (renter, host)]
            assert heard[0] == heard[1]
            assert {each["body"][-1] for each in heard[0]} == {str(number)}


async def test_who_comes_back_gets_what_it_has_missed_and_then_what_comes(site, two, conn):
    many = 2 * PAGE + 50
    conn.execute("INSERT INTO chats (booking_id, last_id) VALUES (%s, %s)", [two.booking, many])
    conn.execute(
        "INSERT INTO messages (booking_id, id, sender_id, client_id, body, sent_at)"
        " SELECT %s, n, %s, gen_random_uuid(), 'text ' || n, now() - interval '1 hour'"
        " FROM generate_series(1, %s) AS n",
        [two.booking, two.host_id, many],
    )
    async with talk(site[0].url, two.booking, two.renter, "?since=7") as renter:
        missed = await renter.messages(many - 7)
        assert [each["id"] for each in missed] == list(range(8, many + 1))
        async with http(site[1], two.host) as host:
            sent = {"clientId": str(uuid4()), "body": " Over HTTP\n"}
            answer = await post(host, two.booking, sent)
            again = await post(host, two.booking, sent)
        [heard] = await renter.messages(1)
        assert answer == again == (201, heard)
        assert heard == {
            "id": many + 1,
            "sender": "host",
            "body": "Over HTTP",
            "clientId": sent["clientId"],
            "sentAt": heard["sentAt"],
        }


def http(served, access):
    return aiohttp.ClientSession(served.url, headers={"Authorization": f"Bearer {access}"})


async def post(session, booking, body):
    async with session.post(f"/v1/bookings/{booking}/messages", json=body) as answer:
        return answer.status, await answer.json()


async def test_a_page_of_a_foreign_origin_is_not_let_in(site, two):
    served = site[0]
    for origin in (APP, served.url):
        async with talk(served.url, two.booking, two.renter, Origin=origin) as renter:
            await renter.get("ready")
    for origin in ("https://elsewhere.example.com", f"{APP}.elsewhere.example.com", "null"):
        with pytest.raises(InvalidStatus) as refused:
            async with talk(served.url, two.booking, two.renter, Origin=origin):
                pass
        assert denied(refused) == (403, "foreign-origin")


@pytest.mark.parametrize(
    "query", ["?since=-1", "?since=x", "?after=3", "?token=x", "?since=1&since=2"]
)
async def test_a_wrong_parameter_is_refused(site, two, query):
    with pytest.raises(InvalidStatus) as refused:
        async with talk(site[0].url, two.booking, two.renter, query):
            pass
    assert denied(refused) == (422, "invalid-request")


def denied(refused):
    answer = refused.value.response
    document = orjson.loads(answer.body)
    assert document["requestId"] == answer.headers["X-Request-Id"]
    return answer.status_code, document["type"].rpartition(":")[2]


async def test_a_browser_says_who_it_is_in_its_first_frame(site, two):
    async with talk(site[0].url, two.booking) as renter:
        await renter.send(type="auth", token=two.renter)
        assert (await renter.get("ready"))["part"] == "renter"
        await renter.say("Aloha")
        assert (await renter.get("message"))["message"]["body"] == "Aloha"
    async with talk(site[0].url, two.booking) as nobody:
        await nobody.say("Aloha")
        assert await nobody.close_code() == 4401
    async with talk(site[0].url, two.booking) as nobody:
        await nobody.send(type="auth", token=two.renter + "x")
        assert await nobody.close_code() == 4401


async def test_strangers_cannot_tell_whether_there_is_such_a_booking(site, two, conn):
    stranger = token(store_account(conn))
    ends = []
    for booking in (two.booking, two.booking + 1):
        async with talk(site[0].url, booking, stranger) as socket:
            assert await socket.close_code() == 4404
            ends.append(socket.socket.close_reason.replace(str(booking), "…"))
    assert ends[0] == ends[1]
    admin = token(store_account(conn, "admin"), "admin")
    async with talk(site[0].url, two.booking, admin) as socket:
        assert await socket.close_code() == 4403


async def test_it_ends_with_the_token_unless_there_is_a_new_one(site, two, conn):
    soon = token(two.renter_id, ttl=timedelta(seconds=-8))  # 10 are forgiven
    async with (
        talk(site[0].url, two.booking, soon) as leaves,
        talk(site[0].url, two.booking, soon) as stays,
        talk(site[0].url, two.booking, two.host) as another,
    ):
        await stays.send(type="auth", token=two.renter)
        before, after = await stays.get("ready"), await stays.get("ready")
        assert before["expiresAt"] < after["expiresAt"]
        assert await leaves.close_code() == 4401
        assert leaves.socket.close_reason == "the token has expired"
        await stays.say("Still here")
        assert (await stays.get("accepted"))["message"]["body"] == "Still here"
        await another.send(type="auth", token=two.renter)
        assert await another.close_code() == 4403


async def test_what_is_too_large_ends_the_socket_and_the_longest_text_does_not(site, two):
    async with talk(site[0].url, two.booking, two.renter) as renter:
        longest = {"type": "send", "clientId": str(uuid4()), "body": "\N{HIBISCUS}" * 2000}
        await renter.socket.send(json.dumps(longest, ensure_ascii=True))
        assert (await renter.get("accepted"))["message"]["body"] == longest["body"]
        await renter.socket.send("x" * (32 * 1024 + 1))
        assert await renter.close_code() == 1009
    async with talk(site[0].url, two.booking, two.renter) as renter:
        await renter.socket.send(b"{}")
        assert await renter.close_code() == 1003


@pytest.mark.parametrize(
    ("frame", "pointers"),
    [
        ({"type": "send", "body": "x" * 2001}, {"/body"}),
        ({"type": "send", "body": " \n "}, {"/body"}),
        ({"type": "send", "body": "a\0b"}, {"/body"}),
        ({"type": "send", "text": "x"}, {"/body", "/text"}),
        ({"type": "shout", "body": "x"}, {""}),
        ([], {""}),
    ],
)
async def test_a_wrong_frame_is_refused_and_says_why(site, two, frame, pointers):
    if isinstance(frame, dict):
        frame = frame | {"clientId": str(uuid4())}
    async with talk(site[0].url, two.booking, two.renter) as renter:
        await renter.socket.send(orjson.dumps(frame).decode())
        refused = await renter.get("refused")
        assert refused["clientId"] == (frame["clientId"] if frame else None)
        assert refused["problem"]["type"] == "urn:island-rides:problem:invalid-request"
        assert {each["pointer"] for each in refused["problem"]["errors"]} == pointers
        await renter.say("Still here")
        await renter.get("accepted")


async def test_who_writes_too_much_is_refused_and_stays(site, two):
    async with talk(site[0].url, two.booking, two.renter) as renter:
        for _ in range(RATE):
            await renter.say("Aloha")
        last = str(uuid4())
        await renter.say("Aloha", last)
        refused = await renter.get("refused")
        assert refused["clientId"] == last
        assert refused["problem"]["type"].endswith(":too-many-messages")
        async with http(site[1], two.renter) as session:
            status, document = await post(session, two.booking, {"clientId": last, "body": "Aloha"})
        assert (status, document["type"]) == (429, refused["problem"]["type"])


async def test_logs_say_that_somebody_talked_and_neither_who_nor_what(site, two, logs):
    async with talk(site[0].url, two.booking, two.renter, "?since=0") as renter:
        await renter.say(SECRETS)
        await renter.get("accepted")
        await renter.socket.send(f'{{"type": "send", "body": "{SECRETS}')
        await renter.get("refused")
    async with asyncio.timeout(LONGEST_S):
        while '"event":"socket"' not in (log := (logs / "a.log").read_text()):  # noqa: ASYNC110 - nor does a file
            await asyncio.sleep(0.01)
    assert '"route":"/v1/bookings/{id}/chat"' in log
    for word in (SECRETS, two.renter, '"WebSocket ', f"bookings/{two.booking}/", "Traceback"):
        assert word not in log, log[-2000:]


class Stubborn:
    """A client as docs/chat.md wants it: connects again, elsewhere, and sends again."""

    def __init__(self, site, two, who):
        self.site, self.two, self.token = site, two, getattr(two, who)
        self.pending = {str(uuid4()): f"{who} {number}" for number in range(RATE)}
        self.accepted, self.seen = {}, []

    async def run(self, until):
        for attempt in range(100):
            if self.done(until):
                return
            with suppress(ConnectionClosed, OSError):
                await self.connected(self.site[attempt % 2], until)
        raise AssertionError("never done")

    def done(self, until):
        return not self.pending and len(self.seen) == until

    async def connected(self, served, until):
        since = self.seen[-1]["id"] if self.seen else 0
        async with talk(served.url, self.two.booking, self.token, f"?since={since}") as socket:
            await socket.get("ready")
            for client_id, body in list(self.pending.items()):
                await socket.say(body, client_id)
            while not self.done(until):
                frame = await socket.next()
                assert frame["type"] != "refused", frame
                if frame["type"] == "accepted":
                    self.accepted[frame["message"]["clientId"]] = frame["message"]
                    self.pending.pop(frame["message"]["clientId"], None)
                else:
                    self.seen.append(frame["message"])


async def test_a_process_dies_and_everything_accepted_is_seen_once(site, two, conn):
    """kill -9 while both write: a statement of theirs is held up until it is dead."""
    a, b = site
    renter, host = Stubborn((a, b), two, "renter"), Stubborn((b, a), two, "host")
    with psycopg.connect(conn.info.dsn, password=conn.info.password) as holder:
        conn.execute(
            "CREATE FUNCTION wait_at_7() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM pg_advisory_xact_lock_shared(4712); RETURN NEW; END $$"
        )
        conn.execute(
            "CREATE TRIGGER wait_at_7 AFTER INSERT ON messages FOR EACH ROW"
            " WHEN (NEW.id = 7) EXECUTE FUNCTION wait_at_7()"
        )
        try:
            holder.execute("SELECT pg_advisory_xact_lock(4712)")
            both = asyncio.gather(renter.run(2 * RATE), host.run(2 * RATE))
            await waits_for_the_lock(conn)
            await asyncio.to_thread(a.kill)
            holder.rollback()
            async with asyncio.timeout(3 * LONGEST_S):
                await both
        finally:
            holder.rollback()
            conn.execute("DROP TRIGGER wait_at_7 ON messages")
            conn.execute("DROP FUNCTION wait_at_7")
    assert renter.seen == host.seen
    assert [each["id"] for each in host.seen] == list(range(1, 2 * RATE + 1))
    for client in (renter, host):
        assert len(client.accepted) == RATE
        mine = [each for each in host.seen if each["clientId"] in client.accepted]
        assert mine == sorted(client.accepted.values(), key=lambda each: each["id"])


async def waits_for_the_lock(conn):
    waiting = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event = 'advisory'"
    )
    async with asyncio.timeout(LONGEST_S):
        while not conn.execute(waiting).fetchall():  # noqa: ASYNC110 - PostgreSQL sends no event
            await asyncio.sleep(0.01)


async def test_a_process_that_is_stopped_sends_its_clients_elsewhere(processes, two):
    [served] = running(processes[1])
    async with talk(served.url, two.booking, two.renter) as renter:
        await renter.get("ready")
        code, _ = await asyncio.gather(renter.close_code(), asyncio.to_thread(served.stop))
    assert code == 1012

"""64 clients against one API over HTTP: they hold, pay, move and cancel the same days at once.

`RIDES_SOAK` is the number of rounds; 20 without it.
"""

import asyncio
import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import aiohttp
import psycopg
import pytest

from accounts.tokens import sign_token
from tests.bookings.overlaps import overlaps
from tests.bookings.served import Served
from tests.conftest import SECRET, create_database, database_name
from tests.factory import store_account, store_booking, store_vehicle

CLIENTS = 64
ROUNDS = int(os.environ.get("RIDES_SOAK", "20"))
FIRST = datetime.now(UTC).date() + timedelta(days=60)
# Of 3 clients one wants exactly these days, one some that overlap them, one moves onto them.
WANTED = (10, 13)

pytestmark = pytest.mark.anyio


def day(offset):
    return FIRST + timedelta(days=offset)


def body(start, end):
    return {"start": day(start).isoformat(), "end": day(end).isoformat()}


class Crowd:
    """The clients' connections, and how everything that they asked was answered."""

    def __init__(self, http, conn):
        self.http, self.conn = http, conn
        self.renters = [store_account(conn) for _ in range(CLIENTS)]
        self.tokens = [sign_token(each, "renter", secret=SECRET) for each in self.renters]
        self.answers = Counter()

    async def post(self, who, path, json):
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        async with self.http.post(f"/v1/bookings{path}", json=json, headers=headers) as answer:
            content = await answer.json(content_type=None)
            problem = content.get("type", "").rpartition(":")[2]
            self.answers[answer.status, problem] += 1
            return answer.status, content

    async def round(self):
        """Everybody at once; how many got some of the wanted days."""
        vehicle = store_vehicle(self.conn)
        # A hold that is over, which whoever comes first has to clear away.
        self.store(vehicle, 0, *WANTED, status="held", expires_at=datetime.now(UTC))
        movers = {
            who: self.store(vehicle, who, 30 + 4 * who, 33 + 4 * who, status="held")
            for who in range(2, CLIENTS, 3)
        }
        barrier = asyncio.Barrier(CLIENTS)

        async def client(who):
            await barrier.wait()
            if who in movers:
                days = body(8 + who % 6, 11 + who % 6)
                status, content = await self.post(who, f"/{movers[who]}/reschedule", days)
            else:
                start, end = WANTED if who % 3 == 0 else (8 + who % 6, 11 + who % 6)
                wish = {"vehicleId": vehicle, **body(start, end)}
                status, content = await self.post(who, "", wish)
            if status not in (200, 201):
                return 0
            await self.goes_on(who, content["id"])
            return 1

        return sum(await asyncio.gather(*(client(who) for who in range(CLIENTS))))

    async def goes_on(self, who, booking):
        """Who got days pays for them, then moves within them, and perhaps gives them up."""
        paid, _ = await self.post(who, f"/{booking}/pay", {"paymentMethod": "pm_card_visa"})
        assert paid == 200
        await self.post(who, f"/{booking}/reschedule", body(9 + who % 6, 11 + who % 6))
        if who // 3 % 2:
            await self.post(who, f"/{booking}/cancel", None)

    def store(self, vehicle, who, start, end, **columns):
        return store_booking(
            self.conn, vehicle, day(start), day(end), renter_id=self.renters[who], **columns
        )


async def play(url, conn, rounds):
    """The crowd after so many rounds, and how many of its clients won in each."""
    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(url, connector=connector) as http:
        crowd = Crowd(http, conn)
        return crowd, [await crowd.round() for _ in range(rounds)]


async def test_without_the_constraint_the_crowd_books_twice(settings, worker, tmp_path):
    """The race is real: here the constraint has its name and forbids nothing."""
    template = database_name(os.environ["RIDES_DATABASE_URL"])
    scratch = create_database(f"rides_{worker}_http_race", template)
    served = Served(settings.model_copy(update={"database_url": scratch}), tmp_path / "api.log")
    with psycopg.connect(scratch, autocommit=True) as conn, served:
        conn.execute("ALTER TABLE bookings DROP CONSTRAINT no_double_booking")
        conn.execute(
            "ALTER TABLE bookings ADD CONSTRAINT no_double_booking"
            " EXCLUDE USING gist (id WITH =, during WITH &&)"
        )
        await play(served.url, conn, 1)
        assert overlaps(conn) > 0


async def test_nobody_gets_days_that_another_has_and_somebody_always_does(settings, conn, tmp_path):
    with Served(settings, tmp_path / "api.log") as served:
        crowd, won = await play(served.url, conn, ROUNDS)
    assert overlaps(conn) == 0
    assert min(won) >= 1, "in every round somebody gets the days"
    assert {status for status, _ in crowd.answers} == {200, 201, 409}, crowd.answers
    assert {problem for status, problem in crowd.answers if status == 409} <= {
        "vehicle-unavailable",
        "booking-not-reschedulable",
    }, crowd.answers
    everything_adds_up(conn)


def everything_adds_up(conn):
    """Who was charged has the days or the money, and the sandbox agrees with our books."""
    assert conn.execute(
        "SELECT count(*) FROM payments p JOIN bookings b ON b.id = p.booking_id"
        " WHERE p.status = 'captured' AND b.status <> 'confirmed'"
        " AND p.refunded_cents < p.captured_cents"
    ).fetchone() == (0,)
    assert conn.execute(
        "SELECT count(*) FROM payments p JOIN sandbox_intents s ON s.id = p.intent_id"
        " WHERE (s.captured_cents, s.refunded_cents) <> (p.captured_cents, p.refunded_cents)"
        " OR s.charges > 1"
    ).fetchone() == (0,)
    (taken, left, escrow) = conn.execute(
        "SELECT sum(captured_cents), sum(captured_cents - refunded_cents),"
        " (SELECT sum(cents) FROM ledger WHERE account = 'escrow') FROM payments"
    ).fetchone()
    assert taken > 0
    assert left == escrow

"""kill -9 between hold, payment and confirmation: one charge, one booking or one refund.

The process is stopped inside a statement by a trigger that waits for a lock which the test holds,
then killed. One renter asks again, with the same key, at another replica; another never comes back,
and the clock clears up after them. With
`RIDES_SOAK` at every step, without it at those that matter most.
"""

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from accounts.tokens import sign_token
from bookings import clock
from bookings.payments.opening import open_cashier
from models.session import async_engine, sessions
from tests.bookings.served import Served
from tests.conftest import SECRET
from tests.factory import store_account, store_vehicle

START = datetime.now(UTC).date() + timedelta(days=60)
DAYS = {"start": str(START), "end": str(START + timedelta(days=3))}
LOCK = 4711
HOLD = [
    "UPDATE ON idempotency_keys FOR EACH ROW WHEN (NEW.status = 201)",
]
PAY = [
    "UPDATE ON payments FOR EACH ROW WHEN (NEW.status = 'authorised')",
    "UPDATE ON payments FOR EACH ROW WHEN (NEW.status = 'captured')",
    "UPDATE ON bookings FOR EACH ROW WHEN (NEW.status = 'confirmed')",
    "UPDATE ON idempotency_keys FOR EACH ROW WHEN (NEW.status = 200)",
]
if "RIDES_SOAK" in os.environ:
    HOLD.append("INSERT ON bookings FOR EACH ROW")
    PAY += [
        "INSERT ON payments FOR EACH ROW",
        "INSERT ON sandbox_intents FOR EACH ROW",
        "UPDATE ON payments FOR EACH ROW WHEN (NEW.status = 'open')",
        "UPDATE ON sandbox_intents FOR EACH ROW WHEN (NEW.status = 'authorised')",
        "UPDATE ON sandbox_intents FOR EACH ROW WHEN (NEW.status = 'captured')",
    ]

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def replica(settings, tmp_path_factory):
    """The API that goes on."""
    with Served(settings, tmp_path_factory.mktemp("replica") / "api.log") as served:
        yield served


@pytest.fixture
def victim(settings, conn, tmp_path):
    with Served(settings, tmp_path / "victim.log") as served:
        yield served


class Renter:
    """Somebody who rents a vehicle of their own choice."""

    def __init__(self, conn):
        self.conn = conn
        self.account = store_account(conn)
        self.vehicle = store_vehicle(conn)
        token = sign_token(self.account, "renter", secret=SECRET)
        self.headers = {"Authorization": f"Bearer {token}"}

    async def post(self, served, path, json, key):
        url = f"{served.url}/v1/bookings{path}"
        headers = self.headers | {"Idempotency-Key": key}
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, json=json, headers=headers) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def hold(self, served):
        return await self.post(served, "", {"vehicleId": self.vehicle, **DAYS}, "hold")

    async def pay(self, served, booking):
        card = {"paymentMethod": "pm_card_visa"}
        return await self.post(served, f"/{booking}/pay", card, "pay")

    def bookings(self):
        return self.conn.execute(
            "SELECT status, expires_at > now() FROM bookings WHERE renter_id = %s", [self.account]
        ).fetchall()

    def status(self):
        return [status for status, _ in self.bookings()]

    def money(self):
        """Charges at the provider and cents that it has, then cents by our books."""
        return self.conn.execute(
            "SELECT coalesce(sum(s.charges), 0)::int,"
            " coalesce(sum(s.captured_cents - s.refunded_cents), 0)::int,"
            " coalesce(sum(p.captured_cents - p.refunded_cents), 0)::int,"
            " (SELECT coalesce(sum(l.cents), 0)::int FROM ledger l JOIN bookings o"
            "  ON o.id = l.booking_id WHERE account = 'escrow' AND o.renter_id = %s)"
            " FROM bookings b JOIN payments p ON p.booking_id = b.id"
            " LEFT JOIN sandbox_intents s ON s.key = p.key WHERE b.renter_id = %s",
            [self.account, self.account],
        ).fetchone()


NOTHING, PAID = (0, 0, 0, 0), (1, 16_500, 16_500, 16_500)


async def killed_at(conn, victim, where, *requests):
    """Send requests, kill the API when all of them are inside `where`, and clear the way again."""
    conn.execute(f"""
        CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END $$;
        CREATE TRIGGER wait_here BEFORE {where} EXECUTE FUNCTION wait_here()
    """)
    conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        tasks = [asyncio.create_task(each) for each in requests]
        await until_all_wait(conn, tasks)
        victim.kill()
        for task in tasks:
            with suppress(aiohttp.ClientError):
                await task
    finally:
        conn.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({WAITING}) AS waiting")
        conn.execute("SELECT pg_advisory_unlock_all()")
        conn.execute("DROP FUNCTION wait_here CASCADE")
    # A minute later.
    conn.execute("UPDATE idempotency_keys SET leased_until = now() - interval '1 second'")


WAITING = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def until_all_wait(conn, tasks):
    async with asyncio.timeout(30):
        while len(conn.execute(WAITING).fetchall()) < len(tasks):
            assert not any(task.done() for task in tasks), "a request went past the place"
            await asyncio.sleep(0.02)


async def an_hour_passes(settings):
    """Nobody asks any more: the clock and the sweep alone."""
    engine = async_engine(settings)
    maker = sessions(engine)
    cashier = open_cashier(settings, maker)
    for minutes in (16, 30, 60):
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        await clock.tick(maker, later)
        await cashier.sweep(later)
    await engine.dispose()


@pytest.mark.parametrize("where", HOLD)
async def test_a_hold_that_was_cut_short_is_made_once(conn, replica, victim, where):
    renter = Renter(conn)
    await killed_at(conn, victim, where, renter.hold(victim))
    assert renter.status() == [], "nobody was told, so nothing is held"
    assert (await renter.hold(replica))[0] == 201
    assert (await renter.hold(replica))[0] == 201
    assert renter.status() == ["held"]


@pytest.mark.parametrize("where", PAY)
async def test_a_payment_that_was_cut_short_is_one_charge_and_one_booking(
    conn, replica, victim, settings, where
):
    returns, vanishes = Renter(conn), Renter(conn)
    ids = [(await each.hold(replica))[1]["id"] for each in (returns, vanishes)]
    requests = (returns.pay(victim, ids[0]), vanishes.pay(victim, ids[1]))
    await killed_at(conn, victim, where, *requests)

    status, booking = await returns.pay(replica, ids[0])
    assert (status, booking["status"]) == (200, "confirmed")
    assert await returns.pay(replica, ids[0]) == (200, booking)
    assert (returns.status(), returns.money()) == (["confirmed"], PAID)

    await an_hour_passes(settings)
    assert (vanishes.status(), vanishes.money()) in [
        (["confirmed"], PAID),
        (["expired"], NOTHING),
    ]
    assert (returns.status(), returns.money()) == (["confirmed"], PAID)


async def test_a_charge_that_we_never_heard_of_goes_back_when_the_days_are_gone(
    conn, replica, victim, settings
):
    renter, other = Renter(conn), Renter(conn)
    _, booking = await renter.hold(replica)
    taken = "UPDATE ON payments FOR EACH ROW WHEN (NEW.status = 'captured')"
    await killed_at(conn, victim, taken, renter.pay(victim, booking["id"]))
    assert renter.money()[:3] == (1, 16_500, 0), "the provider has it, and we do not know"

    conn.execute("UPDATE bookings SET expires_at = now() - interval '1 second'")
    other.vehicle = renter.vehicle
    assert (await other.hold(replica))[0] == 201
    conn.execute("UPDATE bookings SET expires_at = now() + interval '1 day' WHERE status = 'held'")
    await an_hour_passes(settings)
    assert (renter.status(), renter.money()) == (["expired"], (1, 0, 0, 0))
    assert other.status() == ["held"]

"""Bookings and money at random: whatever happens in whatever order, everything adds up.

`RIDES_SOAK` is the number of runs; 25 without it. The provider is the sandbox, which fails before
or after it has done what it was asked; its events come late, in any order and again.
"""

import asyncio
import os
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts.tokens import Principal
from bookings import changes, clock, holds
from bookings.errors import BookingError
from bookings.payments.cashier import Cashier
from bookings.payments.port import GatewayError, Intent, ProviderEvent
from bookings.payments.sandbox import SandboxGateway
from models import PaymentStatus, Role
from models.session import async_engine, connections, sessions
from tests.bookings.conftest import NOW, day
from tests.bookings.overlaps import overlaps
from tests.conftest import emptied
from tests.factory import store_account, store_vehicle

RUNS = int(os.environ.get("RIDES_SOAK", "25"))

CARDS = st.sampled_from(
    ["pm_card_visa"] * 3 + ["pm_card_chargeDeclined", "pm_card_authenticationRequired", None]
)
EVENTS = {
    PaymentStatus.AUTHORISED: "payment_intent.amount_capturable_updated",
    PaymentStatus.CAPTURED: "payment_intent.succeeded",
    PaymentStatus.VOIDED: "payment_intent.canceled",
}


class FailingGateway:
    """The sandbox behind a bad line: `fault` says whether a call is lost on its way or back."""

    name = "sandbox"

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.fault = None

    def __getattr__(self, what):
        async def call(*args, **options):
            if self.fault == "before":
                raise GatewayError("lost on the way")
            answer = await getattr(self.sandbox, what)(*args, **options)
            if self.fault == "after":
                raise GatewayError("the answer was lost")
            return answer

        return call


class Renting(RuleBasedStateMachine):
    """Three renters, two vehicles, one of whose hosts wants to decide."""

    world = None  # (connection, pool, sessions, runner), set by the test
    bookings = Bundle("bookings")
    events = Bundle("events")

    @initialize()
    def open_the_market(self):
        self.conn, self.connections, self.sessions, self.runner = self.world
        emptied(self.conn)
        self.now = NOW
        self.gateway = FailingGateway(SandboxGateway(self.sessions))
        self.cashier = Cashier(self.sessions, self.gateway)
        self.host = store_account(self.conn, "host")
        self.renters = [store_account(self.conn) for _ in range(3)]
        self.vehicles = [
            store_vehicle(self.conn, host_id=self.host, cancellation_policy="flexible"),
            store_vehicle(
                self.conn, host_id=self.host, instant_book=False, cleaning_fee_cents=1_234
            ),
        ]

    def done(self, work):
        """The outcome of a coroutine; None if renting refused."""
        with suppress(BookingError):
            return self.runner.run(work)
        return None

    def change(self, what, booking, account, **wishes):
        async def work():
            async with self.sessions.begin() as session:
                await what(
                    session,
                    booking_id=booking,
                    principal=Principal(account, Role.RENTER),
                    now=self.now,
                    **wishes,
                )
            await self.cashier.settle(booking, self.now)

        self.done(work())

    def renter_of(self, booking):
        row = self.conn.execute("SELECT renter_id FROM bookings WHERE id = %s", [booking])
        return row.fetchone()[0]

    @rule(
        target=bookings,
        vehicle=st.integers(0, 1),
        renter=st.integers(0, 2),
        start=st.integers(0, 9),
        days=st.integers(1, 4),
    )
    def hold(self, vehicle, renter, start, days):
        async def work():
            async with self.connections.connection() as connection:
                booking, _ = await holds.hold(
                    connection,
                    self.sessions,
                    renter_id=self.renters[renter],
                    vehicle_id=self.vehicles[vehicle],
                    start=day(start),
                    end=day(start + days),
                    now=self.now,
                )
                return booking.id

        booking = self.done(work())
        return multiple() if booking is None else booking

    @rule(booking=bookings, card=CARDS)
    def pay(self, booking, card):
        me = Principal(self.renter_of(booking), Role.RENTER)
        self.done(self.cashier.pay(booking_id=booking, principal=me, method=card, now=self.now))

    @rule(booking=bookings)
    def the_bank_agrees_in_the_providers_form(self, booking):
        for intent_id, _, _ in self.intents(booking):
            self.runner.run(self.gateway.sandbox.confirm(intent_id, key="", method="pm_card_visa"))

    @rule(target=events, booking=bookings)
    def the_provider_writes_an_event(self, booking):
        return multiple(
            *(
                ProviderEvent(
                    f"evt_{intent_id}_{status}", EVENTS[status], intent_id, None,
                    intent=Intent(intent_id, PaymentStatus(status), captured),
                )
                for intent_id, status, captured in self.intents(booking)
                if status in EVENTS
            )
        )  # fmt: skip

    @rule(event=events)
    def an_event_comes_and_may_come_again(self, event):
        self.runner.run(self.cashier.take_in(event, self.now))

    @rule(event=consumes(events))
    def an_event_comes_for_the_last_time(self, event):
        self.runner.run(self.cashier.take_in(event, self.now))

    @rule(booking=bookings, by_host=st.booleans())
    def cancel(self, booking, by_host):
        self.change(changes.cancel, booking, self.host if by_host else self.renter_of(booking))

    @rule(booking=bookings, agrees=st.booleans())
    def the_host_decides(self, booking, agrees):
        self.change(changes.approve if agrees else changes.decline, booking, self.host)

    @rule(booking=bookings, start=st.integers(0, 12), days=st.integers(1, 4))
    def reschedule(self, booking, start, days):
        wishes = {"start": day(start), "end": day(start + days)}
        self.change(changes.reschedule, booking, self.renter_of(booking), **wishes)

    @rule(minutes=st.sampled_from([1, 6, 16, 60, 24 * 60, 3 * 24 * 60]))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_clock_ticks(self):
        self.runner.run(clock.tick(self.sessions, self.now))
        self.runner.run(self.cashier.sweep(self.now))

    @rule(fault=st.sampled_from([None, None, "before", "after"]))
    def the_line_to_the_provider(self, fault):
        self.gateway.fault = fault

    @invariant()
    def nobody_has_the_days_of_another(self):
        assert overlaps(self.conn) == 0

    @invariant()
    def nobody_pays_twice_or_gets_more_back_than_was_taken(self):
        assert self.found("""
            SELECT b.id FROM bookings b JOIN payments p ON p.booking_id = b.id
            LEFT JOIN sandbox_intents s ON s.key = p.key
            GROUP BY b.id HAVING coalesce(sum(s.charges), 0) > 1
            OR sum(p.refunded_cents) > sum(p.captured_cents)
            OR sum(p.captured_cents) > max(p.amount_cents)
        """) == []  # fmt: skip

    @invariant()
    def who_has_days_for_good_has_paid_their_price(self):
        assert self.found("""
            SELECT b.id FROM bookings b LEFT JOIN payments p
            ON p.booking_id = b.id AND p.status = 'captured'
            WHERE b.status IN ('confirmed', 'active', 'completed')
            AND p.captured_cents - p.ordered_cents IS DISTINCT FROM b.total_cents
        """) == []  # fmt: skip

    @invariant()
    def who_has_paid_has_the_days_or_the_money(self):
        assert self.found("""
            SELECT b.id FROM bookings b JOIN payments p ON p.booking_id = b.id
            WHERE p.captured_cents > p.ordered_cents
            AND b.status IN ('expired', 'declined')
        """) == []  # fmt: skip

    @invariant()
    def the_ledger_says_where_the_money_is(self):
        assert self.found("""
            SELECT b.id FROM bookings b
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(captured_cents - refunded_cents), 0) AS here
                FROM payments WHERE booking_id = b.id
            ) AS p
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(cents), 0) AS total,
                coalesce(sum(cents) FILTER (WHERE account = 'renter'), 0) AS renter
                FROM ledger WHERE booking_id = b.id
            ) AS l
            WHERE l.total <> 0 OR l.renter <> -p.here
        """) == []  # fmt: skip

    def teardown(self):
        """The line is mended and a month passes: nothing is left open, and the books agree."""
        if not hasattr(self, "gateway"):
            return
        self.gateway.fault = None
        for _ in range(4):
            self.now += timedelta(days=10)
            self.the_clock_ticks()
        self.nobody_pays_twice_or_gets_more_back_than_was_taken()
        assert self.found("""
            SELECT b.id, b.status, p.status, p.target, s.status, p.due_at
            FROM bookings b LEFT JOIN payments p ON p.booking_id = b.id
            LEFT JOIN sandbox_intents s ON s.id = p.intent_id
            WHERE b.status IN ('held', 'confirmed', 'active') OR p.due_at IS NOT NULL
            OR (s.captured_cents, s.refunded_cents) <> (p.captured_cents, p.refunded_cents)
            OR s.status = 'authorised'
        """) == []  # fmt: skip
        assert self.found("""
            SELECT b.id FROM bookings b JOIN ledger l ON l.booking_id = b.id
            WHERE l.account = 'escrow' GROUP BY b.id HAVING sum(l.cents) <> 0
        """) == []  # fmt: skip

    def intents(self, booking):
        """(id, status, captured cents) of the booking's payments, as the provider has them."""
        return self.conn.execute(
            "SELECT s.id, s.status, s.captured_cents FROM sandbox_intents s"
            " JOIN payments p ON p.intent_id = s.id WHERE p.booking_id = %s",
            [booking],
        ).fetchall()

    def found(self, query):
        """Bookings that break a rule."""
        return self.conn.execute(query).fetchall()


@pytest.fixture
def world(settings, conn: psycopg.Connection):
    engine = async_engine(settings)
    pool = connections(settings)
    with asyncio.Runner() as runner:
        yield conn, pool, sessions(engine), runner
        runner.run(pool.close())
        runner.run(engine.dispose())


@pytest.mark.timeout(3600)
def test_whatever_happens_everything_adds_up(world):
    Renting.world = world
    run_state_machine_as_test(
        Renting,
        settings=hypothesis_settings(
            max_examples=RUNS,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize="RIDES_SOAK" not in os.environ,
            suppress_health_check=list(HealthCheck),
            # A failure is told by its steps; making them fewer takes longer than reading them.
            phases=[Phase.generate],
        ),
    )

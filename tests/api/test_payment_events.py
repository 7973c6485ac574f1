"""Stripe's events, signed in the test as Stripe signs them."""

import hashlib
import hmac
import itertools
import json
import time
from datetime import date

import pytest
from pydantic import SecretStr

from api.dependencies import app_settings
from bookings.payments.stripe import StripeGateway
from models import PaymentStatus
from tests.api.conftest import problem
from tests.bookings import stripe_mock
from tests.factory import insert, store_account, store_booking, store_vehicle

SECRET = "whsec_test"
PATH = "/v1/payments/webhook"
START, END = "2027-06-01", "2027-06-04"
AUTHORISED = "payment_intent.amount_capturable_updated"
CAPTURED = "payment_intent.succeeded"
VOIDED = "payment_intent.canceled"


@pytest.fixture(autouse=True)
def listening(client):
    listen(client, SecretStr(SECRET))


def listen(client, secret):
    """Events signed with `secret` are taken; with None, none are."""
    chosen = client.app.state.settings.model_copy(update={"stripe_webhook_secret": secret})
    client.app.dependency_overrides[app_settings] = lambda: chosen


def send(client, event, *, secret=SECRET, at=None, tamper=b""):
    """Stripe's signature: HMAC-SHA-256 of the second and the raw body."""
    body = json.dumps(event).encode()
    at = int(at or time.time())
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={at},v1={signature}", "Content-Type": "application/json"}
    return client.request("POST", PATH, content=body + tamper, headers=headers)


def event(kind, number=1, **about):
    about = {"id": "pi_1", "object": "payment_intent", "amount_received": 15_000} | about
    return {
        "id": f"evt_{number}_{kind}",
        "object": "event",
        "api_version": "2025-01-01",
        "type": kind,
        "data": {"object": about},
    }


@pytest.fixture
def payment(conn):
    """An intent of Stripe's that waits for the renter's card, for a booking of $150."""
    booking = store_booking(
        conn, store_vehicle(conn), date.fromisoformat(START), date.fromisoformat(END), status="held"
    )
    row = {
        "booking_id": booking, "provider": "stripe", "key": "rides-1", "intent_id": "pi_1",
        "amount_cents": 15_000, "currency": "USD", "status": "open",
    }  # fmt: skip
    return insert(conn, "payments", row)


def state(conn):
    return conn.execute(
        "SELECT b.status, p.status, p.target, p.captured_cents, p.ordered_cents, p.refunded_cents"
        " FROM payments p JOIN bookings b ON b.id = p.booking_id"
    ).fetchone()


def test_money_that_the_provider_reports_confirms_the_booking(client, conn, payment):
    assert send(client, event(AUTHORISED)).json() == {"new": True}
    assert state(conn) == ("held", "authorised", "captured", 0, 0, 0)
    assert send(client, event(CAPTURED)).json() == {"new": True}
    assert state(conn) == ("confirmed", "captured", "captured", 15_000, 0, 0)


def test_an_event_counts_once(client, conn, payment):
    answers = client.all_at_once([request(event(CAPTURED)) for _ in range(10)])
    assert sorted(answer.json()["new"] for answer in answers) == [False] * 9 + [True]
    assert conn.execute("SELECT count(*), sum(abs(cents)) FROM ledger").fetchone() == (2, 30_000)


def request(event):
    body = json.dumps(event).encode()
    at = int(time.time())
    signature = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return (
        "POST",
        PATH,
        {"content": body, "headers": {"Stripe-Signature": f"t={at},v1={signature}"}},
    )


@pytest.mark.parametrize("order", list(itertools.permutations([AUTHORISED, CAPTURED, AUTHORISED])))
def test_in_any_order_they_come_to_the_same(client, conn, payment, order):
    for number, kind in enumerate(order):
        assert send(client, event(kind, number)).status_code == 200
    assert state(conn) == ("confirmed", "captured", "captured", 15_000, 0, 0)


@pytest.mark.parametrize("order", [(AUTHORISED, VOIDED), (VOIDED, AUTHORISED)])
def test_what_was_let_go_stays_so(client, conn, payment, order):
    for kind in order:
        assert send(client, event(kind)).status_code == 200
    assert state(conn)[:2] == ("held", "voided")
    assert conn.execute("SELECT count(*) FROM ledger").fetchone() == (0,)


def test_a_payment_is_known_by_our_key_as_well(client, conn, payment):
    """Its answer with the intent's id may have been lost."""
    conn.execute("UPDATE payments SET status = 'created', intent_id = NULL")
    send(client, event(CAPTURED, metadata={"payment": "rides-1"}))
    assert state(conn)[:2] == ("confirmed", "captured")


def test_a_refund_that_is_reported_is_done_once(client, conn, payment):
    send(client, event(CAPTURED))
    conn.execute("UPDATE payments SET ordered_cents = 5000")
    refund = insert(conn, "refunds", {"payment_id": payment, "cents": 5_000, "reason": "test"})
    about = {
        "id": "re_1", "object": "refund", "payment_intent": "pi_1", "status": "succeeded",
        "metadata": {"refund": str(refund)},
    }  # fmt: skip
    for number in range(2):
        assert send(client, event("refund.updated", number, **about)).status_code == 200
    assert state(conn)[3:] == (15_000, 5_000, 5_000)
    assert conn.execute("SELECT sum(cents) FROM ledger WHERE account = 'escrow'").fetchone() == (
        10_000,
    )


def test_money_for_a_booking_that_was_cancelled_goes_back(client, conn, payment):
    conn.execute("UPDATE bookings SET status = 'cancelled'")
    send(client, event(CAPTURED))
    assert state(conn) == ("cancelled", "captured", "authorised", 15_000, 15_000, 0)
    assert conn.execute("SELECT cents, reason FROM refunds").fetchall() == [
        (15_000, "paid when cancelled")
    ]


@pytest.mark.parametrize("kind", ["charge.succeeded", "payment_intent.created", "some.thing.new"])
def test_what_says_nothing_to_us_changes_nothing(client, conn, payment, kind):
    assert send(client, event(kind)).json() == {"new": True}
    assert state(conn)[:2] == ("held", PaymentStatus.OPEN)


def test_an_event_of_somebody_elses_payment_is_taken_and_left_alone(client, conn):
    assert send(client, event(CAPTURED, id="pi_other")).json() == {"new": True}
    assert conn.execute("SELECT payment_id FROM payment_events").fetchall() == [(None,)]


@pytest.mark.parametrize(
    "wrong", [{"secret": "whsec_other"}, {"at": time.time() - 301}, {"tamper": b" "}]
)
def test_what_is_not_signed_by_stripe_right_now_is_refused(client, conn, payment, wrong):
    assert problem(send(client, event(CAPTURED), **wrong))[:2] == (400, "invalid-signature")
    assert state(conn)[:2] == ("held", "open")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": 1}', b"\xff"])
def test_what_is_no_event_is_refused_even_if_it_is_signed(client, body):
    at = int(time.time())
    signature = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    for value in (f"t={at},v1={signature}", "", "t=,v1=", "nonsense"):
        answer = client.request("POST", PATH, content=body, headers={"Stripe-Signature": value})
        assert problem(answer)[:2] == (400, "invalid-signature")


def test_without_a_secret_no_events_are_taken(client):
    listen(client, None)
    assert problem(send(client, event(CAPTURED)))[:2] == (404, "webhooks-off")


def test_no_payments_at_all_are_503_and_say_what_to_set(client, conn, app, monkeypatch):
    monkeypatch.setattr(app.state.cashier, "_gateway", None)
    renter = store_account(conn)
    wish = {"vehicleId": store_vehicle(conn), "start": START, "end": END}
    booking = client.post("/v1/bookings", wish, account=renter).json()["id"]
    answer = client.post(f"/v1/bookings/{booking}/pay", {}, account=renter)
    assert problem(answer)[:2] == (503, "payments-unavailable")
    assert "RIDES_PAYMENTS" in answer.json()["detail"]


@pytest.fixture(scope="module")
def mock_address():
    with stripe_mock.running() as address:
        yield address


@pytest.fixture
def by_stripe(client, app, monkeypatch, mock_address):
    """The API with Stripe's SDK behind it, which speaks to Stripe's mock."""
    gateway = StripeGateway("sk_test_123", address=mock_address)
    monkeypatch.setattr(app.state.cashier, "_gateway", gateway)
    yield client
    client.portal.call(gateway.close)


@pytest.mark.parametrize("method", [None, "pm_card_visa"])
def test_a_rental_by_stripe_is_held_paid_and_confirmed_by_its_event(by_stripe, conn, method):
    """The mock never says that it has taken anything: that is for the event to say."""
    renter = store_account(conn)
    wish = {"vehicleId": store_vehicle(conn), "start": START, "end": END}
    booking = by_stripe.post("/v1/bookings", wish, account=renter).json()["id"]
    path, body = f"/v1/bookings/{booking}", {"paymentMethod": method} if method else {}
    waiting = by_stripe.post(f"{path}/pay", body, account=renter).json()
    assert (waiting["status"], waiting["payment"]["status"]) == ("held", "open")
    assert waiting["payment"]["clientSecret"]
    (intent,) = conn.execute("SELECT intent_id FROM payments").fetchone()
    send(by_stripe, event(CAPTURED, id=intent, amount_received=16_500))
    assert by_stripe.get(path, account=renter).json()["status"] == "confirmed"
    gone = by_stripe.post(f"{path}/cancel", account=renter).json()
    assert (gone["status"], gone["payment"]["refunded"]) == ("cancelled", 16_500)

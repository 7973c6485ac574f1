"""A rental over HTTP, from the quote to the money that goes back."""

from datetime import UTC, date, datetime, timedelta

import pytest

from api.dependencies import now
from bookings import clock
from bookings.payments.port import Intent, ProviderEvent
from models import PaymentStatus
from tests.api.conftest import NOW, problem
from tests.factory import store_account, store_booking, store_vehicle

DAYS = {"start": "2027-06-01", "end": "2027-06-04"}
CARD = {"paymentMethod": "pm_card_visa"}
BAD_CARD = {"paymentMethod": "pm_card_chargeDeclined"}


class Rental:
    """A vehicle, its host and a renter; the clock of the test."""

    def __init__(self, client, conn, app, **vehicle):
        self.client, self.conn, self.app = client, conn, app
        self.host = store_account(conn, "host")
        self.vehicle = store_vehicle(conn, host_id=self.host, **vehicle)
        self.renter = store_account(conn)
        self.now = NOW

    def hold(self, **body):
        body = {"vehicleId": self.vehicle, **DAYS} | body
        return self.client.post("/v1/bookings", body, account=self.renter)

    def held(self, **body):
        answer = self.hold(**body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def do(self, booking, what, body=None, account=None, **options):
        path = f"/v1/bookings/{booking}/{what}"
        account = self.renter if account is None else account
        return self.client.post(path, body, account=account, **options)

    def pay(self, booking, body=CARD, **options):
        return self.do(booking, "pay", body, **options)

    def see(self, booking):
        return self.client.get(f"/v1/bookings/{booking}", account=self.renter).json()

    def later(self, **time):
        """So much later; what time alone does has happened."""
        self.now += timedelta(**time)
        self.app.dependency_overrides[now] = lambda: self.now
        self.client.portal.call(self._tick)

    async def _tick(self):
        state = self.app.state
        await clock.tick(state.sessions, self.now)
        await state.cashier.sweep(self.now)

    def ledger(self):
        rows = self.conn.execute(
            "SELECT account, sum(cents)::int FROM ledger GROUP BY account HAVING sum(cents) <> 0"
        ).fetchall()
        return dict(rows)


@pytest.fixture
def rental(client, conn, app):
    return Rental(client, conn, app)


@pytest.fixture
def by_approval(client, conn, app):
    return Rental(client, conn, app, instant_book=False)


def test_a_quote_holds_its_price_for_15_minutes(rental):
    path = f"/v1/vehicles/{rental.vehicle}/quote"
    quote = rental.client.get(path, params=DAYS).json()
    rental.conn.execute("UPDATE vehicles SET daily_rate_cents = 9000")
    booked = rental.hold(quote=quote["token"], amount=quote["total"]).json()
    assert (booked["total"], booked["lines"]) == (16_500, quote["lines"])
    rental.do(booked["id"], "cancel")
    rental.later(minutes=16)
    late = rental.hold(quote=quote["token"])
    assert problem(late)[:2] == (422, "invalid-quote")
    assert rental.hold().json()["total"] == 29_700


def test_a_quote_is_good_for_its_own_days_and_vehicle_alone_and_any_change_is_noticed(rental):
    path = f"/v1/vehicles/{rental.vehicle}/quote"
    token = rental.client.get(path, params=DAYS).json()["token"]
    other = store_vehicle(rental.conn)
    forged = [
        token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token))
    ]
    for body in (
        {"vehicleId": other, "quote": token},
        {"end": "2027-06-05", "quote": token},
        *({"quote": each} for each in forged[::7]),
    ):
        status, code, wrong = problem(rental.hold(**body))
        assert (status, code, list(wrong)) == (422, "invalid-quote", ["/quote"])


def test_what_cannot_be_booked_gets_a_price_and_no_token(rental):
    store_booking(rental.conn, rental.vehicle, date(2027, 6, 2), date(2027, 6, 3))
    quote = rental.client.get(f"/v1/vehicles/{rental.vehicle}/quote", params=DAYS).json()
    assert (quote["reason"], quote["token"], quote["expiresAt"]) == ("taken", None, None)


def test_another_amount_than_agreed_is_409_price_changed(rental):
    answer = rental.hold(amount=16_499)
    assert problem(answer)[:2] == (409, "price-changed")
    assert "16500 cents of USD" in answer.json()["detail"]


@pytest.mark.parametrize("amount", [-1, 1.5, "16500", 2**53])
def test_an_amount_is_a_whole_number_of_cents(rental, amount):
    assert list(problem(rental.hold(amount=amount))[2]) == ["/amount"]


def test_paying_confirms_and_the_money_is_in_escrow(rental):
    booking = rental.held()
    paid = rental.pay(booking)
    assert (paid.status_code, paid.json()["status"]) == (200, "confirmed")
    assert paid.json()["expiresAt"] is None
    assert paid.json()["payment"] == {
        "status": "captured",
        "amount": 16_500,
        "captured": 16_500,
        "refunded": 0,
        "refundDue": 0,
        "failure": None,
        "clientSecret": None,
    }
    assert rental.ledger() == {"renter": -16_500, "escrow": 16_500}
    again = rental.pay(booking)
    assert (again.status_code, again.json()) == (200, paid.json())
    assert rental.conn.execute("SELECT sum(charges) FROM sandbox_intents").fetchone() == (1,)


def test_a_rental_that_was_driven_pays_host_and_marketplace(rental):
    booking = rental.held()
    rental.pay(booking)
    rental.later(days=12)
    assert rental.see(booking)["status"] == "active"
    rental.later(days=3)
    assert rental.see(booking)["status"] == "completed"
    assert rental.ledger() == {"renter": -16_500, "host": 15_000, "marketplace": 1_500}


def test_a_declined_card_is_402_and_another_may_be_tried(rental):
    booking = rental.held()
    assert problem(rental.pay(booking, BAD_CARD)) == (402, "payment-declined", {})
    assert rental.see(booking)["payment"]["failure"] == "card_declined"
    assert rental.see(booking)["status"] == "held"
    assert rental.pay(booking).json()["status"] == "confirmed"
    assert rental.conn.execute("SELECT sum(charges) FROM sandbox_intents").fetchone() == (1,)


def test_without_a_card_the_answer_lets_the_client_take_it_and_only_the_renter_sees_it(rental):
    booking = rental.held()
    waiting = rental.pay(booking, {}).json()
    assert (waiting["status"], waiting["payment"]["status"]) == ("held", "open")
    assert waiting["payment"]["clientSecret"].startswith("pi_sandbox_")
    for account, role in ((rental.host, "host"), (99, "admin")):
        seen = rental.client.get(f"/v1/bookings/{booking}", account=account, role=role).json()
        assert seen["payment"]["clientSecret"] is None
    assert rental.pay(booking).json()["status"] == "confirmed"


def test_a_card_whose_bank_asks_the_renter_waits_for_the_answer_or_another_card(rental):
    booking = rental.held()
    asked = rental.pay(booking, {"paymentMethod": "pm_card_authenticationRequired"}).json()
    assert (asked["status"], asked["payment"]["status"]) == ("held", "open")
    assert asked["payment"]["clientSecret"]
    assert rental.pay(booking).json()["status"] == "confirmed"


def test_a_hold_that_is_not_paid_expires_and_its_days_are_free(rental):
    booking = rental.held()
    rental.later(minutes=14)
    assert rental.see(booking)["status"] == "held"
    rental.later(minutes=1)
    assert rental.see(booking)["status"] == "expired"
    assert problem(rental.pay(booking))[:2] == (409, "hold-expired")
    assert rental.hold().status_code == 201


def test_whoever_wants_the_days_of_a_hold_that_is_over_need_not_wait_for_the_clock(rental):
    booking = rental.held()
    rental.now += timedelta(minutes=15)
    rental.app.dependency_overrides[now] = lambda: rental.now
    other = rental.client.post(
        "/v1/bookings", {"vehicleId": rental.vehicle, **DAYS}, account=store_account(rental.conn)
    )
    assert other.status_code == 201
    assert rental.see(booking)["status"] == "expired"


def test_a_host_who_wants_to_decide_gets_the_money_reserved_first(by_approval):
    booking = by_approval.held()
    paid = by_approval.pay(booking).json()
    assert (paid["status"], paid["payment"]["status"]) == ("held", "authorised")
    assert paid["expiresAt"] == (NOW + timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert by_approval.ledger() == {}
    mine = by_approval.do(booking, "confirm")
    assert problem(mine)[:2] == (403, "not-your-part")
    taken = by_approval.do(booking, "confirm", account=by_approval.host, role="host")
    assert (taken.status_code, taken.json()["status"]) == (200, "confirmed")
    assert by_approval.ledger() == {"renter": -16_500, "escrow": 16_500}
    again = by_approval.do(booking, "confirm", account=by_approval.host, role="host")
    assert (again.status_code, again.json()["status"]) == (200, "confirmed")


def test_a_host_who_declines_lets_days_and_money_go(by_approval):
    booking = by_approval.held()
    by_approval.pay(booking)
    gone = by_approval.do(booking, "decline", account=by_approval.host, role="host").json()
    assert (gone["status"], gone["payment"]["status"]) == ("declined", "voided")
    assert by_approval.ledger() == {}
    assert by_approval.hold().status_code == 201


def test_a_host_who_says_nothing_for_a_day_has_declined(by_approval):
    booking = by_approval.held()
    by_approval.pay(booking)
    by_approval.later(hours=24)
    seen = by_approval.see(booking)
    assert (seen["status"], seen["payment"]["status"]) == ("expired", "voided")
    late = by_approval.do(booking, "confirm", account=by_approval.host, role="host")
    assert problem(late)[:2] == (409, "booking-not-awaiting-host")


def test_nobody_decides_about_what_needs_no_decision(rental, by_approval):
    unpaid = by_approval.held()
    for of, booking in ((rental, rental.held()), (by_approval, unpaid)):
        answer = of.do(booking, "confirm", account=of.host, role="host")
        assert problem(answer)[:2] == (409, "booking-not-awaiting-host")


@pytest.mark.parametrize(
    ("policy", "days_before", "percent", "refund"),
    [
        ("flexible", 1, 100, 16_500),
        ("flexible", 0, 50, 8_250),
        ("moderate", 5, 100, 16_500),
        ("moderate", 4, 50, 8_250),
        ("moderate", 0, 0, 0),
        ("strict", 14, 100, 16_500),
        ("strict", 13, 50, 8_250),
        ("strict", 6, 0, 0),
    ],
)
def test_a_renter_who_cancels_gets_back_what_the_policy_says(
    client, conn, app, policy, days_before, percent, refund
):
    rental = Rental(client, conn, app, cancellation_policy=policy)
    start = date(2027, 6, 10)
    booking = rental.held(start=str(start), end=str(start + timedelta(days=3)))
    rental.pay(booking)
    rental.now = NOW + timedelta(days=21 - days_before)
    app.dependency_overrides[now] = lambda: rental.now
    terms = client.get(f"/v1/bookings/{booking}/cancellation", account=rental.renter).json()
    assert (terms["percent"], terms["refund"]) == (percent, refund)
    gone = rental.do(booking, "cancel").json()
    assert gone["status"] == "cancelled"
    assert (gone["payment"]["refunded"], gone["payment"]["refundDue"]) == (refund, 0)
    kept = 16_500 - refund
    ledger = {"renter": -kept, "host": kept - kept // 11, "marketplace": kept // 11}
    assert rental.ledger() == {account: cents for account, cents in ledger.items() if cents}


def test_a_host_who_cancels_gives_everything_back(client, conn, app):
    rental = Rental(client, conn, app, cancellation_policy="strict")
    booking = rental.held(start="2027-05-22", end="2027-05-24")
    rental.pay(booking)
    gone = rental.do(booking, "cancel", account=rental.host, role="host").json()
    assert gone["payment"]["refunded"] == gone["payment"]["captured"] > 0
    assert rental.ledger() == {}


def test_the_cleaning_fee_always_goes_back(client, conn, app):
    rental = Rental(client, conn, app, cleaning_fee_cents=3_000, cancellation_policy="strict")
    booking = rental.held(start="2027-05-22", end="2027-05-24")
    rental.pay(booking)
    assert rental.do(booking, "cancel").json()["payment"]["refunded"] == 3_000


def test_the_policy_is_that_of_the_day_of_booking(rental):
    booking = rental.held()
    rental.conn.execute("UPDATE vehicles SET cancellation_policy = 'strict'")
    assert rental.see(booking)["cancellationPolicy"] == "moderate"


def test_an_unpaid_hold_moves_freely_and_still_ends_when_it_would_have(rental):
    booking = rental.held()
    rental.now += timedelta(minutes=10)
    rental.app.dependency_overrides[now] = lambda: rental.now
    moved = rental.do(booking, "reschedule", {"start": "2027-06-02", "end": "2027-06-08"}).json()
    assert (moved["start"], moved["end"], moved["total"]) == ("2027-06-02", "2027-06-08", 33_000)
    assert moved["expiresAt"] == "2027-05-20T22:15:00Z"
    assert rental.pay(booking).json()["payment"]["captured"] == 33_000


def test_a_confirmed_booking_moves_to_cheaper_days_and_the_difference_goes_back(rental):
    booking = rental.held()
    rental.pay(booking)
    moved = rental.do(booking, "reschedule", {"start": "2027-06-03", "end": "2027-06-05"}).json()
    assert (moved["status"], moved["total"]) == ("confirmed", 11_000)
    assert moved["payment"]["refunded"] == 5_500
    dearer = rental.do(booking, "reschedule", {"start": "2027-06-03", "end": "2027-06-09"})
    assert problem(dearer)[:2] == (409, "reschedule-costs-more")
    gone = rental.do(booking, "cancel").json()
    assert gone["payment"]["refunded"] == 16_500


def test_moving_does_not_dodge_the_policy(rental):
    booking = rental.held(start="2027-05-23", end="2027-05-26")
    rental.pay(booking)
    answer = rental.do(booking, "reschedule", {"start": "2027-07-01", "end": "2027-07-04"})
    assert problem(answer)[:2] == (409, "booking-not-reschedulable")


def test_nobody_moves_onto_days_that_are_taken_or_moves_for_the_renter(rental):
    booking = rental.held()
    store_booking(rental.conn, rental.vehicle, date(2027, 6, 4), date(2027, 6, 6))
    body = {"start": "2027-06-02", "end": "2027-06-05"}
    assert problem(rental.do(booking, "reschedule", body))[:2] == (409, "vehicle-unavailable")
    host = rental.do(booking, "reschedule", body, account=rental.host, role="host")
    assert problem(host)[:2] == (403, "not-your-part")
    assert rental.see(booking)["start"] == "2027-06-01"


@pytest.mark.parametrize("taken", [False, True])
def test_money_that_comes_too_late_takes_the_days_again_or_is_let_go(rental, taken):
    booking = rental.held()
    rental.pay(booking, {})
    rental.later(minutes=15)
    # The provider could not be told in time: the renter's bank was quicker.
    rental.conn.execute("UPDATE payments SET status = 'open'")
    rental.conn.execute("UPDATE sandbox_intents SET status = 'authorised'")
    (intent,) = rental.conn.execute("SELECT id FROM sandbox_intents").fetchone()
    if taken:
        other = {"vehicleId": rental.vehicle, **DAYS}
        rental.client.post("/v1/bookings", other, account=store_account(rental.conn))
    event = ProviderEvent(
        "evt_1", "payment_intent.amount_capturable_updated", intent, None,
        intent=Intent(intent, PaymentStatus.AUTHORISED),
    )  # fmt: skip
    assert rental.client.portal.call(rental.app.state.cashier.take_in, event, rental.now) is True
    seen = rental.see(booking)
    if taken:
        assert (seen["status"], seen["payment"]["status"]) == ("expired", "voided")
        assert rental.ledger() == {}
    else:
        assert (seen["status"], seen["payment"]["status"]) == ("confirmed", "captured")
        assert rental.ledger() == {"renter": -16_500, "escrow": 16_500}


@pytest.mark.parametrize("taken", [False, True])
def test_money_that_was_taken_too_late_buys_the_days_or_goes_back(rental, taken):
    booking = rental.held()
    rental.pay(booking, {})
    rental.later(minutes=15)
    rental.conn.execute(
        "UPDATE sandbox_intents SET status = 'captured', captured_cents = amount_cents, charges = 1"
    )
    (intent,) = rental.conn.execute("SELECT id FROM sandbox_intents").fetchone()
    if taken:
        other = {"vehicleId": rental.vehicle, **DAYS}
        rental.client.post("/v1/bookings", other, account=store_account(rental.conn))
    event = ProviderEvent(
        "evt_1", "payment_intent.succeeded", intent, None,
        intent=Intent(intent, PaymentStatus.CAPTURED, 16_500),
    )  # fmt: skip
    for new in (True, False):
        taken_in = rental.client.portal.call(rental.app.state.cashier.take_in, event, rental.now)
        assert taken_in is new
    seen = rental.see(booking)
    assert seen["payment"]["captured"] == 16_500
    if taken:
        assert (seen["status"], seen["payment"]["refunded"]) == ("expired", 16_500)
        assert rental.ledger() == {}
    else:
        assert (seen["status"], seen["payment"]["refunded"]) == ("confirmed", 0)


def test_the_times_of_an_answer_are_utc(rental):
    assert datetime.fromisoformat(rental.hold().json()["expiresAt"]).tzinfo == UTC

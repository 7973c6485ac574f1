"""`Idempotency-Key`: whatever is sent again is done once, and answered alike."""

import pytest

from bookings import holds, idempotency
from tests.api.conftest import problem
from tests.factory import store_account, store_vehicle

KEY = {"Idempotency-Key": "8f14e45f"}
DAYS = {"start": "2027-06-01", "end": "2027-06-04"}


@pytest.fixture
def wish(conn):
    return {"vehicleId": store_vehicle(conn), **DAYS}


def count(conn, table="bookings"):
    return conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_fifty_at_once_with_one_key_make_one_booking(client, conn, wish):
    renter = store_account(conn)
    request = ("POST", "/v1/bookings", {"json": wish, "account": renter, "headers": KEY})
    answers = client.all_at_once([request] * 50)
    assert count(conn) == 1
    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [problem(answer)[:2] for answer in answers if answer.status_code != 201]
    assert made
    assert set(waiting) <= {(409, "idempotency-in-flight")}
    assert len({answer.json()["id"] for answer in made}) == 1


def test_the_same_request_gets_the_same_answer(client, conn, wish):
    renter = store_account(conn)
    first = client.post("/v1/bookings", wish, account=renter, headers=KEY)
    again = client.post("/v1/bookings", wish, account=renter, headers=KEY)
    assert (
        (again.status_code, again.json())
        == (first.status_code, first.json())
        == (
            201,
            first.json(),
        )
    )
    for header in ("location", "x-write-token"):
        assert again.headers[header] == first.headers[header]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert count(conn) == 1


def test_a_refusal_is_remembered_too_and_carries_the_id_of_its_own_request(client, conn, wish):
    client.post("/v1/bookings", wish, account=store_account(conn))
    renter = store_account(conn)
    first = client.post("/v1/bookings", wish, account=renter, headers=KEY)
    conn.execute("UPDATE bookings SET status = 'cancelled'")
    again = client.post("/v1/bookings", wish, account=renter, headers=KEY)
    assert problem(again) == problem(first) == (409, "vehicle-unavailable", {})
    assert again.json()["requestId"] != first.json()["requestId"]
    other_key = {"Idempotency-Key": "another"}
    assert client.post("/v1/bookings", wish, account=renter, headers=other_key).status_code == 201


def test_another_body_or_booking_under_the_same_key_is_422(client, conn, wish):
    renter = store_account(conn)
    client.post("/v1/bookings", wish, account=renter, headers=KEY)
    answer = client.post("/v1/bookings", wish | {"end": "2027-06-05"}, account=renter, headers=KEY)
    assert problem(answer)[:2] == (422, "idempotency-mismatch")
    assert count(conn) == 1
    client.post("/v1/bookings/1/pay", {}, account=renter, headers=KEY)
    answer = client.post("/v1/bookings/2/pay", {}, account=renter, headers=KEY)
    assert problem(answer)[:2] == (422, "idempotency-mismatch")


def test_a_key_is_of_one_account_and_one_route(client, conn, wish):
    one, other = store_account(conn), store_account(conn)
    booking = client.post("/v1/bookings", wish, account=one, headers=KEY).json()["id"]
    assert client.post("/v1/bookings", wish, account=other, headers=KEY).status_code == 409
    path = f"/v1/bookings/{booking}"
    paid = client.post(f"{path}/pay", {"paymentMethod": "pm_card_visa"}, account=one, headers=KEY)
    assert paid.json()["status"] == "confirmed"
    assert client.post(f"{path}/cancel", account=one, headers=KEY).json()["status"] == "cancelled"


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_is_1_to_255_visible_characters(client, conn, wish, key):
    headers = {"Idempotency-Key": key.encode()}
    answer = client.post("/v1/bookings", wish, account=store_account(conn), headers=headers)
    assert problem(answer)[:2] == (422, "invalid-request")


def test_what_was_not_understood_does_not_use_up_the_key(client, conn, wish):
    renter = store_account(conn)
    wrong = client.post("/v1/bookings", wish | {"start": "soon"}, account=renter, headers=KEY)
    assert wrong.status_code == 422
    assert client.post("/v1/bookings", wish, account=renter, headers=KEY).status_code == 201


def test_our_own_mistake_gives_the_key_up(client, conn, wish, monkeypatch):
    renter = store_account(conn)
    real = holds.hold

    async def broken(*args, **options):
        await real(*args, **options)
        raise RuntimeError

    monkeypatch.setattr(holds, "hold", broken)
    assert client.post("/v1/bookings", wish, account=renter, headers=KEY).status_code == 500
    assert (count(conn), count(conn, "idempotency_keys")) == (0, 0)
    monkeypatch.undo()
    assert client.post("/v1/bookings", wish, account=renter, headers=KEY).status_code == 201


def test_a_claim_that_a_dead_process_left_is_taken_over_after_its_minute(client, conn, wish):
    renter = store_account(conn)
    client.post("/v1/bookings", wish, account=renter, headers=KEY)
    conn.execute("DELETE FROM bookings")
    conn.execute("UPDATE idempotency_keys SET status = NULL, body = NULL, headers = NULL")
    early = client.post("/v1/bookings", wish, account=renter, headers=KEY)
    assert problem(early)[:2] == (409, "idempotency-in-flight")
    assert early.headers["retry-after"] == "1"
    conn.execute("UPDATE idempotency_keys SET leased_until = now() - interval '1 second'")
    assert client.post("/v1/bookings", wish, account=renter, headers=KEY).status_code == 201
    assert conn.execute("SELECT token FROM idempotency_keys").fetchone() == (2,)


def test_who_lost_the_claim_changes_nothing(client, conn, wish, monkeypatch):
    """The first worker was believed dead; when it comes to its commit, its work is taken back."""
    renter = store_account(conn)
    real = holds.hold

    async def slow(*args, **options):
        booking = await real(*args, **options)
        conn.execute("UPDATE idempotency_keys SET token = token + 1")
        return booking

    monkeypatch.setattr(holds, "hold", slow)
    answer = client.post("/v1/bookings", wish, account=renter, headers=KEY)
    assert problem(answer)[:2] == (409, "idempotency-in-flight")
    assert count(conn) == 0


def test_a_key_is_forgotten_after_24_hours(client, conn, wish):
    renter = store_account(conn)
    client.post("/v1/bookings", wish, account=renter, headers=KEY)
    conn.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    again = client.post("/v1/bookings", wish, account=renter, headers=KEY)
    assert problem(again)[:2] == (409, "vehicle-unavailable"), "a new request"
    conn.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    sessions = client.app.state.sessions
    assert client.portal.call(idempotency.tidy, sessions) == 1
    assert count(conn, "idempotency_keys") == 0


def test_pressing_pay_on_many_devices_charges_once(client, conn, wish):
    renter = store_account(conn)
    booking = client.post("/v1/bookings", wish, account=renter).json()["id"]
    body = {"paymentMethod": "pm_card_visa"}
    path = f"/v1/bookings/{booking}/pay"
    answers = client.all_at_once(
        [("POST", path, {"json": body, "account": renter})] * 10
        + [("POST", path, {"json": body, "account": renter, "headers": KEY})] * 10
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert client.get(f"/v1/bookings/{booking}", account=renter).json()["status"] == "confirmed"
    assert conn.execute("SELECT sum(charges), count(*) FROM sandbox_intents").fetchone() == (1, 1)

import re
from datetime import date, timedelta

import pytest

from accounts.tokens import sign_token
from tests.api.conftest import problem
from tests.factory import store_account, store_booking, store_vehicle

PRIVATE = [
    ("PATCH", "/v1/vehicles/1"),
    ("POST", "/v1/vehicles"),
    ("GET", "/v1/vehicles"),
    ("POST", "/v1/vehicles/1/list"),
    ("POST", "/v1/vehicles/1/unlist"),
    ("POST", "/v1/vehicles/1/archive"),
    ("GET", "/v1/vehicles/1/blocks"),
    ("POST", "/v1/vehicles/1/blocks"),
    ("DELETE", "/v1/vehicles/1/blocks/1"),
    ("POST", "/v1/vehicles/1/photos"),
    ("POST", "/v1/vehicles/1/photos/1/uploaded"),
    ("PUT", "/v1/vehicles/1/photos/order"),
    ("DELETE", "/v1/vehicles/1/photos/1"),
    ("POST", "/v1/bookings"),
    ("GET", "/v1/bookings"),
    ("GET", "/v1/bookings/1"),
    ("POST", "/v1/bookings/1/pay"),
    ("GET", "/v1/bookings/1/cancellation"),
    ("POST", "/v1/bookings/1/cancel"),
    ("POST", "/v1/bookings/1/reschedule"),
    ("POST", "/v1/bookings/1/confirm"),
    ("POST", "/v1/bookings/1/decline"),
    ("POST", "/v1/bookings/1/review"),
    ("GET", "/v1/bookings/1/review"),
    ("PUT", "/v1/reviews/1/reply"),
    ("DELETE", "/v1/reviews/1/reply"),
    ("POST", "/v1/reviews/1/report"),
    ("PUT", "/v1/reviews/1/hidden"),
    ("DELETE", "/v1/reviews/1/hidden"),
    ("GET", "/v1/admin/reviews"),
    ("GET", "/v1/bookings/1/messages"),
    ("POST", "/v1/bookings/1/messages"),
    ("PUT", "/v1/bookings/1/messages/read"),
    ("GET", "/v1/auth/me"),
    ("POST", "/v1/auth/2fa/setup"),
    ("POST", "/v1/auth/2fa/confirm"),
    ("POST", "/v1/auth/2fa/recovery-codes"),
    ("POST", "/v1/auth/2fa/disable"),
]
BODY = {"vehicleId": 1, "start": "2027-06-01", "end": "2027-06-04"}


def send(client, method, path, authorization=None):
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.request(method, path, headers=headers, json=BODY if method == "POST" else None)


def test_these_are_all_the_routes_that_openapi_says_need_a_token(app):
    secured = {
        (method.upper(), re.sub("{[a-zA-Z]+}", "1", path))
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") == [{"HTTPBearer": []}]
    }
    assert secured == set(PRIVATE)
    # Its host sees an unlisted vehicle; everybody else needs no token.
    vehicle = app.openapi()["paths"]["/v1/vehicles/{id}"]["get"]
    assert vehicle["security"] == [{"HTTPBearer": []}, {}]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
@pytest.mark.parametrize("authorization", [None, "Basic a2VhbGE6MTIz", "Bearer", "Bearer "])
def test_without_a_token_nothing_private_is_answered(client, method, path, authorization):
    answer = send(client, method, path, authorization)
    assert problem(answer) == (401, "not-signed-in", {})
    assert answer.headers["www-authenticate"] == 'Bearer realm="island-rides"'


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_a_tampered_token_is_refused(client, method, path):
    head, body, signature = client.token(1).split(".")
    swapped = "A" if signature[0] != "A" else "B"
    answer = send(client, method, path, f"Bearer {head}.{body}.{swapped}{signature[1:]}")
    assert problem(answer) == (401, "invalid-token", {})
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_somebody_elses_claims_under_my_signature_are_refused(client):
    mine, theirs = (client.token(account).split(".") for account in (1, 2))
    answer = send(client, "GET", "/v1/bookings", f"Bearer {mine[0]}.{theirs[1]}.{mine[2]}")
    assert problem(answer)[:2] == (401, "invalid-token")


def test_an_expired_token_is_refused_and_says_so(client):
    token = sign_token(1, "renter", secret=client.secret, ttl=timedelta(minutes=-1))
    answer = send(client, "GET", "/v1/bookings", f"Bearer {token}")
    assert problem(answer)[:2] == (401, "invalid-token")
    assert "expired" in answer.json()["detail"]


def test_a_token_of_an_account_that_is_gone_does_not_book(client, conn):
    vehicle = store_vehicle(conn)
    answer = client.post("/v1/bookings", BODY | {"vehicleId": vehicle}, account=2**40)
    assert problem(answer)[:2] == (401, "invalid-token")
    assert "sign in again" in answer.json()["detail"]


def test_a_bad_token_is_refused_even_where_none_is_needed(client, conn):
    path = f"/v1/vehicles/{store_vehicle(conn)}"
    assert send(client, "GET", path).status_code == 200
    assert problem(send(client, "GET", path, "Bearer nonsense"))[:2] == (401, "invalid-token")


def test_a_renters_list_never_has_bookings_of_others(client, conn):
    store_booking(conn, store_vehicle(conn), date(2027, 6, 1), date(2027, 6, 4))
    for as_ in ("renter", "host"):
        answer = client.get("/v1/bookings", params={"as": as_}, account=store_account(conn))
        assert answer.json()["items"] == []

"""Who may do what: a table of every operation, and a walk through it as everybody.

An operation that the table does not name fails the first test, so none is published without a word
on whose it is. A refusal is 404 where the object is nobody's business, 403 where it is and the
other side decides, and changes nothing.
"""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.factory import (
    insert,
    store_account,
    store_block,
    store_booking,
    store_review,
    store_vehicle,
)

# Whoever they are, and whether or not they are signed in.
PUBLIC = {
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/v1/search/vehicles"),
    ("GET", "/v1/search/suggest"),
    ("GET", "/v1/search/facet-values"),
    ("GET", "/v1/search/clusters"),
    ("GET", "/v1/vehicles/{id}/similar"),
    ("GET", "/v1/vehicles/{id}/availability"),
    ("GET", "/v1/vehicles/{id}/quote"),
    ("GET", "/v1/vehicles/{id}/reviews"),
    ("POST", "/v1/payments/webhook"),
    ("POST", "/v1/auth/register"),
    ("POST", "/v1/auth/verify-email"),
    ("POST", "/v1/auth/login"),
    ("POST", "/v1/auth/refresh-token"),
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/auth/password-reset"),
    ("POST", "/v1/auth/password-reset/confirm"),
    ("POST", "/v1/auth/2fa/verify"),
    ("GET", "/v1/auth/oauth"),
    ("POST", "/v1/auth/oauth/{provider}/start"),
    ("POST", "/v1/auth/oauth/{provider}/finish"),
}
# What is theirs and nobody else's: the token says whose, no address does.
OWN = {
    ("POST", "/v1/vehicles"),
    ("GET", "/v1/vehicles"),
    ("POST", "/v1/bookings"),
    ("GET", "/v1/bookings"),
    ("GET", "/v1/auth/me"),
    ("POST", "/v1/auth/2fa/setup"),
    ("POST", "/v1/auth/2fa/confirm"),
    ("POST", "/v1/auth/2fa/recovery-codes"),
    ("POST", "/v1/auth/2fa/disable"),
}
# Lists for admins alone.
ADMINS = {("GET", "/v1/admin/reviews")}
PEOPLE = ("nobody", "stranger", "other host", "renter", "host", "admin")
HOST, RENTER, BOTH = {"host", "admin"}, {"renter"}, {"renter", "host", "admin"}
TWO = {"renter", "host"}
LATER = {"start": "2027-08-01", "end": "2027-08-04"}
# Of an object: who may, with what body. The vehicle is unlisted, so only its host may see it.
OBJECTS: dict[tuple[str, str], tuple[set[str], Any]] = {
    ("GET", "/v1/vehicles/{id}"): (HOST, None),
    ("PATCH", "/v1/vehicles/{id}"): (HOST, {"minDays": 2}),
    ("POST", "/v1/vehicles/{id}/list"): (HOST, None),
    ("POST", "/v1/vehicles/{id}/unlist"): (HOST, None),
    ("POST", "/v1/vehicles/{id}/archive"): (HOST, None),
    ("GET", "/v1/vehicles/{id}/blocks"): (HOST, None),
    ("POST", "/v1/vehicles/{id}/blocks"): (HOST, LATER),
    ("DELETE", "/v1/vehicles/{id}/blocks/{blockId}"): (HOST, None),
    ("GET", "/v1/vehicles/{id}/photos"): (HOST, None),
    ("POST", "/v1/vehicles/{id}/photos"): (HOST, {"contentType": "image/jpeg", "bytes": 9}),
    ("POST", "/v1/vehicles/{id}/photos/{photoId}/uploaded"): (HOST, None),
    ("PUT", "/v1/vehicles/{id}/photos/order"): (HOST, {"ids": []}),
    ("DELETE", "/v1/vehicles/{id}/photos/{photoId}"): (HOST, None),
    ("GET", "/v1/bookings/{id}"): (BOTH, None),
    ("POST", "/v1/bookings/{id}/pay"): (RENTER, {"paymentMethod": "pm_card_visa"}),
    ("GET", "/v1/bookings/{id}/cancellation"): (BOTH, None),
    ("POST", "/v1/bookings/{id}/cancel"): (BOTH, None),
    ("POST", "/v1/bookings/{id}/reschedule"): (RENTER, LATER),
    ("POST", "/v1/bookings/{id}/confirm"): (HOST, None),
    ("POST", "/v1/bookings/{id}/decline"): (HOST, None),
    ("POST", "/v1/bookings/{id}/review"): (RENTER, {"rating": 5}),
    ("GET", "/v1/bookings/{id}/review"): (BOTH, None),
    ("PUT", "/v1/reviews/{id}/reply"): ({"host"}, {"body": "Thank you."}),
    ("DELETE", "/v1/reviews/{id}/reply"): (HOST, None),
    ("POST", "/v1/reviews/{id}/report"): (HOST, {"reason": "Spam."}),
    ("PUT", "/v1/reviews/{id}/hidden"): ({"admin"}, {"reason": "Spam."}),
    ("DELETE", "/v1/reviews/{id}/hidden"): ({"admin"}, None),
    # What two people write to each other is not an admin's either.
    ("GET", "/v1/bookings/{id}/messages"): (TWO, None),
    ("POST", "/v1/bookings/{id}/messages"): (TWO, {"clientId": str(UUID(int=1)), "body": "Hi"}),
    ("PUT", "/v1/bookings/{id}/messages/read"): (TWO, {"id": 1}),
}
WRITTEN = (
    *("vehicles", "bookings", "calendar_blocks", "photos", "photo_uploads", "payments"),
    *("reviews", "review_reports", "chats", "messages"),
)


def test_the_table_names_every_operation(app):
    published = {
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    assert published == PUBLIC | OWN | ADMINS | OBJECTS.keys()
    assert not PUBLIC & OWN
    assert not (PUBLIC | OWN | ADMINS) & OBJECTS.keys()


@pytest.fixture
def world(conn):
    """An unlisted vehicle with a hold, its review, a block and a photo on its way; and people."""
    people = {
        "stranger": (store_account(conn), "renter"),
        "other host": (store_vehicle_of_another(conn), "host"),
        "renter": (store_account(conn), "renter"),
        "host": (store_account(conn, "host"), "host"),
        "admin": (store_account(conn, "admin"), "admin"),
    }
    vehicle = store_vehicle(conn, host_id=people["host"][0], status="unlisted")
    booking = store_booking(
        conn,
        vehicle,
        date(2027, 6, 1),
        date(2027, 6, 4),
        renter_id=people["renter"][0],
        status="held",
    )
    block = store_block(conn, vehicle, date(2027, 7, 1), date(2027, 7, 4))
    photo = {"vehicle_id": vehicle, "content_type": "image/jpeg", "bytes": 9, "id": 1}
    ids = {"blockId": block, "photoId": insert(conn, "photo_uploads", photo)}
    # The renter's word on a rental that the table's other rows would not let be over.
    review = store_review(conn, vehicle, booking_id=booking, account_id=people["renter"][0])
    objects = {"/v1/vehicles": vehicle, "/v1/bookings": booking, "/v1/reviews": review}
    return people, objects, ids


def store_vehicle_of_another(conn) -> int:
    host = store_account(conn, "host")
    store_vehicle(conn, host_id=host)
    return host


def stored(conn) -> list[Any]:
    return [conn.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in WRITTEN]


@pytest.mark.parametrize("operation", OBJECTS, ids=" ".join)
@pytest.mark.parametrize("person", PEOPLE)
def test_only_whose_business_it_is(client, conn, world, person, operation):
    people, objects, ids = world
    method, path = operation
    allowed, body = OBJECTS[operation]
    resource = "/".join(path.split("/")[:3])
    address = path.format(id=objects[resource], **ids)
    options: dict[str, Any] = {"headers": {"If-Match": "*"} if method == "PATCH" else {}}
    if person in people:
        options["account"], options["role"] = people[person]
    before = stored(conn)
    answer = client.request(method, address, json=body, **options)
    if person in allowed:
        assert answer.status_code not in {401, 403, 404}, answer.text
        return
    if "security" in client.app.openapi()["paths"][path][method.lower()] and person == "nobody":
        assert answer.status_code in {401, 404}
    else:
        # To its renter and its host a booking exists, and so does its review: they are told that it
        # is the other's to do.
        parties = set() if resource == "/v1/vehicles" else {"renter", "host", "admin"}
        assert answer.status_code == (403 if person in parties else 404), answer.text
    assert stored(conn) == before


@pytest.mark.parametrize(("method", "path"), sorted(ADMINS), ids=str)
@pytest.mark.parametrize("person", PEOPLE)
def test_lists_for_admins_are_for_nobody_else(client, world, person, method, path):
    people, *_ = world
    account, role = people.get(person, (None, "renter"))
    signed_in = {} if account is None else {"account": account, "role": role}
    status = client.request(method, path, **signed_in).status_code
    assert status == {"nobody": 401, "admin": 200}.get(person, 403)


@pytest.mark.parametrize(
    ("method", "path"), sorted(each for each in OWN if each[0] == "GET"), ids=str
)
def test_lists_hold_ones_own_alone(client, world, method, path):
    people, objects, _ = world
    mine = {"/v1/vehicles": "host", "/v1/bookings": "renter"}.get(path)
    for person, (account, role) in people.items():
        answer = client.request(method, path, account=account, role=role).json()
        if mine is None:
            assert answer["id"] == account
        else:
            listed = {each["id"] for each in answer["items"]}
            assert (objects[path] in listed) == (person == mine)

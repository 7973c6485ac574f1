"""Reviews over HTTP: from a completed booking to the page, the host's reply, and moderation."""

import pytest

from tests.api.conftest import problem
from tests.bookings.conftest import day
from tests.factory import store_account, store_booking, store_report, store_review, store_vehicle

SAID = {"rating": 4, "title": " Spotless ", "body": "Started every morning.\r\n"}
KEY = {"Idempotency-Key": "5f1f2b7c"}


@pytest.fixture
def host(conn):
    return store_account(conn, "host")


@pytest.fixture
def renter(conn):
    return store_account(conn, display_name="Alex R.", email="alex@example.org")


@pytest.fixture
def admin(conn):
    return {"account": store_account(conn, "admin"), "role": "admin"}


@pytest.fixture
def vehicle(conn, host):
    return store_vehicle(conn, host_id=host)


@pytest.fixture
def path(conn, vehicle, renter):
    """Where the review of a booking that ended yesterday goes."""
    more = {"renter_id": renter, "status": "completed"}
    return f"/v1/bookings/{store_booking(conn, vehicle, day(-4), day(-1), **more)}/review"


def page(client, vehicle):
    return client.get(f"/v1/vehicles/{vehicle}/reviews").json()["items"]


def to_moderate(client, admin, show):
    listed = client.get(f"/v1/admin/reviews?show={show}", **admin).json()
    return [each["id"] for each in listed["items"]]


def rated(client, vehicle):
    shown = client.get(f"/v1/vehicles/{vehicle}").json()
    return shown["rating"], shown["reviewCount"]


def test_a_review_is_shown_and_counts_at_once(client, vehicle, renter, path):
    answer = client.post(path, SAID, account=renter)
    assert answer.status_code == 201
    assert answer.headers["location"] == path
    assert answer.headers["x-write-token"]
    written = answer.json()
    assert written | {"id": 0, "createdAt": ""} == {
        "id": 0,
        "vehicleId": vehicle,
        "bookingId": int(path.split("/")[3]),
        "rating": 4.0,
        "title": "Spotless",
        "body": "Started every morning.",
        "author": "Alex R.",
        "reply": None,
        "hidden": None,
        "createdAt": "",
    }
    own = ("vehicleId", "bookingId", "hidden")
    public = {name: value for name, value in written.items() if name not in own}
    assert page(client, vehicle) == [public]
    assert "example.org" not in client.get(f"/v1/vehicles/{vehicle}/reviews").text
    assert rated(client, vehicle) == (4.0, 1)
    assert client.get(path, account=renter).json() == written


def test_stars_are_enough(client, renter, path):
    answer = client.post(path, {"rating": 5}, account=renter)
    assert (answer.json()["title"], answer.json()["body"]) == ("", "")


def test_the_second_one_is_refused(client, vehicle, renter, path):
    client.post(path, SAID, account=renter)
    again = client.post(path, SAID | {"rating": 1}, account=renter)
    assert problem(again) == (409, "already-reviewed", {})
    assert rated(client, vehicle) == (4.0, 1)


def test_the_same_request_is_carried_out_once_and_answered_alike(client, conn, renter, path):
    request = ("POST", path, {"json": SAID, "account": renter, "headers": KEY})
    answers = client.all_at_once([request] * 10)
    made = [answer for answer in answers if answer.status_code == 201]
    assert made
    waiting = {problem(answer)[:2] for answer in answers if answer.status_code != 201}
    assert waiting <= {(409, "idempotency-in-flight")}
    again = client.post(path, SAID, account=renter, headers=KEY)
    assert (again.status_code, again.json()) == (201, made[0].json())
    assert again.headers["x-write-token"] == made[0].headers["x-write-token"]
    assert conn.execute("SELECT count(*) FROM reviews").fetchone() == (1,)


def test_two_at_once_without_a_key_make_one_review(client, conn, renter, path):
    answers = client.all_at_once([("POST", path, {"json": SAID, "account": renter})] * 2)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert conn.execute("SELECT count(*) FROM reviews").fetchone() == (1,)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"rating": 0}, "/rating"),
        ({"rating": 6}, "/rating"),
        ({"rating": 4.5}, "/rating"),
        ({"rating": "5"}, "/rating"),
        ({"rating": None}, "/rating"),
        ({"title": " "}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"body": "x" * 5_001}, "/body"),
        ({"body": "\0"}, "/body"),
        ({"hidden": False}, "/hidden"),
    ],
)
def test_what_is_wrong_is_named(client, conn, renter, path, wrong, pointer):
    status, code, errors = problem(client.post(path, SAID | wrong, account=renter))
    assert (status, code, [*errors]) == (422, "invalid-request", [pointer])
    assert conn.execute("SELECT count(*) FROM reviews").fetchone() == (0,)


def test_who_may_not(client, conn, vehicle, host, renter, path):
    assert problem(client.post(path, SAID, account=host, role="host"))[:2] == (403, "not-your-part")
    assert problem(client.post(path, SAID, account=store_account(conn)))[:2] == (
        404,
        "booking-not-found",
    )
    active = store_booking(conn, vehicle, day(-1), day(2), renter_id=renter, status="active")
    answer = client.post(f"/v1/bookings/{active}/review", SAID, account=renter)
    assert problem(answer)[:2] == (409, "booking-not-reviewable")
    over = {"renter_id": renter, "status": "completed"}
    old = store_booking(conn, vehicle, day(-30), day(-15), **over)
    answer = client.post(f"/v1/bookings/{old}/review", SAID, account=renter)
    assert problem(answer)[:2] == (409, "review-window-over")
    none = client.get(path, account=renter)
    assert problem(none)[:2] == (404, "review-not-found")


def test_a_host_replies_below_the_review(client, vehicle, host, renter, path):
    review = client.post(path, SAID, account=renter).json()["id"]
    reply = f"/v1/reviews/{review}/reply"
    for body in ("Thank you.", "Thank you, come back!"):
        answer = client.put(reply, {"body": f" {body}\n"}, account=host, role="host")
        assert answer.headers["x-write-token"]
        (shown,) = page(client, vehicle)
        assert shown["reply"] == answer.json()["reply"]
        assert shown["reply"]["body"] == body
    taken = client.delete(reply, account=host, role="host")
    assert (taken.status_code, page(client, vehicle)[0]["reply"]) == (204, None)
    assert client.delete(reply, account=host, role="host").status_code == 204


@pytest.mark.parametrize("body", ["", " \n", "x" * 2_001])
def test_a_reply_says_something_and_not_too_much(client, conn, host, vehicle, body):
    path = f"/v1/reviews/{store_review(conn, vehicle)}/reply"
    answer = client.put(path, {"body": body}, account=host, role="host")
    assert problem(answer)[0] == 422


def test_a_hidden_review_leaves_page_rating_and_count(
    client, conn, vehicle, host, renter, admin, path
):
    kept = store_review(conn, vehicle, 500)
    review = client.post(path, SAID | {"rating": 1}, account=renter).json()["id"]
    assert rated(client, vehicle) == (3.0, 2)
    answer = client.put(f"/v1/reviews/{review}/hidden", {"reason": "Names people."}, **admin)
    assert answer.headers["x-write-token"]
    assert answer.json()["hidden"]["reason"] == "Names people."
    assert [each["id"] for each in page(client, vehicle)] == [kept]
    assert rated(client, vehicle) == (5.0, 1)
    for party in ({"account": renter}, {"account": host, "role": "host"}):
        assert client.get(path, **party).json()["hidden"] == answer.json()["hidden"]

    shown = client.delete(f"/v1/reviews/{review}/hidden", **admin)
    assert (shown.status_code, "x-write-token" in shown.headers) == (204, True)
    assert {each["id"] for each in page(client, vehicle)} == {kept, review}
    assert rated(client, vehicle) == (3.0, 2)


def test_reports_come_before_an_admin_who_decides(client, conn, vehicle, host, admin):
    review, other = store_review(conn, vehicle), store_review(conn, vehicle)
    store_report(conn, other, host, "I disagree.")
    reporter = store_account(conn)
    for reason in ("Spam.", "Spam, I said."):
        answer = client.post(f"/v1/reviews/{review}/report", {"reason": reason}, account=reporter)
        assert answer.status_code == 204
    listed = client.get("/v1/admin/reviews?limit=1", **admin).json()
    assert [each["id"] for each in listed["items"]] == [other]
    more = client.get(f"/v1/admin/reviews?cursor={listed['nextCursor']}", **admin).json()
    assert (more["hasMore"], [each["id"] for each in more["items"]]) == (False, [review])
    (report,) = more["items"][0]["reports"]
    assert (report["accountId"], report["reason"]) == (reporter, "Spam.")
    strange = client.get(f"/v1/admin/reviews?show=all&cursor={listed['nextCursor']}", **admin)
    assert problem(strange)[:2] == (400, "invalid-cursor")

    client.put(f"/v1/reviews/{review}/hidden", {"reason": "Spam."}, **admin)
    client.delete(f"/v1/reviews/{other}/hidden", **admin)
    found = {show: to_moderate(client, admin, show) for show in ("reported", "hidden", "all")}
    assert found == {"reported": [], "hidden": [review], "all": [other, review]}


def test_a_report_of_what_one_may_not_see_is_no_report(client, conn, host):
    unlisted = store_vehicle(conn, host_id=host, status="unlisted")
    review = store_review(conn, unlisted)
    for number in (review, 2**40):
        answer = client.post(
            f"/v1/reviews/{number}/report", {"reason": "Spam."}, account=store_account(conn)
        )
        assert problem(answer)[:2] == (404, "review-not-found")


def test_a_token_of_an_account_that_is_gone_reports_nothing(client, conn, vehicle):
    review = store_review(conn, vehicle)
    answer = client.post(f"/v1/reviews/{review}/report", {"reason": "Spam."}, account=2**40)
    assert problem(answer)[:2] == (401, "invalid-token")

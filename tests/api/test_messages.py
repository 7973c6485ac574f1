"""The chat of a booking over HTTP."""

from uuid import uuid4

import pytest

from bookings.chat import RATE
from tests.api.conftest import problem
from tests.api.talking import Two
from tests.factory import store_account


@pytest.fixture
def two(conn):
    return Two(conn)


@pytest.fixture
def path(two):
    return f"/v1/bookings/{two.booking}/messages"


def said(body="Aloha", client_id=None):
    return {"clientId": client_id or str(uuid4()), "body": body}


def ids(page):
    return [each["id"] for each in page["items"]]


def test_the_other_side_reads_what_was_written(client, two, path):
    sent = said("  Where is the key?\r\nI am here.\n")
    stored = client.post(path, sent, account=two.renter_id)
    assert stored.status_code == 201
    message = stored.json()
    assert message | {"sentAt": ""} == {
        "id": 1,
        "sender": "renter",
        "body": "Where is the key?\nI am here.",
        "sentAt": "",
        "clientId": sent["clientId"],
    }
    page = client.get(path, account=two.host_id).json()
    assert page == {"items": [message], "unread": 1, "hasMore": False, "nextCursor": None}


@pytest.mark.parametrize(
    ("query", "pages"),
    [({}, [[5, 4], [3, 2], [1]]), ({"since": 0}, [[1, 2], [3, 4], [5]]), ({"since": 4}, [[5]])],
)
def test_pages_follow_their_cursor_in_either_direction(client, two, path, query, pages):
    for _ in range(5):
        client.post(path, said(), account=two.renter_id)
    got, cursor = [], {}
    while cursor is not None:
        page = client.get(path, params={"limit": 2} | query | cursor, account=two.host_id).json()
        got.append(ids(page))
        cursor = {"cursor": page["nextCursor"]} if page["hasMore"] else None
    assert got == pages


def test_a_cursor_does_not_change_direction(client, two, path):
    for _ in range(2):
        client.post(path, said(), account=two.renter_id)
    page = client.get(path, params={"limit": 1}, account=two.host_id).json()
    turned = {"since": 0, "cursor": page["nextCursor"]}
    answer = client.get(path, params=turned, account=two.host_id)
    assert problem(answer)[:2] == (400, "invalid-cursor")


def test_what_was_read_is_not_unread(client, two, path):
    for _ in range(3):
        client.post(path, said(), account=two.renter_id)
    marked = client.request("PUT", f"{path}/read", json={"id": 2}, account=two.host_id)
    assert marked.status_code == 204
    assert client.get(path, account=two.host_id).json()["unread"] == 1
    assert client.get(path, account=two.renter_id).json()["unread"] == 0


def test_a_message_is_stored_once_and_its_id_is_good_for_one_text(client, two, path):
    sent = said()
    answers = [client.post(path, sent, account=two.renter_id) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    other = client.post(path, said("Mahalo", sent["clientId"]), account=two.renter_id)
    assert problem(other)[:2] == (409, "client-id-used")
    assert ids(client.get(path, account=two.host_id).json()) == [1]


def test_all_at_once_it_is_stored_once_with_a_key_too(client, two, path):
    sent, headers = said(), {"Idempotency-Key": "k"}
    options = {"json": sent, "account": two.renter_id, "headers": headers}
    answers = client.all_at_once([("POST", path, options)] * 8)
    assert {each.status_code for each in answers} <= {201, 409}
    again = client.post(path, sent, account=two.renter_id, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["id"] == 1
    assert ids(client.get(path, account=two.host_id).json()) == [1]


def test_who_writes_too_much_may_send_the_same_again_later(client, conn, two, path):
    for _ in range(RATE):
        client.post(path, said(), account=two.renter_id)
    sent, key = said(), {"Idempotency-Key": "k"}
    refused = client.post(path, sent, account=two.renter_id, headers=key)
    assert problem(refused)[:2] == (429, "too-many-messages")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    conn.execute("UPDATE messages SET sent_at = sent_at - interval '1 minute'")
    later = client.post(path, sent, account=two.renter_id, headers=key)
    assert later.json()["id"] == RATE + 1


def test_a_chat_that_has_ended_can_be_read(client, conn, two, path):
    client.post(path, said(), account=two.renter_id)
    conn.execute(
        "UPDATE bookings SET status = 'completed', updated_at = now() - interval '15 days'"
    )
    assert problem(client.post(path, said(), account=two.host_id))[:2] == (409, "chat-ended")
    assert ids(client.get(path, account=two.host_id).json()) == [1]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"body": ""}, "/body"),
        ({"body": " \n"}, "/body"),
        ({"body": "x" * 2001}, "/body"),
        ({"body": "a\0b"}, "/body"),
        ({"clientId": "7"}, "/clientId"),
        ({"text": "x"}, "/text"),
    ],
)
def test_a_wrong_message_is_refused(client, two, path, wrong, pointer):
    answer = client.post(path, said() | wrong, account=two.renter_id)
    assert (problem(answer)[:2], list(problem(answer)[2])) == ((422, "invalid-request"), [pointer])


def test_an_admin_is_told_that_it_is_not_theirs(client, conn, two, path):
    answer = client.get(path, account=store_account(conn, "admin"), role="admin")
    assert problem(answer)[:2] == (403, "not-your-part")

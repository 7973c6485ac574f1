"""The way of a photo as a client goes it: ask, upload, report, look again."""

import shutil
from urllib.parse import urlsplit

import psycopg
import pytest

from bookings.photo_work import IMMUTABLE, Worker
from runtime.cdn import NoCdn
from runtime.object_store import open_store
from tests.api.conftest import problem
from tests.bookings.pictures import noise, picture
from tests.factory import store_account, store_vehicle

LONG_S = 60


@pytest.fixture
def host(conn, settings):
    # Ids begin anew with every test, so what is stored under them must, too.
    shutil.rmtree(settings.media_dir, ignore_errors=True)
    return store_account(conn, "host")


@pytest.fixture
def path(conn, host):
    return f"/v1/vehicles/{store_vehicle(conn, host_id=host)}/photos"


def ask(client, host, path, content, content_type="image/jpeg"):
    body = {"contentType": content_type, "bytes": len(content)}
    answer = client.post(path, body, account=host)
    assert answer.status_code == 201, answer.text
    return answer.json()


def send(client, upload, content, **headers):
    """What the object store gets: no token, and no contract of ours."""
    requests = [
        (
            upload["method"],
            urlsplit(upload["url"]).path,
            {"content": content, "headers": upload["headers"] | headers},
        )
    ]
    (answer,) = client.portal.call(client._send, requests)
    return answer


def work(conn, settings):
    return Worker(conn, open_store(settings), NoCdn()).work(LONG_S)


def add(client, conn, settings, host, path, content=None):
    content = picture() if content is None else content
    photo = ask(client, host, path, content)
    assert send(client, photo["upload"], content).status_code == 200
    reported = client.post(f"{path}/{photo['id']}/uploaded", account=host)
    assert reported.json()["status"] == "processing"
    work(conn, settings)
    return photo["id"]


def test_a_photo_goes_from_asked_for_to_seen_by_everybody(client, conn, settings, host, path):
    content = noise(2000, 1500)
    assert len(content) > 64 * 1024  # more than any other body may have
    photo = ask(client, host, path, content)
    assert photo["status"] == "pending"
    assert photo["upload"]["expiresAt"] == "2027-05-20T22:15:00Z"
    assert client.get(path).json() == {"items": []}
    (seen,) = client.get(path, account=host).json()["items"]
    assert (seen["id"], seen["status"]) == (photo["id"], "pending")

    assert send(client, photo["upload"], content).status_code == 200
    for _ in range(2):  # saying so again changes nothing
        reported = client.post(f"{path}/{photo['id']}/uploaded", account=host)
        assert reported.json()["status"] == "processing"
    work(conn, settings)

    (shown,) = client.get(path).json()["items"]
    base = "http://127.0.0.1:8000/media/photos/"
    assert (shown["id"], shown["status"], shown["reason"]) == (photo["id"], "ready", None)
    sizes = [(each["width"], each["height"]) for each in shown["variants"]]
    assert sizes == [(320, 240), (800, 600), (1600, 1200)]
    assert all(each["url"].startswith(base) for each in shown["variants"])
    assert shown["url"] == shown["variants"][1]["url"]
    detail = client.get(path.removesuffix("/photos")).json()
    assert detail["photos"] == [shown["url"]]
    again = client.post(f"{path}/{photo['id']}/uploaded", account=host)
    assert again.json() == shown


def test_a_stored_photo_is_served_for_ever_and_an_upload_never(client, conn, settings, host, path):
    photo = add(client, conn, settings, host, path)
    (shown,) = client.get(path).json()["items"]
    served = send(client, {"method": "GET", "url": shown["url"], "headers": {}}, b"")
    assert (served.status_code, served.headers["content-type"]) == (200, "image/webp")
    assert served.headers["cache-control"] == IMMUTABLE
    assert served.content.startswith(b"RIFF")
    for hidden in (f"/media/uploads/{photo}", "/media/photos/../uploads/1", "/media/photos/9/x"):
        gone = send(client, {"method": "GET", "url": hidden, "headers": {}}, b"")
        assert gone.status_code == 404


def test_a_refused_photo_says_why_to_its_host_only(client, conn, settings, host, path):
    add(client, conn, settings, host, path, b"<svg/>")
    (refused,) = client.get(path, account=host).json()["items"]
    assert refused["status"] == "refused"
    assert refused["reason"] == "The file is not image/jpeg."
    assert client.get(path).json() == {"items": []}
    assert client.delete(f"{path}/{refused['id']}", account=host).status_code == 204
    assert client.get(path, account=host).json() == {"items": []}


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"contentType": "image/gif"}, "/contentType"),
        ({"contentType": "text/html"}, "/contentType"),
        ({"bytes": 0}, "/bytes"),
        ({"bytes": 15_000_001}, "/bytes"),
        ({"bytes": "7"}, "/bytes"),
        ({"key": "photos/1/x.webp"}, "/key"),
    ],
)
def test_what_is_no_photo_is_not_even_asked_for(client, host, path, wrong, pointer):
    body = {"contentType": "image/jpeg", "bytes": 1} | wrong
    assert list(problem(client.post(path, body, account=host))[2]) == [pointer]


def test_an_address_takes_what_it_was_made_for_and_nothing_else(client, host, path):
    content = picture()
    upload = ask(client, host, path, content)["upload"]
    longer = send(client, upload, content + b"x")
    assert problem(longer)[:2] == (400, "another-upload")
    other = send(client, upload, content, **{"Content-Type": "text/html"})
    assert problem(other)[:2] == (400, "another-upload")
    made_up = send(client, upload | {"url": upload["url"] + "x"}, content)
    assert problem(made_up)[:2] == (403, "upload-not-granted")


def test_photos_are_put_in_order_and_the_first_is_the_cover(client, conn, settings, host, path):
    first, second, third = (
        add(client, conn, settings, host, path, picture(400, 300 + n)) for n in range(3)
    )
    conn.execute("DELETE FROM search_dirty")
    ordered = client.request(
        "PUT", f"{path}/order", json={"ids": [third, first, second]}, account=host
    )
    assert [each["id"] for each in ordered.json()["items"]] == [third, first, second]
    shown = client.get(path).json()
    assert shown == ordered.json()
    assert (
        client.get("/v1/vehicles", account=host).json()["items"][0]["photoUrl"]
        == (shown["items"][0]["url"])
    )
    assert conn.execute("SELECT count(*) > 0 FROM search_dirty").fetchone() == (True,)
    for wrong in ([first, second], [first, second, second], [first, second, third, 99], []):
        refused = client.request("PUT", f"{path}/order", json={"ids": wrong}, account=host)
        assert problem(refused)[:2] == (409, "photos-changed")


def test_a_removed_photo_is_gone_at_once_and_its_files_follow(client, conn, settings, host, path):
    photo, kept = (add(client, conn, settings, host, path) for _ in range(2))
    assert client.delete(f"{path}/{photo}", account=host).status_code == 204
    assert [each["id"] for each in client.get(path).json()["items"]] == [kept]
    again = client.delete(f"{path}/{photo}", account=host)
    assert problem(again)[:2] == (404, "photo-not-found")
    store = open_store(settings)
    assert len(store.keys(f"photos/{photo}/")) == 3
    work(conn, settings)
    assert store.keys(f"photos/{photo}/") == []
    assert len(store.keys(f"photos/{kept}/")) == 3


def test_a_photo_at_its_source_is_shown_and_can_be_put_in_order_and_removed(client, conn, host):
    vehicle = store_vehicle(
        conn, host_id=host, photos=["https://x.example/1.jpg", "https://x.example/2.jpg"]
    )
    path = f"/v1/vehicles/{vehicle}/photos"
    one, two = client.get(path).json()["items"]
    assert (one["url"], one["variants"]) == ("https://x.example/1.jpg", [])
    body = {"ids": [two["id"], one["id"]]}
    assert client.request("PUT", f"{path}/order", json=body, account=host).status_code == 200
    assert client.delete(f"{path}/{two['id']}", account=host).status_code == 204
    assert client.get(path).json()["items"] == [one]
    assert conn.execute("SELECT count(*) FROM photo_uploads").fetchone() == (0,)


def test_a_vehicle_has_at_most_20_photos_those_on_their_way_included(client, conn, host):
    vehicle = store_vehicle(
        conn, host_id=host, photos=[f"https://x.example/{n}.jpg" for n in range(19)]
    )
    path = f"/v1/vehicles/{vehicle}/photos"
    last = ask(client, host, path, b"x")
    full = client.post(path, {"contentType": "image/png", "bytes": 1}, account=host)
    assert problem(full)[:2] == (409, "too-many")
    client.delete(f"{path}/{last['id']}", account=host)
    assert ask(client, host, path, b"x")


def test_photos_are_their_hosts_and_of_admins(client, conn, settings, host, path):
    photo = add(client, conn, settings, host, path)
    stranger = store_account(conn, "host")
    other = f"/v1/vehicles/{store_vehicle(conn, host_id=stranger)}/photos"
    for method, sub, body in (
        ("POST", "", {"contentType": "image/png", "bytes": 1}),
        ("POST", f"/{photo}/uploaded", None),
        ("PUT", "/order", {"ids": [photo]}),
        ("DELETE", f"/{photo}", None),
    ):
        options = {"json": body} if body else {}
        refused = client.request(method, path + sub, account=stranger, role="host", **options)
        assert problem(refused)[:2] == (404, "vehicle-not-found")
        assert problem(client.request(method, path + sub, **options))[0] == 401
    for method, sub in (("POST", f"/{photo}/uploaded"), ("DELETE", f"/{photo}")):
        elsewhere = client.request(method, other + sub, account=stranger, role="host")
        assert problem(elsewhere)[:2] == (404, "photo-not-found")
    assert client.delete(f"{path}/{photo}", account=99, role="admin").status_code == 204


def test_one_update_can_put_all_into_another_order_but_none_twice(conn):
    vehicle = store_vehicle(conn, photos=["a", "b"])
    conn.execute("UPDATE photos SET position = 1 - position")
    with pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("UPDATE photos SET position = 0 WHERE vehicle_id = %s", [vehicle])

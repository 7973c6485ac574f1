"""The whole way: a host offers a vehicle, a renter finds it, and not where it must not be found."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from accounts.tokens import sign_token
from bookings.photo_work import Worker
from runtime.cdn import NoCdn
from runtime.object_store import open_store
from tests.bookings.pictures import picture
from tests.conftest import SECRET
from tests.factory import store_account

RAV4 = {
    "make": "toyota",
    "model": "RAV4",
    "year": 2021,
    "dailyRate": 5_000,
    "currency": "USD",
    "timeZone": "Pacific/Honolulu",
    "location": {"lat": 19.7074, "lon": -155.0885, "city": "Hilo", "region": "HI", "country": "US"},
}
START = datetime.now(UTC).date() + timedelta(days=30)
DATES = {"start": START.isoformat(), "end": (START + timedelta(days=3)).isoformat()}


@pytest.fixture
def send(market):
    """A request of a new account's; its answer, searchable."""
    token = sign_token(store_account(market.conn), "renter", secret=SECRET)

    def request(method, path, json=None, **headers):
        headers |= {"Authorization": f"Bearer {token}"}
        answer = market.api.request(method, path, json=json, headers=headers)
        assert answer.is_success, answer.text
        market.drain()
        return answer

    return request


def test_from_an_offer_to_a_find_and_back(market, settings, send):
    created = send("POST", "/v1/vehicles", RAV4)
    vehicle, path = created.json()["id"], created.headers["location"]
    after = {"after": created.headers["x-write-token"]}
    page = market.search(make="Toyota", city="Hilo", **after)
    assert [item["id"] for item in page["items"]] == [vehicle]
    assert page["meta"]["afterSatisfied"] is True
    assert page["items"][0]["photoUrl"] is None

    content = picture(1600, 1200)
    asked = {"contentType": "image/jpeg", "bytes": len(content)}
    photo = send("POST", f"{path}/photos", asked).json()
    upload = photo["upload"]
    sent = market.api.put(urlsplit(upload["url"]).path, content=content, headers=upload["headers"])
    assert sent.status_code == 200
    send("POST", f"{path}/photos/{photo['id']}/uploaded")
    assert Worker(market.conn, open_store(settings), NoCdn()).work(60) == 1
    market.drain()
    (item,) = market.search(**DATES)["items"]
    assert item["photoUrl"] == market.api.get(f"{path}/photos").json()["items"][0]["url"]
    section = {"bbox": "-156,19,-154,20", "zoom": 9, **DATES}
    assert market.api.get("/v1/search/clusters", params=section).json()["items"] == [item]
    assert market.api.get(urlsplit(item["photoUrl"]).path).headers["content-type"] == "image/webp"

    edited = send("PATCH", path, {"dailyRate": 9_900}, **{"If-Match": created.headers["etag"]})
    assert edited.json()["dailyRate"] == 9_900
    assert market.search(priceMax=8_000)["items"] == []
    assert market.ids(priceMin=9_000) == [vehicle]

    block = send("POST", f"{path}/blocks", DATES).json()
    assert market.ids(**DATES) == []
    assert market.search(**DATES)["total"] == {"value": 0, "exact": True}
    assert market.ids() == [vehicle]
    send("DELETE", f"{path}/blocks/{block['id']}")
    assert market.ids(**DATES) == [vehicle]

    send("POST", f"{path}/unlist")
    assert market.ids() == []
    send("POST", f"{path}/list")
    assert market.ids() == [vehicle]
    send("POST", f"{path}/archive")
    assert market.ids() == []


def test_what_was_just_blocked_is_on_no_page_though_the_index_has_it(market, send):
    vehicle, other = market.store({}, {})
    market.conn.execute(
        "INSERT INTO calendar_blocks (vehicle_id, during) VALUES (%s, daterange(%s, %s))",
        [vehicle, DATES["start"], DATES["end"]],
    )
    assert market.ids(**DATES) == [other]
    assert sorted(market.ids()) == [vehicle, other]

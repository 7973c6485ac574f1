"""What hosts do with their vehicles over HTTP."""

import pytest

from tests.api.conftest import problem
from tests.bookings.conftest import day
from tests.factory import store_account, store_booking, store_vehicle

RAV4 = {
    "make": "toyota",
    "model": "RAV4",
    "year": 2021,
    "dailyRate": 5_000,
    "currency": "USD",
    "timeZone": "Pacific/Honolulu",
}


@pytest.fixture
def host(conn):
    return store_account(conn, "host", display_name="Keala")


def create(client, host, **more):
    answer = client.post("/v1/vehicles", RAV4 | more, account=host, role="host")
    assert answer.status_code == 201, answer.text
    return answer


def edit(client, host, answer, patch, **headers):
    """Change the vehicle of an answer, from the state that it showed."""
    path = f"/v1/vehicles/{answer.json()['id']}"
    headers = {"If-Match": answer.headers["etag"]} | headers
    return client.patch(path, patch, account=host, headers=headers)


def test_a_created_vehicle_is_listed_and_shown_as_it_was_described(client, host):
    answer = create(
        client,
        host,
        description="  Clean.\r\nReady. ",
        body="suv",
        fuel="gasoline",
        transmission="AUTOMATIC",
        seats=5,
        doors=5,
        mileageKm=42_000,
        features=["heated seats", "A surf rack", "Heated  Seats"],
        weeklyDiscountPct=10,
        monthlyDiscountPct=25,
        cleaningFee=2_500,
        minDays=2,
        maxDays=30,
        noticeDays=1,
        instantBook=False,
        cancellationPolicy="strict",
        location={
            "lat": 19.7074,
            "lon": -155.0885,
            "city": "hilo",
            "region": "HI",
            "country": "US",
        },
    )
    vehicle = answer.json()
    assert vehicle | {"id": 0, "listedAt": ""} == {
        "id": 0,
        "status": "listed",
        "title": "2021 Toyota RAV4",
        "description": "Clean.\nReady.",
        "make": "Toyota",
        "model": "RAV4",
        "year": 2021,
        "body": "SUV",
        "fuel": "Petrol",
        "transmission": "Automatic",
        "seats": 5,
        "doors": 5,
        "mileageKm": 42_000,
        "features": ["A surf rack", "Heated seats"],
        "photos": [],
        "dailyRate": 5_000,
        "currency": "USD",
        "weeklyDiscountPct": 10,
        "monthlyDiscountPct": 25,
        "cleaningFee": 2_500,
        "minDays": 2,
        "maxDays": 30,
        "noticeDays": 1,
        "instantBook": False,
        "cancellationPolicy": "strict",
        "rating": None,
        "reviewCount": 0,
        "trips": 0,
        "location": {
            "lat": 19.7074,
            "lon": -155.0885,
            "city": "Hilo",
            "region": "Hawaii",
            "country": "United States",
        },
        "timeZone": "Pacific/Honolulu",
        "host": {"id": host, "name": "Keala"},
        "listedAt": "",
    }
    again = client.get(answer.headers["location"])
    assert (again.json(), again.headers["etag"]) == (vehicle, answer.headers["etag"])


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"make": "chevy", "model": "Bolt"}, ("Chevrolet", "Bolt")),
        ({"make": "mercedes", "model": "380sl"}, ("Mercedes-Benz", "380SL")),
        ({"make": "bmw", "model": "3 series"}, ("BMW", "3 Series")),
        ({"make": " Hoonigan  Works ", "model": None}, ("Hoonigan Works", None)),
        ({"make": "Bu\u0308ssing", "model": "Ae\u0301ro"}, ("B\u00fcssing", "A\u00e9ro")),
    ],
)
def test_makes_and_models_are_spelled_as_an_import_spells_them(client, host, given, shown):
    vehicle = create(client, host, **given).json()
    assert (vehicle["make"], vehicle["model"]) == shown


def test_the_first_vehicle_makes_a_renter_a_host(client, conn):
    renter, admin = store_account(conn, "renter"), store_account(conn, "admin")
    assert create(client, renter).json()["host"]["id"] == renter
    create(client, admin)
    roles = dict(conn.execute("SELECT id, role FROM accounts").fetchall())
    assert roles == {renter: "host", admin: "admin"}


def test_without_an_account_there_is_nothing_to_host(client, conn):
    assert problem(client.post("/v1/vehicles", RAV4))[:2] == (401, "not-signed-in")
    gone = client.post("/v1/vehicles", RAV4, account=4711)
    assert problem(gone)[:2] == (401, "invalid-token")
    assert conn.execute("SELECT count(*) FROM vehicles").fetchone() == (0,)


@pytest.mark.parametrize(
    "field",
    ["id", "status", "hostId", "host", "host_id", "source", "trips", "rating", "importedRating"],
)
def test_what_is_not_the_hosts_to_set_is_refused(client, conn, host, field):
    pointer = f"/{field}"
    created = client.post("/v1/vehicles", RAV4 | {field: "unlisted"}, account=host)
    assert problem(created)[:2] == (422, "invalid-request")
    assert problem(created)[2][pointer].startswith("unknown field; the fields are make, model")
    mine = create(client, host)
    changed = edit(client, host, mine, {field: "unlisted"})
    assert problem(changed)[2][pointer].startswith("unknown field")
    assert client.get(mine.headers["location"]).json() == mine.json()


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"make": "  "}, "/make"),
        ({"make": "--"}, "/make"),
        ({"make": "Toy\u0000ota"}, "/make"),
        ({"title": "x" * 201}, "/title"),
        ({"description": "x" * 20_001}, "/description"),
        ({"description": "\u0007"}, "/description"),
        ({"body": "spaceship"}, "/body"),
        ({"fuel": "hay"}, "/fuel"),
        ({"transmission": "psychic"}, "/transmission"),
        ({"features": ["GPS", ""]}, "/features/1"),
        ({"features": ["GPS"] * 101}, "/features"),
        ({"dailyRate": 50.0}, "/dailyRate"),
        ({"dailyRate": "5000"}, "/dailyRate"),
        ({"currency": "usd"}, "/currency"),
        ({"instantBook": 1}, "/instantBook"),
        ({"cancellationPolicy": "none"}, "/cancellationPolicy"),
        ({"minDays": 8, "maxDays": 7}, "/maxDays"),
        ({"timeZone": "Honolulu"}, "/timeZone"),
        ({"timeZone": "localtime"}, "/timeZone"),
        ({"location": {"lat": 19.7}}, "/location/lon"),
        ({"location": {"lon": 19.7}}, "/location/lon"),
        ({"location": {"lat": 91, "lon": 0}}, "/location/lat"),
        ({"location": {"street": "Kamehameha Avenue"}}, "/location/street"),
        ({"location": None}, "/location"),
    ],
)
def test_what_cannot_be_is_refused_by_field(client, conn, host, wrong, pointer):
    answer = client.post("/v1/vehicles", RAV4 | wrong, account=host)
    assert problem(answer)[:2] == (422, "invalid-request")
    assert list(problem(answer)[2]) == [pointer]
    assert conn.execute("SELECT count(*) FROM vehicles").fetchone() == (0,)


def test_a_change_leaves_alone_what_it_does_not_name(client, host):
    before = create(client, host, location={"city": "Hilo"}, features=["GPS"], seats=5)
    patch = {"dailyRate": 6_000, "seats": None, "location": {"country": "US"}, "features": ["ABS"]}
    after = edit(client, host, before, patch)
    assert after.status_code == 200
    assert after.json() == before.json() | {
        "dailyRate": 6_000,
        "seats": None,
        "features": ["ABS"],
        "location": before.json()["location"] | {"country": "United States"},
    }
    assert client.get(before.headers["location"]).json() == after.json()


def test_null_takes_a_value_back_to_what_it_is_without(client, host):
    before = create(client, host, weeklyDiscountPct=10, title="Mine", location={"city": "Hilo"})
    after = edit(
        client, host, before, {"weeklyDiscountPct": None, "title": None, "location": None}
    ).json()
    assert (after["weeklyDiscountPct"], after["title"]) == (0, "2021 Toyota RAV4")
    assert after["location"]["city"] is None
    refused = edit(client, host, client.get(before.headers["location"]), {"make": None})
    assert problem(refused) == (422, "invalid-request", {"/make": "Field required"})


def test_a_merge_patch_may_say_so_in_its_type(client, host):
    before = create(client, host)
    kind = {"Content-Type": "application/merge-patch+json"}
    assert edit(client, host, before, {"seats": 7}, **kind).json()["seats"] == 7


def test_a_rule_between_fields_holds_for_what_comes_out(client, host):
    before = create(client, host, minDays=3, maxDays=7)
    wrong = problem(edit(client, host, before, {"maxDays": 2}))
    assert wrong == (422, "invalid-request", {"/maxDays": "must not be less than minDays"})
    assert edit(client, host, before, {"minDays": 1, "maxDays": 2}).status_code == 200


def test_a_change_from_an_older_state_is_refused_and_nothing_is_lost(client, host):
    read_by_two = create(client, host)
    first = edit(client, host, read_by_two, {"dailyRate": 6_000})
    second = edit(client, host, read_by_two, {"dailyRate": 7_000})
    assert problem(second)[:2] == (412, "changed-meanwhile")
    assert second.headers["etag"] == first.headers["etag"]
    assert client.get(read_by_two.headers["location"]).json()["dailyRate"] == 6_000
    third = edit(client, host, first, {"dailyRate": 7_000})
    assert third.json()["dailyRate"] == 7_000


def test_of_a_crowd_that_edits_one_state_one_does(client, host):
    state = create(client, host)
    path, options = state.headers["location"], {"headers": {"If-Match": state.headers["etag"]}}
    for rate in range(3):
        requests = [
            ("PATCH", path, {"json": {"dailyRate": 6_000 + 100 * rate + n}, "account": host})
            for n in range(8)
        ]
        answers = client.all_at_once([(m, p, body | options) for m, p, body in requests])
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
        winner = next(answer for answer in answers if answer.status_code == 200)
        shown = client.get(path)
        assert shown.json() == winner.json()
        options = {"headers": {"If-Match": shown.headers["etag"]}}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE vehicles SET daily_rate_cents = 5001",
        "UPDATE vehicles SET status = 'unlisted'",
        "UPDATE vehicles SET lat = 19.707401, lon = 0",
        "DELETE FROM vehicle_features",
    ],
)
def test_the_state_changes_whoever_changed_it(client, conn, host, change):
    """An import, say, or a psql prompt: neither knows of ETags."""
    state = create(client, host, features=["GPS"], location={"lat": 19.7074, "lon": 0})
    conn.execute(change)
    assert problem(edit(client, host, state, {"seats": 7}))[:2] == (412, "changed-meanwhile")


def test_what_renters_do_does_not_change_the_state(client, conn, host):
    state = create(client, host)
    store_booking(conn, state.json()["id"], day(1), day(4))
    assert edit(client, host, state, {"seats": 7}).status_code == 200


def test_without_a_condition_nothing_is_changed_and_a_star_overwrites(client, host):
    state = create(client, host)
    path = state.headers["location"]
    bare = client.patch(path, {"seats": 7}, account=host)
    assert problem(bare)[:2] == (428, "precondition-required")
    several = edit(
        client, host, state, {"seats": 6}, **{"If-Match": f'"x", {state.headers["etag"]}'}
    )
    assert several.json()["seats"] == 6
    assert edit(client, host, state, {"seats": 7}, **{"If-Match": "*"}).json()["seats"] == 7


def test_a_change_that_changes_nothing_is_not_indexed(client, conn, host):
    state = create(client, host, features=["GPS"], location={"lat": 19.7074, "lon": -155.0885})
    conn.execute("DELETE FROM search_dirty")
    same = edit(client, host, state, {"make": "TOYOTA", "features": ["gps"]})
    assert (same.status_code, same.headers["etag"]) == (200, state.headers["etag"])
    assert conn.execute("SELECT count(*) FROM search_dirty").fetchone() == (0,)


def test_a_vehicle_is_its_hosts_and_of_admins_only(client, conn, host):
    mine = create(client, host)
    path = mine.headers["location"]
    other = store_account(conn, "host")
    for method, sub, body in (
        ("PATCH", "", {"seats": 7}),
        ("POST", "/list", None),
        ("POST", "/unlist", None),
        ("POST", "/archive", None),
    ):
        options = {"json": body} if body else {}
        options["headers"] = {"If-Match": "*"}
        stranger = client.request(method, path + sub, account=other, role="host", **options)
        assert problem(stranger)[:2] == (404, "vehicle-not-found")
        assert problem(client.request(method, path + sub, **options))[0] == 401
        admin = client.request(method, path + sub, account=99, role="admin", **options)
        assert admin.status_code == 200


def test_an_unlisted_vehicle_keeps_its_bookings_and_can_be_listed_again(client, conn, host):
    mine = create(client, host)
    path, vehicle = mine.headers["location"], mine.json()["id"]
    booking = store_booking(conn, vehicle, day(3), day(5))
    for _ in range(2):  # the second time is no change
        answer = client.post(f"{path}/unlist", account=host)
        assert (answer.status_code, answer.json()["status"]) == (200, "unlisted")
    assert problem(client.get(path))[:2] == (404, "vehicle-not-found")
    assert client.get(f"/v1/bookings/{booking}", account=host).json()["status"] == "confirmed"
    assert client.post(f"{path}/list", account=host).json() == mine.json()
    assert client.get(path).status_code == 200


def test_a_vehicle_is_archived_once_its_bookings_have_ended_and_kept_for_them(client, conn, host):
    mine = create(client, host)
    path, vehicle = mine.headers["location"], mine.json()["id"]
    store_booking(conn, vehicle, day(-4), day(0))
    booked = store_booking(conn, vehicle, day(0), day(1))
    refused = client.post(f"{path}/archive", account=host)
    assert problem(refused)[:2] == (409, "vehicle-has-bookings")
    conn.execute("UPDATE bookings SET status = 'cancelled' WHERE id = %s", [booked])
    for _ in range(2):
        assert client.post(f"{path}/archive", account=host).json()["status"] == "archived"
    assert client.get(f"/v1/bookings/{booked}", account=host).status_code == 200
    assert client.get(path, account=host).json()["status"] == "archived"
    for method, sub, body in (
        ("PATCH", "", {"seats": 7}),
        ("POST", "/list", None),
        ("POST", "/unlist", None),
        ("POST", "/blocks", {"start": "2027-06-01", "end": "2027-06-02"}),
        ("DELETE", "/blocks/1", None),
        ("POST", "/photos", {"contentType": "image/png", "bytes": 1}),
        ("PUT", "/photos/order", {"ids": []}),
        ("POST", "/photos/1/uploaded", None),
        ("DELETE", "/photos/1", None),
    ):
        options = {"json": body} if body else {}
        answer = client.request(
            method, path + sub, account=host, headers={"If-Match": "*"}, **options
        )
        assert problem(answer)[:2] == (409, "vehicle-archived"), sub


def test_a_host_lists_own_vehicles_of_every_status_newest_first(client, conn, host):
    ids = [
        store_vehicle(conn, host_id=host, status=status)
        for status in ("listed", "unlisted", "archived", "listed")
    ]
    store_vehicle(conn)
    conn.execute(
        "INSERT INTO photos (vehicle_id, position, url) VALUES (%s, 0, 'https://x.example/1.jpg')",
        [ids[0]],
    )
    page = client.get("/v1/vehicles", account=host, params={"limit": 3}).json()
    assert [each["id"] for each in page["items"]] == ids[:0:-1]
    rest = client.get(
        "/v1/vehicles", account=host, params={"limit": 3, "cursor": page["nextCursor"]}
    ).json()
    assert rest["items"] == [
        {
            "id": ids[0],
            "status": "listed",
            "title": "2021 Toyota RAV4",
            "dailyRate": 5_000,
            "currency": "USD",
            "photoUrl": "https://x.example/1.jpg",
            "listedAt": rest["items"][0]["listedAt"],
        }
    ]
    assert problem(client.get("/v1/vehicles"))[:2] == (401, "not-signed-in")
    stolen = client.get("/v1/vehicles", account=99, params={"cursor": page["nextCursor"]})
    assert problem(stolen)[:2] == (400, "invalid-cursor")


def test_kept_days_are_taken_for_renters_until_they_are_given_back(client, conn, host):
    path = create(client, host).headers["location"]
    days = {"start": "2027-06-03", "end": "2027-06-05"}
    kept = client.post(f"{path}/blocks", days | {"note": "Service"}, account=host)
    assert (kept.status_code, kept.json()) == (201, {"id": 1, "note": "Service"} | days)
    listed = client.get(f"{path}/blocks", account=host).json()
    assert listed == {"items": [kept.json()]}
    window = {"from": "2027-06-01", "to": "2027-06-10"}
    assert client.get(f"{path}/availability", params=window).json()["taken"] == [days]
    wish = days | {"vehicleId": int(path.rpartition("/")[2])}
    renter = store_account(conn)
    refused = client.post("/v1/bookings", wish, account=renter)
    assert problem(refused)[:2] == (409, "vehicle-unavailable")
    given_back = client.delete(f"{path}/blocks/1", account=host)
    assert given_back.status_code == 204
    assert problem(client.delete(f"{path}/blocks/1", account=host))[:2] == (404, "block-not-found")
    assert client.post("/v1/bookings", wish, account=renter).status_code == 201
    refused = client.post(f"{path}/blocks", days, account=host)
    assert problem(refused)[:2] == (409, "days-not-free")


def test_blocks_are_refused_by_field(client, host):
    path = create(client, host).headers["location"] + "/blocks"
    for body, pointer in (
        ({"start": "2027-06-03", "end": "2027-06-03"}, "/end"),
        ({"start": "2027-05-01", "end": "2027-05-20"}, "/end"),
        ({"start": "2027-06-03", "end": "soon"}, "/end"),
        ({"start": "2027-06-03", "end": "2027-06-05", "note": "x" * 201}, "/note"),
    ):
        assert list(problem(client.post(path, body, account=host))[2]) == [pointer]


def test_every_write_answers_with_a_token_to_search_after(client, host):
    created = create(client, host)
    path = created.headers["location"]
    days = {"start": "2027-06-03", "end": "2027-06-05"}
    answers = [
        created,
        edit(client, host, created, {"seats": 7}),
        client.post(f"{path}/unlist", account=host),
        client.post(f"{path}/list", account=host),
        client.post(f"{path}/blocks", days, account=host),
        client.delete(f"{path}/blocks/1", account=host),
        client.post(f"{path}/archive", account=host),
    ]
    tokens = [answer.headers["x-write-token"] for answer in answers]
    assert len(set(tokens)) == len(answers)

import json
from datetime import date

import pytest

from api.direct import DirectBodyRoute
from bookings import holds
from tests.api.conftest import problem
from tests.factory import store_account, store_booking, store_vehicle

START, END = date(2027, 6, 1), date(2027, 6, 4)


def wish(vehicle, start="2027-06-01", end="2027-06-04"):
    return {"vehicleId": vehicle, "start": start, "end": end}


def test_booking_answers_201_with_the_booking_and_where_it_is(client, conn):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    answer = client.post("/v1/bookings", wish(vehicle), account=renter)
    assert answer.status_code == 201
    booking = answer.json()
    assert booking | {"id": 1, "createdAt": ""} == {
        "id": 1,
        "vehicleId": vehicle,
        "status": "held",
        "start": "2027-06-01",
        "end": "2027-06-04",
        "days": 3,
        "total": 16_500,
        "currency": "USD",
        "lines": [
            {"code": "rental", "label": "3 days", "amount": 15_000},
            {"code": "service-fee", "label": "Service fee", "amount": 1_500},
        ],
        "cancellationPolicy": "moderate",
        "needsApproval": False,
        "expiresAt": "2027-05-20T22:15:00Z",
        "payment": None,
        "createdAt": "",
    }
    again = client.get(answer.headers["location"], account=renter)
    assert (again.status_code, again.json()) == (200, booking)


@pytest.fixture
def solved(client, monkeypatch):
    """The bodies for which FastAPI solves what a hold depends on."""
    solved = []
    given = DirectBodyRoute._given

    async def watched(self, request):
        found = await given(self, request)
        if found is None:
            solved.append(await request.body())
        return found

    monkeypatch.setattr(DirectBodyRoute, "_given", watched)
    return solved


@pytest.mark.parametrize(
    ("media", "directly"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/vnd.rides+json", False),
    ],
)
def test_a_hold_is_the_same_with_fastapi_before_it_and_without(
    client, conn, solved, media, directly
):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    body, headers = json.dumps(wish(vehicle)), {"Content-Type": media, "Idempotency-Key": "1"}
    request = {"content": body, "headers": headers, "account": renter}
    held = client.post("/v1/bookings", **request)
    assert (held.status_code, held.json()["total"]) == (201, 16_500)
    again = client.post("/v1/bookings", **request)
    assert again.headers["idempotency-replayed"] == "true"
    assert solved == ([] if directly else [body.encode()] * 2)


def test_the_total_is_the_one_that_was_quoted(client, conn):
    vehicle = store_vehicle(conn, weekly_discount_pct=15, cleaning_fee_cents=3_333)
    days = {"start": "2027-06-01", "end": "2027-06-10"}
    quoted = client.get(f"/v1/vehicles/{vehicle}/quote", params=days).json()["total"]
    booked = client.post("/v1/bookings", wish(vehicle, **days), account=store_account(conn))
    assert booked.json()["total"] == quoted


def test_taken_days_are_409_vehicle_unavailable(client, conn):
    vehicle = store_vehicle(conn)
    store_booking(conn, vehicle, START, END)
    answer = client.post("/v1/bookings", wish(vehicle), account=store_account(conn))
    assert problem(answer) == (409, "vehicle-unavailable", {})


def test_of_a_crowd_at_once_one_books_and_the_others_are_told(client, conn):
    vehicle = store_vehicle(conn)
    crowd = [store_account(conn) for _ in range(16)]
    for month in ("06", "07", "08"):
        body = wish(vehicle, f"2027-{month}-01", f"2027-{month}-04")
        answers = client.all_at_once(
            [("POST", "/v1/bookings", {"json": body, "account": each}) for each in crowd]
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    (booked,) = conn.execute("SELECT count(*) FROM bookings").fetchone()
    assert booked == 3


def test_the_booking_is_there_for_everybody_once_it_is_answered(client, conn):
    vehicle = store_vehicle(conn)
    answer = client.post("/v1/bookings", wish(vehicle), account=store_account(conn))
    stored = conn.execute("SELECT id FROM bookings").fetchall()
    assert stored == [(answer.json()["id"],)]


@pytest.fixture
def failing_commit(conn):
    """Every booking is accepted by INSERT and refused by COMMIT."""
    conn.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$
    """)
    conn.execute("""
        CREATE CONSTRAINT TRIGGER refuse_at_commit AFTER INSERT ON bookings
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()
    """)
    yield
    conn.execute("DROP FUNCTION refuse CASCADE")


@pytest.mark.usefixtures("failing_commit")
def test_nobody_is_told_201_before_the_commit_succeeded(client, conn):
    answer = client.post("/v1/bookings", wish(store_vehicle(conn)), account=store_account(conn))
    assert problem(answer) == (500, "internal-error", {})
    assert conn.execute("SELECT count(*) FROM bookings").fetchone() == (0,)


def test_a_refused_booking_leaves_nothing(client, conn):
    vehicle = store_vehicle(conn, min_days=7)
    conn.execute("DELETE FROM search_dirty")
    answer = client.post("/v1/bookings", wish(vehicle), account=store_account(conn))
    assert problem(answer) == (
        422,
        "invalid-dates",
        {"/end": "must be at least 7 days after start for this vehicle"},
    )
    assert conn.execute("SELECT count(*) FROM search_dirty").fetchone() == (0,)


def test_an_unknown_vehicle_is_404_vehicle_not_found(client, conn):
    answer = client.post("/v1/bookings", wish(2**53 - 1), account=store_account(conn))
    assert problem(answer)[:2] == (404, "vehicle-not-found")


def test_a_host_is_refused_the_hosts_own_vehicle(client, conn):
    host = store_account(conn, "host")
    vehicle = store_vehicle(conn, host_id=host)
    answer = client.post("/v1/bookings", wish(vehicle), account=host, role="host")
    assert problem(answer)[:2] == (403, "own-vehicle")


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"vehicleId": "7"}, "/vehicleId", "valid integer"),
        ({"vehicleId": 7.0}, "/vehicleId", "valid integer"),
        ({"vehicleId": True}, "/vehicleId", "valid integer"),
        ({"vehicleId": 0}, "/vehicleId", "greater than or equal to 1"),
        ({"vehicleId": 2**53}, "/vehicleId", "less than or equal"),
        ({"start": "01/06/2027"}, "/start", "YYYY-MM-DD"),
        ({"start": "2027-06-01T00:00:00"}, "/start", "YYYY-MM-DD"),
        ({"start": 1_811_808_000}, "/start", "YYYY-MM-DD"),
        ({"start": "1811808000"}, "/start", "YYYY-MM-DD"),
        ({"start": None}, "/start", "YYYY-MM-DD"),
        ({"end": "2027-02-30"}, "/end", "day value is outside expected range"),
        ({"end": "9999-12-31"}, "/end", "2000 to 2999"),
        ({"end": "2027-06-01"}, "/end", "must be after start"),
        ({"end": "2028-06-04"}, "/end", "at most 365 days after start"),
        ({"start": "2027-05-19"}, "/start", "must be 2027-05-20 or later"),
        (
            {"promo": 1},
            "/promo",
            "unknown field; the fields are vehicleId, start, end, quote, amount",
        ),
        ({"vehicle_id": 1}, "/vehicle_id", "unknown field"),
        ({"a/b~c": 1}, "/a~1b~0c", "unknown field"),
    ],
)
def test_what_is_wrong_with_a_body_is_named_by_json_pointer(client, conn, change, pointer, message):
    vehicle = store_vehicle(conn)
    answer = client.post("/v1/bookings", wish(vehicle) | change, account=store_account(conn))
    status, code, wrong = problem(answer)
    assert (status, list(wrong)) == (422, [pointer])
    assert code in {"invalid-request", "invalid-dates"}
    assert message in wrong[pointer]


def test_everything_that_is_missing_is_named_at_once(client, conn):
    answer = client.post("/v1/bookings", {}, account=store_account(conn))
    assert list(problem(answer)[2]) == ["/vehicleId", "/start", "/end"]


def test_renter_host_and_admin_see_a_booking(client, conn):
    host, renter = store_account(conn, "host"), store_account(conn)
    booking = store_booking(conn, store_vehicle(conn, host_id=host), START, END, renter_id=renter)
    for account, role in ((renter, "renter"), (host, "host"), (99, "admin")):
        answer = client.get(f"/v1/bookings/{booking}", account=account, role=role)
        assert (answer.status_code, answer.json()["id"]) == (200, booking)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel")])
def test_to_strangers_it_does_not_exist(client, conn, method, path):
    booking = store_booking(conn, store_vehicle(conn), START, END)
    for account, role in (
        (store_account(conn), "renter"),
        (store_account(conn, "host"), "host"),
    ):
        answer = client.request(method, f"/v1/bookings/{booking}{path}", account=account, role=role)
        assert problem(answer) == (404, "booking-not-found", {})
    assert conn.execute("SELECT status FROM bookings").fetchone() == ("confirmed",)


def test_cancelling_frees_the_days_and_may_be_repeated(client, conn):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    booking = client.post("/v1/bookings", wish(vehicle), account=renter).json()
    path = f"/v1/bookings/{booking['id']}/cancel"
    first = client.post(path, account=renter)
    assert (first.status_code, first.json()) == (
        200,
        booking | {"status": "cancelled", "expiresAt": None},
    )
    again = client.post(path, account=renter)
    assert (again.status_code, again.json()) == (200, first.json())
    other = client.post("/v1/bookings", wish(vehicle), account=store_account(conn))
    assert other.status_code == 201


def test_a_booking_that_has_begun_is_409_booking_not_cancellable(client, conn):
    renter = store_account(conn)
    booking = store_booking(
        conn, store_vehicle(conn), START, END, renter_id=renter, status="active"
    )
    answer = client.post(f"/v1/bookings/{booking}/cancel", account=renter)
    assert problem(answer) == (409, "booking-not-cancellable", {})


def test_my_bookings_come_newest_first_in_pages(client, conn):
    host, renter = store_account(conn, "host"), store_account(conn)
    vehicle = store_vehicle(conn, host_id=host)
    stored = [
        store_booking(
            conn, vehicle, START.replace(day=n), START.replace(day=n + 1), renter_id=renter
        )
        for n in range(1, 6)
    ]
    store_booking(conn, store_vehicle(conn), START, END)
    for account, role in ((renter, "renter"), (host, "host")):
        seen, cursor = [], {}
        while True:
            page = client.get(
                "/v1/bookings",
                params={"as": role, "limit": 2} | cursor,
                account=account,
                role=role,
            ).json()
            seen += [booking["id"] for booking in page["items"]]
            assert page["hasMore"] == (page["nextCursor"] is not None)
            if not page["hasMore"]:
                break
            cursor = {"cursor": page["nextCursor"]}
        assert seen == stored[::-1]


def test_a_cursor_of_another_list_or_account_is_refused(client, conn):
    renter = store_account(conn)
    for offset in (1, 5):
        days = START.replace(day=offset), END.replace(day=offset + 3)
        store_booking(conn, store_vehicle(conn), *days, renter_id=renter)
    page = client.get("/v1/bookings", params={"limit": 1}, account=renter).json()
    cursor = {"cursor": page["nextCursor"]}
    other_list = client.get("/v1/bookings", params=cursor | {"as": "host"}, account=renter)
    other_account = client.get("/v1/bookings", params=cursor, account=store_account(conn))
    for answer in (other_list, other_account):
        assert problem(answer)[:2] == (400, "invalid-cursor")


FAIL = """
    DO $$ BEGIN
        IF nextval('attempts') <= {times} THEN
            RAISE EXCEPTION 'victim' USING ERRCODE = '{code}';
        END IF;
    END $$
"""


@pytest.fixture
def failing(conn, monkeypatch):
    """Make the database abort the first so many attempts of a booking, as they insert."""

    def fail(times, code):
        conn.execute("CREATE SEQUENCE IF NOT EXISTS attempts")
        conn.execute("ALTER SEQUENCE attempts RESTART")
        monkeypatch.setattr(holds, "_LOCK", FAIL.format(times=times, code=code))

    return fail


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_the_victim_of_a_deadlock_tries_three_times_more(client, conn, failing, code, headers):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    failing(3, code)
    answer = client.post("/v1/bookings", wish(vehicle), account=renter, headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
def test_and_not_for_ever(client, conn, failing, headers):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    failing(4, "40P01")
    answer = client.post("/v1/bookings", wish(vehicle), account=renter, headers=headers)
    assert problem(answer)[:2] == (503, "database-unavailable")
    assert "victim" not in answer.text
    again = client.post("/v1/bookings", wish(vehicle), account=renter, headers=headers)
    assert again.status_code == 201


def test_a_restarted_database_is_not_noticed(client, conn):
    vehicle, renter = store_vehicle(conn), store_account(conn)
    assert client.post("/v1/bookings", wish(vehicle), account=renter).status_code == 201
    conn.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    later = wish(vehicle, start="2027-07-01", end="2027-07-04")
    assert client.post("/v1/bookings", later, account=renter).status_code == 201

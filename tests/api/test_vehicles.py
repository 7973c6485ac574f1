from datetime import UTC, date, datetime, timedelta

import pytest

from tests.api.conftest import problem
from tests.factory import store_account, store_booking, store_review, store_vehicle


def test_a_vehicle_shows_everything_public(client, conn):
    host = store_account(conn, "host", display_name="Keala")
    vehicle = store_vehicle(
        conn,
        host_id=host,
        features=["Heated seats", "Bluetooth"],
        photos=["https://example.com/front.jpg", "https://example.com/back.jpg"],
        listed_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        mileage_km=42_000,
        weekly_discount_pct=10,
        cleaning_fee_cents=2_500,
    )
    store_review(conn, vehicle, 500)
    store_review(conn, vehicle, 450)
    answer = client.get(f"/v1/vehicles/{vehicle}")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": vehicle,
        "status": "listed",
        "title": "2021 Toyota RAV4",
        "description": "Clean and ready for the island.",
        "make": "Toyota",
        "model": "RAV4",
        "year": 2021,
        "body": "SUV",
        "fuel": "Petrol",
        "transmission": "Automatic",
        "seats": 5,
        "doors": 5,
        "mileageKm": 42_000,
        "features": ["Bluetooth", "Heated seats"],
        "photos": ["https://example.com/front.jpg", "https://example.com/back.jpg"],
        "dailyRate": 5_000,
        "currency": "USD",
        "weeklyDiscountPct": 10,
        "monthlyDiscountPct": 0,
        "cleaningFee": 2_500,
        "minDays": 1,
        "maxDays": 365,
        "noticeDays": 0,
        "instantBook": True,
        "cancellationPolicy": "moderate",
        "rating": 4.75,
        "reviewCount": 2,
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
        "listedAt": "2026-03-01T09:00:00Z",
    }


def test_what_a_listing_does_not_say_is_null(client, conn):
    unsaid = dict.fromkeys(["model", "year", "body", "fuel", "seats", "doors", "lat", "lon"])
    shown = client.get(f"/v1/vehicles/{store_vehicle(conn, **unsaid)}").json()
    assert shown["title"] == "Toyota"
    assert (shown["model"], shown["year"], shown["rating"]) == (None, None, None)
    assert (shown["location"]["lat"], shown["location"]["city"]) == (None, "Hilo")


@pytest.mark.parametrize(
    "imported",
    [
        {},
        {"imported_rating": 480, "imported_review_count": 7},
        {"imported_rating": 433},
        {"imported_review_count": 3},
    ],
)
@pytest.mark.parametrize("ratings", [[], [500], [100, 333, 450]])
def test_title_rating_and_count_are_those_that_search_shows(client, conn, imported, ratings):
    vehicle = store_vehicle(conn, model=None, **imported)
    for rating in ratings:
        store_review(conn, vehicle, rating)
    title, rating, count = conn.execute(
        "SELECT title, rating, review_count FROM vehicle_documents"
    ).fetchone()
    shown = client.get(f"/v1/vehicles/{vehicle}").json()
    assert (shown["title"], shown["reviewCount"]) == (title, count)
    assert shown["rating"] == (None if rating is None else rating / 100)


@pytest.mark.parametrize("status", ["unlisted", "archived"])
def test_one_that_is_not_listed_is_for_its_host_and_admins(client, conn, status):
    host = store_account(conn, "host")
    path = f"/v1/vehicles/{store_vehicle(conn, host_id=host, status=status)}"
    assert problem(client.get(path)) == (404, "vehicle-not-found", {})
    stranger = client.get(path, account=store_account(conn, "host"), role="host")
    assert problem(stranger)[:2] == (404, "vehicle-not-found")
    for account, role in ((host, "host"), (99, "admin")):
        assert client.get(path, account=account, role=role).json()["status"] == status


@pytest.mark.parametrize("wrong", ["0", "-1", "1.0", "seven", "1_000", "%201", str(2**53)])
def test_an_id_is_a_whole_number(client, wrong):
    assert list(problem(client.get(f"/v1/vehicles/{wrong}"))[2]) == ["id"]


@pytest.mark.parametrize("sub", ["", "/availability", "/reviews"])
def test_a_vehicle_that_does_not_exist_is_404(client, sub):
    assert problem(client.get(f"/v1/vehicles/7{sub}")) == (404, "vehicle-not-found", {})


def test_availability_cuts_the_window_into_taken_and_free(client, conn):
    vehicle = store_vehicle(conn, notice_days=1)
    store_booking(conn, vehicle, date(2027, 6, 3), date(2027, 6, 5))
    window = {"from": "2027-06-01", "to": "2027-06-10"}
    answer = client.get(f"/v1/vehicles/{vehicle}/availability", params=window)
    assert answer.json() == {
        "vehicleId": vehicle,
        "from": "2027-06-01",
        "to": "2027-06-10",
        "taken": [{"start": "2027-06-03", "end": "2027-06-05"}],
        "free": [
            {"start": "2027-06-01", "end": "2027-06-03"},
            {"start": "2027-06-05", "end": "2027-06-10"},
        ],
        "timeZone": "Pacific/Honolulu",
        "earliestStart": "2027-05-21",
    }


def test_availability_is_of_the_next_90_days_unless_asked(client, conn):
    shown = client.get(f"/v1/vehicles/{store_vehicle(conn)}/availability").json()
    assert (shown["from"], shown["to"]) == ("2027-05-20", "2027-08-18")


def test_a_window_that_cannot_be_is_refused_by_parameter(client, conn):
    path = f"/v1/vehicles/{store_vehicle(conn)}/availability"
    answer = client.get(path, params={"from": "2027-06-01", "to": "2028-06-02"})
    assert problem(answer) == (
        422,
        "invalid-dates",
        {"to": "must be at most 366 days after from"},
    )


def test_a_quote_is_itemised(client, conn):
    vehicle = store_vehicle(conn, weekly_discount_pct=10, cleaning_fee_cents=2_500)
    days = {"start": "2027-06-01", "end": "2027-06-08"}
    quote = client.get(f"/v1/vehicles/{vehicle}/quote", params=days).json()
    assert quote.pop("token")
    assert quote == {
        "vehicleId": vehicle,
        "start": "2027-06-01",
        "end": "2027-06-08",
        "days": 7,
        "currency": "USD",
        "lines": [
            {"code": "rental", "label": "7 days", "amount": 35_000},
            {"code": "weekly-discount", "label": "10 % off", "amount": -3_500},
            {"code": "cleaning-fee", "label": "Cleaning", "amount": 2_500},
            {"code": "service-fee", "label": "Service fee", "amount": 3_150},
        ],
        "total": 37_150,
        "available": True,
        "reason": None,
        "expiresAt": "2027-05-20T22:15:00Z",
    }


def test_a_quote_for_taken_days_says_so(client, conn):
    vehicle = store_vehicle(conn)
    store_booking(conn, vehicle, date(2027, 6, 3), date(2027, 6, 5))
    days = {"start": "2027-06-01", "end": "2027-06-08"}
    shown = client.get(f"/v1/vehicles/{vehicle}/quote", params=days).json()
    assert (shown["available"], shown["reason"]) == (False, "taken")


def test_a_quote_needs_both_dates_in_order(client, conn):
    path = f"/v1/vehicles/{store_vehicle(conn)}/quote"
    assert list(problem(client.get(path))[2]) == ["start", "end"]
    backwards = client.get(path, params={"start": "2027-06-02", "end": "2027-06-01"})
    assert problem(backwards) == (422, "invalid-dates", {"end": "must be after start"})


def walk(client, path, limit):
    seen, params = [], {"limit": limit}
    while True:
        page = client.get(path, params=params).json()
        seen += page["items"]
        assert page["hasMore"] == (page["nextCursor"] is not None)
        if not page["hasMore"]:
            return seen
        params = {"limit": limit, "cursor": page["nextCursor"]}


def test_reviews_are_paged_newest_first_without_gap_or_repeat_among_ties(client, conn):
    vehicle = store_vehicle(conn)
    moment = datetime(2026, 5, 9, 18, 30, 0, 123456, tzinfo=UTC)
    # Three at each moment, microseconds apart.
    ids = [
        store_review(conn, vehicle, created_at=moment + timedelta(microseconds=n // 3))
        for n in range(10)
    ]
    store_review(conn, store_vehicle(conn))
    path = f"/v1/vehicles/{vehicle}/reviews"
    for limit in (1, 3, 4, 100):
        assert [review["id"] for review in walk(client, path, limit)] == ids[::-1]


def test_a_review_shows_stars_words_who_and_when(client, conn):
    vehicle = store_vehicle(conn)
    when = datetime(2026, 5, 9, 18, 30, tzinfo=UTC)
    author = store_account(conn, display_name="Alex R.", email="alex@example.org")
    said = {"title": "Spotless", "body": "Started every morning.", "account_id": author}
    review = store_review(conn, vehicle, 450, created_at=when, **said)
    page = client.get(f"/v1/vehicles/{vehicle}/reviews").json()
    assert page["items"] == [
        {
            "id": review,
            "rating": 4.5,
            "title": "Spotless",
            "body": "Started every morning.",
            "author": "Alex R.",
            "reply": None,
            "createdAt": "2026-05-09T18:30:00Z",
        }
    ]
    assert (page["hasMore"], page["nextCursor"]) == (False, None)


def test_a_page_has_20_reviews_unless_asked_and_at_most_100(client, conn):
    vehicle = store_vehicle(conn)
    for _ in range(21):
        store_review(conn, vehicle)
    path = f"/v1/vehicles/{vehicle}/reviews"
    assert len(client.get(path).json()["items"]) == 20
    for wrong in (0, 101, "all"):
        assert list(problem(client.get(path, params={"limit": wrong}))[2]) == ["limit"]


def test_any_changed_character_of_a_cursor_is_refused(client, conn):
    vehicle = store_vehicle(conn)
    for _ in range(2):
        store_review(conn, vehicle)
    path = f"/v1/vehicles/{vehicle}/reviews"
    cursor = client.get(path, params={"limit": 1}).json()["nextCursor"]
    for place, character in enumerate(cursor):
        changed = cursor[:place] + ("A" if character != "A" else "B") + cursor[place + 1 :]
        answer = client.get(path, params={"cursor": changed})
        assert problem(answer)[:2] == (400, "invalid-cursor")
    other = store_vehicle(conn)
    answer = client.get(f"/v1/vehicles/{other}/reviews", params={"cursor": cursor})
    assert problem(answer)[:2] == (400, "invalid-cursor")

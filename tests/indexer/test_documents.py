"""What a vehicle looks like when searched, and the hash that says so."""

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.rows import TupleRow

from bookings.pricing import RateTerms, quote
from indexer.documents import Document, operations, read, read_page
from search.fields import BY_NAME, PRIOR_REVIEWS
from tests import factory

Conn = psycopg.Connection[TupleRow]


def document(conn: Conn, vehicle_id: int) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(read(conn, [vehicle_id])[0].source)
    return found


def text_of_the_view(conn: Conn, vehicle_id: int) -> str:
    row = conn.execute(
        "SELECT row_to_json(d)::text FROM vehicle_documents AS d WHERE id = %s", [vehicle_id]
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_document_has_the_fields_of_the_table_of_fields(conn: Conn) -> None:
    vehicle = factory.store_vehicle(conn)
    assert document(conn, vehicle).keys() - {"content_hash"} == BY_NAME.keys()


def test_the_hash_in_the_document_is_that_of_the_views_text(conn: Conn) -> None:
    vehicle = factory.store_vehicle(conn, description='"quoted", }{ \\ \n and 🏝', features=["ABS"])
    text = text_of_the_view(conn, vehicle)
    found = document(conn, vehicle)
    assert found.pop("content_hash") == hashlib.md5(text.encode()).hexdigest()
    assert found == orjson.loads(text)


@pytest.mark.parametrize(
    "session",
    [
        "SET DateStyle = 'German, DMY'",
        "SET timezone = 'Pacific/Honolulu'",
        "SET extra_float_digits = -15",
        "SET lc_time = 'C'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'escape'",
        "SET enable_sort = off; SET enable_indexscan = off; SET enable_seqscan = off",
    ],
)
def test_a_document_is_the_same_in_every_session(
    conn: Conn, database_url: str, session: str
) -> None:
    vehicle = factory.store_vehicle(conn, features=["b", "A", "ä", "a"], photos=["2.jpg", "1.jpg"])
    factory.store_booking(conn, vehicle, date(2026, 2, 1), date(2026, 3, 4))
    factory.store_review(conn, vehicle, 433)
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(session)
        assert read(other, [vehicle]) == read(conn, [vehicle])


@pytest.mark.parametrize("status", ["unlisted", "archived"])
def test_a_vehicle_that_is_not_listed_is_hidden(conn: Conn, status: str) -> None:
    vehicle = factory.store_vehicle(conn, status=status)
    assert document(conn, vehicle) == {"id": vehicle, "hidden": True}


def test_a_vehicle_that_is_gone_is_hidden_and_others_keep_their_place(conn: Conn) -> None:
    first, gone, last = (factory.store_vehicle(conn) for _ in range(3))
    conn.execute("DELETE FROM vehicles WHERE id = %s", [gone])
    found = [orjson.loads(each.source) for each in read(conn, [first, gone, last])]
    assert [(each["id"], each.get("hidden", False)) for each in found] == [
        (first, False),
        (gone, True),
        (last, False),
    ]


def test_pages_hold_the_listed_vehicles_by_id(conn: Conn) -> None:
    ids = [factory.store_vehicle(conn, status=each) for each in ("listed", "unlisted", "listed")]
    ids.append(factory.store_vehicle(conn))
    pages = [read_page(conn, after, 2) for after in (0, ids[2], ids[3])]
    assert [[each.vehicle_id for each in page] for page in pages] == [
        [ids[0], ids[2]],
        [ids[3]],
        [],
    ]
    assert pages[0][0] == read(conn, ids[:1])[0]


def test_free_ranges_are_what_no_booking_takes(conn: Conn) -> None:
    vehicle = factory.store_vehicle(conn)
    factory.store_booking(conn, vehicle, date(2026, 3, 1), date(2026, 3, 5))
    factory.store_booking(conn, vehicle, date(2026, 3, 5), date(2026, 3, 8), status="held")
    factory.store_booking(conn, vehicle, date(2026, 4, 1), date(2026, 4, 2), status="cancelled")
    factory.store_booking(conn, vehicle, date(2026, 5, 1), date(2026, 5, 3), status="active")
    assert document(conn, vehicle)["free"] == [
        {"gte": "1970-01-01", "lt": "2026-03-01"},
        {"gte": "2026-03-08", "lt": "2026-05-01"},
        {"gte": "2026-05-03", "lt": "9999-12-31"},
    ]


def test_free_ranges_leave_out_what_the_host_keeps(conn: Conn) -> None:
    vehicle = factory.store_vehicle(conn)
    factory.store_booking(conn, vehicle, date(2026, 3, 1), date(2026, 3, 5))
    factory.store_block(conn, vehicle, date(2026, 3, 5), date(2026, 3, 8))
    factory.store_block(conn, factory.store_vehicle(conn), date(2026, 4, 1), date(2026, 4, 8))
    assert document(conn, vehicle)["free"] == [
        {"gte": "1970-01-01", "lt": "2026-03-01"},
        {"gte": "2026-03-08", "lt": "9999-12-31"},
    ]


def test_totals_are_those_of_a_quote(conn: Conn) -> None:
    terms = RateTerms(3_333, 7, 21, 1_999)
    vehicle = factory.store_vehicle(
        conn,
        daily_rate_cents=terms.daily_rate_cents,
        weekly_discount_pct=terms.weekly_discount_pct,
        monthly_discount_pct=terms.monthly_discount_pct,
        cleaning_fee_cents=terms.cleaning_fee_cents,
    )
    expected = {str(days): quote(terms, days).total_cents for days in range(1, 31)}
    assert document(conn, vehicle)["total"] == expected


@pytest.mark.parametrize(
    ("imported_rating", "imported_count", "own", "rating", "count"),
    [
        (None, 0, [], None, 0),
        (None, 0, [400, 500], 450, 2),
        (400, 3, [500], 425, 4),
        (400, 0, [500], 450, 1),  # a rating without a count weighs as one review
        (None, 7, [300], 300, 8),  # a count without a rating weighs nothing
        (100, 0, [101], 101, 1),  # half a hundredth is rounded up
        (500, 2_000_000_000, [100], 500, 2_000_000_001),
    ],
)
def test_the_rating_weighs_every_review_alike(
    conn: Conn,
    imported_rating: int | None,
    imported_count: int,
    own: list[int],
    rating: int | None,
    count: int,
) -> None:
    vehicle = factory.store_vehicle(
        conn, imported_rating=imported_rating, imported_review_count=imported_count
    )
    for each in own:
        factory.store_review(conn, vehicle, each)
    found = document(conn, vehicle)
    assert (found["rating"], found["review_count"]) == (rating, count)


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Ford", "F-150", "2021 Ford F-150 FordF F150"),
        ("Mazda", "CX-5", "2021 Mazda CX-5 MazdaCX CX5"),
        ("BMW", "3 Series", "2021 BMW 3 Series BMW3 3Series"),
        ("Citroën", "C3", "2021 Citroën C3 CitroënC3"),
        ("Land Rover", None, "2021 Land Rover LandRover"),
        ("Jeep", None, "2021 Jeep"),
    ],
)
def test_the_name_holds_neighbouring_words_as_one(
    conn: Conn, make: str, model: str | None, name: str
) -> None:
    vehicle = factory.store_vehicle(conn, make=make, model=model)
    assert document(conn, vehicle)["name"] == name


@pytest.mark.parametrize(
    ("rating", "count", "evidence", "doubt"),
    [
        (None, 0, 0, 10_000),
        (480, 30, 3_600, 2_500),  # 30 x 4.8 and 10 priors
        (500, 2_000_000_000, 5_000, 0),
    ],
)
def test_evidence_and_doubt_make_a_bayesian_average(
    conn: Conn, rating: int | None, count: int, evidence: int, doubt: int
) -> None:
    vehicle = factory.store_vehicle(conn, imported_rating=rating, imported_review_count=count)
    found = document(conn, vehicle)
    assert (found["rating_evidence"], found["rating_doubt"]) == (evidence, doubt)


@pytest.mark.parametrize("count", [1, 10, 30])
def test_the_prior_weighs_as_many_reviews_as_profiles_say(conn: Conn, count: int) -> None:
    vehicle = factory.store_vehicle(conn)
    for _ in range(count):
        factory.store_review(conn, vehicle, 450)
    found = document(conn, vehicle)
    assert found["rating_doubt"] == round(10_000 * PRIOR_REVIEWS / (count + PRIOR_REVIEWS))
    assert found["rating_evidence"] == round(4_500 * count / (count + PRIOR_REVIEWS))


def test_a_hidden_review_counts_nowhere(conn: Conn) -> None:
    vehicle, without = factory.store_vehicle(conn), factory.store_vehicle(conn)
    for each in (vehicle, without):
        factory.store_review(conn, each, 500)
    hidden = {
        "hidden_at": datetime.now(UTC),
        "hidden_by": factory.store_account(conn),
        "hidden_reason": "-",
    }
    factory.store_review(conn, vehicle, 100, **hidden)
    counted = ("rating", "review_count", "rating_evidence", "rating_doubt")
    found, wanted = document(conn, vehicle), document(conn, without)
    assert [found[name] for name in counted] == [wanted[name] for name in counted]
    assert found["review_count"] == 1


def test_operations_carry_the_version_and_leave_the_text_alone() -> None:
    assert operations([Document(7, b'{"id": 7}'), Document.hidden(8)], 42) == (
        b'{"index":{"_id":"7","version":42,"version_type":"external"}}\n{"id": 7}\n'
        b'{"index":{"_id":"8","version":42,"version_type":"external"}}\n{"id":8,"hidden":true}\n'
    )

"""Reviews and catalogues: to the vehicles of their make, model and year, or into the report."""

import pytest

from listings.report import Action
from tests import factory
from tests.listings.files import (
    EDMUNDS,
    EPA,
    FEATURES,
    TURO_US,
    dirty,
    imported,
    vehicles,
    write_csv,
    zipped,
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file"


def seeded(conn, **columns):
    """A vehicle that an import or the demo brought, rather than a host."""
    vehicle = {"source": "demo", "make": "Tesla", "model": "Model X", "year": 2019}
    return factory.store_vehicle(conn, **vehicle | columns)


def reviews(conn):
    return conn.execute(
        "SELECT vehicle_id, rating, title, body, created_at::text FROM reviews ORDER BY id"
    ).fetchall()


def test_review_goes_to_a_vehicle_of_its_make_model_and_year(conn, file):
    seeded(conn, year=2018)
    vehicle_id = seeded(conn)
    outcome = imported(conn, zipped(write_csv(file, EDMUNDS)))
    assert (outcome.result.inserted, outcome.findings) == (1, [])
    # 16:47 is said to be PM and Pacific time; 4.875 is rounded half up.
    assert reviews(conn) == [
        (vehicle_id, 488, "Keeps on being great", "Every day.", "2019-11-20 00:47:00+00")
    ]


def test_reviews_of_a_model_year_are_spread_over_its_vehicles(conn, file):
    ids = {seeded(conn) for _ in range(4)}
    imported(conn, write_csv(file, *(EDMUNDS | {"body": f"Day {n}."} for n in range(100))))
    counts = [[row[0] for row in reviews(conn)].count(vehicle_id) for vehicle_id in ids]
    assert sum(counts) == 100
    assert min(counts) > 10


def test_stored_review_stays_where_it_is_when_more_vehicles_come(conn, file):
    seeded(conn)
    rows = [EDMUNDS | {"body": f"Day {n}."} for n in range(20)]
    imported(conn, write_csv(file, *rows))
    before = reviews(conn)
    for _ in range(3):
        seeded(conn)
    marks = dirty(conn)
    outcome = imported(conn, write_csv(file, *rows))
    assert (outcome.result.inserted, outcome.result.unchanged) == (0, 20)
    assert (reviews(conn), dirty(conn)) == (before, marks)


@pytest.mark.parametrize(
    "about",
    [
        "2018 Tesla Model X SUV 4dr SUV",
        "2019 Tesla Model X Signature 4dr SUV",  # may be another model than the Model X
        "2019 Tesla Model XL SUV 4dr SUV",
        "2019 Nobody Model X SUV",
        "Tesla Model X SUV",
    ],
)
def test_review_of_another_vehicle_is_reported(conn, file, about):
    seeded(conn)
    outcome = imported(conn, write_csv(file, EDMUNDS | {"vehicle": about}))
    assert [(f.line, f.field, f.value) for f in outcome.rejected] == [(2, "vehicle", about)]
    assert reviews(conn) == []


def test_longest_model_name_wins(conn, file):
    seeded(conn, make="Ford", model="Explorer", year=2005)
    sport = seeded(conn, make="Ford", model="Explorer Sport Trac", year=2005)
    about = "2005 Ford Explorer Sport Trac Crew Cab XLS 4dr Crew Cab SB (4.0L 6cyl 5A)"
    imported(conn, write_csv(file, EDMUNDS | {"vehicle": about}))
    assert [row[0] for row in reviews(conn)] == [sport]


def test_vehicle_that_a_host_listed_here_gets_no_reviews_from_elsewhere(conn, file):
    seeded(conn, source="app")
    seeded(conn, status="archived")
    assert len(imported(conn, write_csv(file, EDMUNDS)).rejected) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rating", ""),
        ("rating", "0"),
        ("date", "yesterday"),
        ("date", "on 02/30/11 16:47 PM (PST)"),
        ("date", "on 11/19/68 16:47 PM (PST)"),
        ("vehicle", ""),
    ],
)
def test_review_without_rating_date_or_vehicle_is_rejected(conn, file, field, value):
    seeded(conn)
    outcome = imported(conn, write_csv(file, EDMUNDS | {field: value}))
    assert [(f.field, f.value) for f in outcome.rejected] == [(field, value)]


def test_blank_text_is_kept_if_there_is_a_title(conn, file):
    seeded(conn)
    blank = EDMUNDS | {"body": "", "title": " "}
    outcome = imported(conn, write_csv(file, EDMUNDS | {"body": " "}, blank))
    assert [(f.line, f.action) for f in outcome.findings] == [
        (2, Action.KEPT),
        (3, Action.REJECTED),
    ]
    assert [row[2:4] for row in reviews(conn)] == [("Keeps on being great", "")]


def test_repeated_review_is_in_once_and_reported(conn, file):
    seeded(conn)
    outcome = imported(conn, write_csv(file, EDMUNDS, EDMUNDS))
    assert [(f.line, f.reason) for f in outcome.rejected] == [(3, "the same as an earlier row")]
    assert len(reviews(conn)) == 1


def test_listings_are_loaded_before_catalogues_and_reviews_in_any_order(conn, tmp_path):
    outcome = imported(
        conn,
        write_csv(tmp_path / "reviews", EDMUNDS),
        write_csv(tmp_path / "catalogue", FEATURES),
        write_csv(tmp_path / "listings", TURO_US),
    )
    assert outcome.result.inserted == 1
    assert vehicles(conn)[0]["transmission"] == "Automatic"


def catalogue(conn, path, *rows):
    return imported(conn, write_csv(path, *rows)).result.filled


def test_catalogue_fills_what_all_its_rows_agree_on(conn, file):
    vehicle_id = seeded(conn, transmission=None, body=None, seats=None)
    other = FEATURES | {"Vehicle Style": "Sedan"}
    filled = catalogue(conn, file, FEATURES, other)
    assert filled == {"transmission": 1, "body": 0, "seats": 0, "vehicles": 1}
    [vehicle] = vehicles(conn)
    assert (vehicle["id"], vehicle["transmission"]) == (vehicle_id, "Automatic")
    assert vehicle["body"] is None


@pytest.mark.parametrize("gearbox", ["MANUAL", "UNKNOWN", ""])
def test_one_variant_that_differs_or_is_unknown_leaves_it_empty(conn, file, gearbox):
    seeded(conn, transmission=None)
    catalogue(conn, file, FEATURES, FEATURES | {"Transmission Type": gearbox}, FEATURES)
    assert vehicles(conn)[0]["transmission"] is None


def test_catalogue_changes_no_value_that_a_vehicle_has(conn, file):
    seeded(conn, transmission="Manual", body="Van", seats=7)
    before, marks = vehicles(conn), dirty(conn)
    assert catalogue(conn, file, FEATURES)["vehicles"] == 0
    assert (vehicles(conn), dirty(conn)) == (before, marks)


@pytest.mark.parametrize(("style", "body"), [("Coupe", "Coupe"), ("4dr SUV", "Car")])
def test_catalogue_says_which_kind_of_car_but_does_not_contradict(conn, file, style, body):
    seeded(conn, body="Car")
    catalogue(conn, file, FEATURES | {"Vehicle Style": style})
    assert vehicles(conn)[0]["body"] == body


def test_listing_imported_again_keeps_what_a_catalogue_filled(conn, tmp_path):
    us = write_csv(tmp_path / "us", TURO_US | {"vehicle.type": "car"})
    features = write_csv(tmp_path / "features", FEATURES | {"Vehicle Style": "Wagon"})
    imported(conn, us, features)
    before, marks = vehicles(conn), dirty(conn)
    assert (before[0]["body"], before[0]["transmission"]) == ("Wagon", "Automatic")
    imported(conn, us, features)
    assert (vehicles(conn), dirty(conn)) == (before, marks)


def test_epa_knows_two_seaters_and_models_without_their_driven_wheels(conn, file):
    seeded(conn, transmission=None, body=None, seats=None)
    rows = [EPA | {"class": "Two Seaters"}, EPA | {"class": "Two Seaters", "model": "Model X"}]
    assert catalogue(conn, file, *rows) == {
        "transmission": 1,
        "body": 1,
        "seats": 1,
        "vehicles": 1,
    }
    assert [vehicles(conn)[0][name] for name in ("transmission", "body", "seats")] == [
        "Automatic", "Car", 2,
    ]  # fmt: skip


def test_dirt_of_a_catalogue_is_reported(conn, file):
    outcome = imported(
        conn,
        write_csv(file, FEATURES | {"Year": "20190"}, FEATURES | {"Transmission Type": "UNKNOWN"}),
    )
    assert outcome.brief() == [
        (2, Action.DROPPED, "Year", "20190"),
        (2, Action.REJECTED, "Year", "20190"),
        (3, Action.DROPPED, "Transmission Type", "UNKNOWN"),
    ]

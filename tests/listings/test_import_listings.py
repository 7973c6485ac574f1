"""Listings in: what each source says becomes one vehicle, and a second run changes nothing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from listings.listing import Listing
from listings.report import Action
from listings.store import store_listings
from tests.listings.files import (
    GETAROUND,
    MONTREAL,
    SCRAPER_ERROR,
    TURO_US,
    dirty,
    imported,
    vehicles,
    write_csv,
    write_jsonl,
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file"


def subset(vehicle, expected):
    return {name: vehicle[name] for name in expected}


def montreal(**changes):
    """`MONTREAL` with dotted paths changed."""
    listing = MONTREAL | {key: dict(v) for key, v in MONTREAL.items() if isinstance(v, dict)}
    for path, value in changes.items():
        *outer, last = path.split("__")
        target = listing
        for step in outer:
            target[step] = dict(target[step])
            target = target[step]
        target[last] = value
    return listing


def test_turo_us_listing(conn, file):
    imported(conn, write_csv(file, TURO_US))
    expected = {
        "source": "turo-us",
        "host": "turo-us:12847615",
        "display_name": "Host 12847615",
        "role": "host",
        "make": "Tesla",
        "model": "Model X",
        "year": 2019,
        "body": "SUV",
        "fuel": "Petrol",
        "transmission": None,
        "seats": None,
        "daily_rate_cents": 13_500,
        "currency": "USD",
        "lat": Decimal("21.306900"),
        "lon": Decimal("-157.858300"),
        "city": "Honolulu",
        "region": "Hawaii",
        "country": "United States",
        "time_zone": "Pacific/Honolulu",
        "imported_rating": 492,
        "imported_review_count": 24,
        "trips": 28,
        "features": [],
        "status": "listed",
    }
    assert subset(vehicles(conn)[0], expected) == expected


def test_montreal_listing(conn, file):
    imported(conn, write_jsonl(file, MONTREAL))
    expected = {
        "source": "turo-montreal",
        "source_key": "514340",
        "make": "smart",
        "model": "fortwo electric drive",
        "title": "Silent and small",
        "description": "Cliquez ⚡️\nÉlectrique",
        "body": "Convertible",
        "fuel": "Electric",
        "transmission": "Automatic",
        "seats": 4,
        "doors": 2,
        "daily_rate_cents": 4_655,
        "currency": "CAD",
        "weekly_discount_pct": 10,
        "monthly_discount_pct": 25,
        "lat": Decimal("45.607263"),
        "city": "Montréal",
        "region": "Québec",
        "country": "Canada",
        "time_zone": "America/Toronto",
        "imported_rating": 487,
        "imported_review_count": 39,
        "trips": 46,
        "listed_at": datetime(2018, 10, 6, 2, 32, 48, tzinfo=UTC),
        "features": ["GPS", "Heated seats"],
    }
    assert subset(vehicles(conn)[0], expected) == expected


def test_getaround_listing_has_only_a_make(conn, file):
    imported(conn, write_csv(file, GETAROUND))
    expected = {
        "source_key": "0",
        "make": "Citroën",
        "model": None,
        "year": None,
        "city": None,
        "lat": None,
        "body": "Wagon",
        "fuel": "Diesel",
        "transmission": "Manual",
        "mileage_km": 140_411,
        "daily_rate_cents": 10_600,
        "currency": "EUR",
        "country": "France",
        "time_zone": "Europe/Paris",
        "features": ["Cruise control", "GPS", "Private parking", "Unlock by app", "Winter tires"],
    }
    assert subset(vehicles(conn)[0], expected) == expected


@pytest.mark.parametrize(
    ("field", "value", "column", "action"),
    [
        ("vehicle.year", "19999", "year", Action.DROPPED),
        ("rating", "6", "imported_rating", Action.DROPPED),
        ("vehicle.type", "boat", "body", Action.DROPPED),
        ("fuelType", "STEAM", "fuel", Action.DROPPED),
        ("location.latitude", "91", "lat", Action.DROPPED),
        ("location.longitude", "", "lat", Action.DROPPED),
        ("location.state", "XX", "region", Action.DROPPED),
    ],
)
def test_value_that_cannot_be_is_dropped_and_the_listing_loaded(
    conn, file, field, value, column, action
):
    outcome = imported(conn, write_csv(file, TURO_US | {field: value}))
    assert outcome.result.inserted == 1
    assert action in {finding.action for finding in outcome.findings}
    assert vehicles(conn)[0][column] is None


@pytest.mark.parametrize("mileage", ["-64", "1000376"])
def test_impossible_mileage_is_dropped(conn, file, mileage):
    outcome = imported(conn, write_csv(file, GETAROUND | {"mileage": mileage}))
    assert outcome.brief() == [(2, Action.DROPPED, "mileage", mileage)]
    assert vehicles(conn)[0]["mileage_km"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("vehicle.make", " "), ("vehicle.make", "?"), ("rate.daily", "0"), ("location.country", "CA")],
)
def test_listing_without_make_price_or_currency_is_rejected(conn, file, field, value):
    outcome = imported(conn, write_csv(file, TURO_US | {field: value}, TURO_US))
    assert [(f.line, f.field) for f in outcome.rejected] == [(2, field)]
    assert (outcome.result.inserted, outcome.result.rejected) == (1, 1)


def test_repairs_are_reported_one_by_one(conn, file):
    changes = {"vehicle.make": "Saab", "vehicle.model": "3-Sep", "location.city": "denver "}
    outcome = imported(conn, write_csv(file, TURO_US | changes))
    assert [(f.field, f.value, f.became) for f in outcome.findings] == [
        ("location.city", "denver ", "denver"),
        ("vehicle.model", "3-Sep", "9-3"),
        ("location.city", "denver", "Denver"),
    ]


def test_what_is_odd_but_possible_is_kept_and_reported(conn, file):
    changes = {"reviewCount": "30", "vehicle.make": "Spyker", "vehicle.model": "12-Feb"}
    outcome = imported(conn, write_csv(file, TURO_US | changes))
    assert {(f.action, f.field) for f in outcome.findings} == {
        (Action.KEPT, "reviewCount"),
        (Action.KEPT, "vehicle.make"),
        (Action.KEPT, "vehicle.model"),
    }
    assert vehicles(conn)[0]["imported_review_count"] == 30


def test_same_listing_twice_in_a_file_is_in_once_and_reported(conn, file):
    other_price = TURO_US | {"rate.daily": "136", "vehicle.make": "TESLA"}
    outcome = imported(conn, write_csv(file, TURO_US, other_price, TURO_US | {"owner.id": "2"}))
    assert [(f.line, f.reason) for f in outcome.rejected] == [(3, "the same as an earlier row")]
    assert [vehicle["daily_rate_cents"] for vehicle in vehicles(conn)] == [13_500, 13_500]


def test_scraper_errors_and_deleted_listings_are_rejected(conn, file):
    outcome = imported(
        conn, write_jsonl(file, SCRAPER_ERROR, montreal(id="9", listingDeleted=True), MONTREAL)
    )
    assert [finding.line for finding in outcome.rejected] == [1, 2]
    assert len(vehicles(conn)) == 1


def test_disabled_listing_comes_in_unlisted(conn, file):
    imported(conn, write_jsonl(file, montreal(listingEnabled=False)))
    assert vehicles(conn)[0]["status"] == "unlisted"


def test_title_that_names_a_person_is_not_taken_over(conn, file):
    imported(conn, write_jsonl(file, montreal(vehicle__name="Adrian\u2019s smart")))
    assert vehicles(conn)[0]["title"] is None


def test_unknown_badge_and_time_zone_are_dropped(conn, file):
    listing = montreal(location__timeZone="Mars/Olympus", badges=[{"label": "Rocket"}, 3])
    outcome = imported(conn, write_jsonl(file, listing))
    assert [f.field for f in outcome.findings if f.action is Action.DROPPED] == [
        "badges", "badges", "location.timeZone",
    ]  # fmt: skip
    assert subset(vehicles(conn)[0], ["time_zone", "features"]) == {
        "time_zone": "UTC",
        "features": [],
    }


def test_json_of_other_types_is_no_crash(conn, file):
    strange = montreal(
        badges={"label": "GPS"}, vehicle__model={"a": 1}, vehicle__year=[2019], location="Montréal",
        basicCarDetails=None,
    )  # fmt: skip
    outcome = imported(conn, write_jsonl(file, strange, montreal(id="9", vehicle="smart")))
    assert (outcome.result.inserted, outcome.result.rejected) == (1, 1)


def test_second_run_changes_nothing_and_makes_nothing_dirty(conn, tmp_path):
    files = [
        write_csv(tmp_path / "us", TURO_US, TURO_US | {"owner.id": "2"}),
        write_jsonl(tmp_path / "mtl", MONTREAL),
        write_csv(tmp_path / "fr", GETAROUND),
    ]
    imported(conn, *files)
    before, marks = vehicles(conn), dirty(conn)
    again = imported(conn, *files)
    assert (again.result.inserted, again.result.changed, again.result.unchanged) == (0, 0, 2)
    assert vehicles(conn) == before
    assert dirty(conn) == marks > 0


def test_changed_listing_is_updated_in_place_and_alone(conn, file):
    imported(conn, write_jsonl(file, MONTREAL, montreal(id="9")))
    before, marks = vehicles(conn), dirty(conn)
    changed = montreal(id="9", vehicle__year=2019, badges=[{"label": "Bluetooth"}])
    outcome = imported(conn, write_jsonl(file, MONTREAL, changed))
    assert (outcome.result.changed, outcome.result.unchanged) == (1, 1)
    first, second = vehicles(conn)
    assert first == before[0]
    assert (second["id"], second["year"], second["features"]) == (
        before[1]["id"],
        2019,
        ["Bluetooth"],
    )
    ids = conn.execute("SELECT DISTINCT vehicle_id FROM search_dirty WHERE id > %s", [marks])
    assert ids.fetchall() == [(second["id"],)]


def test_import_leaves_alone_what_the_marketplace_decided(conn, file):
    imported(conn, write_jsonl(file, MONTREAL))
    conn.execute("UPDATE vehicles SET status = 'archived', notice_days = 3")
    outcome = imported(conn, write_jsonl(file, montreal(vehicle__year=2019)))
    assert outcome.result.changed == 1
    assert subset(vehicles(conn)[0], ["status", "notice_days", "year"]) == {
        "status": "archived",
        "notice_days": 3,
        "year": 2019,
    }


def test_dry_run_reports_the_same_and_changes_nothing(conn, tmp_path):
    us = write_csv(tmp_path / "us", TURO_US | {"location.city": "HILO"}, TURO_US | {"rating": "9"})
    mtl = write_jsonl(tmp_path / "mtl", MONTREAL, SCRAPER_ERROR)
    dry = imported(conn, us, mtl, dry_run=True)
    assert (vehicles(conn), dirty(conn)) == ([], 0)
    assert conn.execute("SELECT count(*) FROM accounts").fetchone() == (0,)
    assert imported(conn, us, mtl) == dry


def test_row_that_the_database_refuses_is_found_and_the_others_stay(conn, file, monkeypatch):
    def without_care(connection, batch: list[Listing]):
        if any(item.host_key == "turo-us:13" for item in batch):
            connection.execute("SELECT 1 / 0")
        return store_listings(connection, batch)

    monkeypatch.setattr("listings.importing.store_listings", without_care)
    rows = [TURO_US | {"owner.id": str(n)} for n in range(20)]
    outcome = imported(conn, write_csv(file, *rows))
    assert [(f.line, f.reason, f.value) for f in outcome.rejected] == [
        (15, "the database refuses it", "division by zero")
    ]
    assert outcome.result.inserted == 19

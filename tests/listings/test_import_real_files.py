"""The real files, as the README beside them describes them: nothing is lost in silence."""

import csv
from time import perf_counter

import pytest

from listings.report import Action
from tests.listings.files import REAL, dirty, imported, vehicles

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason="the real data is not beside this checkout (../shared/data)"
)


def test_all_us_listings_are_in_or_in_the_report(conn):
    path = REAL / "turo-us.csv"
    with path.open(encoding="utf-8", newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 5_851
    outcome = imported(conn, path)
    assert len(vehicles(conn)) + len({finding.line for finding in outcome.rejected}) == 5_851
    assert outcome.result.rows == 5_851


def test_second_run_of_the_us_listings_changes_nothing_and_takes_seconds(conn):
    path = REAL / "turo-us.csv"
    imported(conn, path)
    before, marks = vehicles(conn), dirty(conn)
    start = perf_counter()
    result = imported(conn, path).result
    # 1.5 s on two slow cores; the bound is for a loaded machine.
    assert perf_counter() - start < 20
    assert (result.inserted, result.changed) == (0, 0)
    assert vehicles(conn) == before
    assert dirty(conn) == marks


def test_known_dirt_of_the_us_listings_is_repaired_and_reported(conn):
    outcome = imported(conn, REAL / "turo-us.csv")
    repaired = {(f.value, f.became) for f in outcome.findings if f.action is Action.REPAIRED}
    assert repaired >= {
        ("Alfa-romeo", "Alfa Romeo"),
        ("INFINITI", "Infiniti"),
        ("denver ", "denver"),
        ("denver", "Denver"),
        ("FAIRBANKS", "Fairbanks"),
        ("3-Sep", "9-3"),
    }
    more_reviews_than_trips = [f for f in outcome.findings if f.field == "reviewCount"]
    assert [f.action for f in more_reviews_than_trips] == [Action.KEPT, Action.KEPT]
    loaded = vehicles(conn)
    assert sum(vehicle["imported_rating"] is None for vehicle in loaded) == 501
    assert sum(vehicle["fuel"] is None for vehicle in loaded) == 75
    assert min(vehicle["year"] for vehicle in loaded) == 1955
    assert max(vehicle["daily_rate_cents"] for vehicle in loaded) == 150_000
    assert all(vehicle["time_zone"] != "UTC" for vehicle in loaded)


def test_montreal_listings_are_in_and_scraper_errors_are_not(conn):
    outcome = imported(conn, REAL / "turo-montreal.jsonl")
    assert (outcome.result.inserted, outcome.result.rejected) == (145, 55)
    loaded = vehicles(conn)
    assert {vehicle["currency"] for vehicle in loaded} == {"CAD"}
    assert {vehicle["city"] for vehicle in loaded} == {
        "Côte Saint-Luc", "Laval", "Longueuil", "Montréal", "Westmount",
    }  # fmt: skip


def test_french_cars_are_in_without_their_impossible_mileages(conn):
    outcome = imported(conn, REAL / "getaround-pricing.csv")
    assert (outcome.result.inserted, outcome.result.rejected) == (4_843, 0)
    dropped = [f.value for f in outcome.findings if f.action is Action.DROPPED]
    assert dropped == ["-64", "1000376"]


def test_catalogues_and_reviews_find_their_vehicles(conn):
    names = (
        "edmunds-reviews.csv.gz", "car-features-msrp.csv", "epa-vehicles.csv.gz", "turo-us.csv",
        "turo-montreal.jsonl",
    )  # fmt: skip
    files = [REAL / name for name in names]
    reviews = imported(conn, *files).result
    assert reviews.rows == 30_698 == reviews.inserted + reviews.rejected
    assert reviews.inserted > 4_000
    loaded = [vehicle for vehicle in vehicles(conn) if vehicle["source"] == "turo-us"]
    assert sum(vehicle["transmission"] is not None for vehicle in loaded) > 1_900
    marks = dirty(conn)
    again = imported(conn, *files).result
    assert (again.inserted, again.unchanged) == (0, reviews.inserted)
    assert dirty(conn) == marks

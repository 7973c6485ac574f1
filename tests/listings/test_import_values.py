"""Display forms: what is plainly another spelling is changed, everything else is left alone."""

from decimal import Decimal

import pytest

from listings import normalise, places
from listings.reading import Record
from listings.report import Action, Finding, Report
from listings.row import RejectedRowError, Row


@pytest.mark.parametrize(
    ("written", "make"),
    [
        ("Alfa-romeo", "Alfa Romeo"),
        ("INFINITI", "Infiniti"),
        ("Mercedes-benz", "Mercedes-Benz"),
        ("Mercedes", "Mercedes-Benz"),
        ("KIA Motors", "Kia"),
        ("Rolls Royce", "Rolls-Royce"),
        ("citroen", "Citroën"),
        ("smart", "smart"),
        ("Spyker", "Spyker"),
    ],
)
def test_make(written, make):
    assert normalise.make(written) == make


@pytest.mark.parametrize(
    ("make", "written", "model"),
    [
        ("Saab", "3-Sep", "9-3"),
        ("Ford", "mustang", "Mustang"),
        ("BMW", "3-Series", "3 Series"),
        ("BMW", "I3", "i3"),
        ("Jaguar", "F-Type", "F-TYPE"),
        ("Ferrari", "488GTB", "488 GTB"),
        ("Mazda", "3", "3"),
        ("Porsche", "911", "911"),
        ("Audi", "allroad", "allroad"),
        ("Toyota", "bZ4X", "bZ4X"),
    ],
)
def test_model(make, written, model):
    assert normalise.model(make, written) == model


def test_models_are_matched_without_their_make_in_front():
    assert normalise.model_key("Mazda", "3") == normalise.model_key("Mazda", "MAZDA3")
    assert normalise.model_key("Mazda", "Mazda") == "mazda"


@pytest.mark.parametrize(
    ("written", "city"),
    [
        ("denver", "Denver"),
        ("FAIRBANKS", "Fairbanks"),
        ("LINTHICUM HEIGHTS", "Linthicum Heights"),
        ("West palm Beach", "West Palm Beach"),
        ("MCALLEN", "McAllen"),
        ("o'fallon", "O'Fallon"),
        ("winston-salem", "Winston-Salem"),
        ("WheatRidge", "Wheat Ridge"),
        # Right as they are.
        ("McAllen", "McAllen"),
        ("DeLand", "DeLand"),
        ("St. Louis", "St. Louis"),
        ("King of Prussia", "King of Prussia"),
        ("Town 'n' Country", "Town 'n' Country"),
        ("Coeur d'Alene", "Coeur d'Alene"),
        ("DFW Airport", "DFW Airport"),
        ("SeaTac", "SeaTac"),
    ],
)
def test_city(written, city):
    assert places.city(written, places.UNITED_STATES) == city


def test_accents_of_a_city_come_back_where_the_country_has_it():
    assert places.city("montreal", places.CANADA) == "Montréal"
    assert places.city("Montreal", places.UNITED_STATES) == "Montreal"


@pytest.mark.parametrize(
    ("state", "lat", "lon", "zone"),
    [
        ("Hawaii", "21.3", "-157.8", "Pacific/Honolulu"),
        ("Arizona", None, None, "America/Phoenix"),
        ("Florida", "25.8", "-80.2", "America/New_York"),
        ("Florida", "30.42", "-87.21", "America/Chicago"),  # Pensacola
        ("Texas", "31.76", "-106.49", "America/Denver"),  # El Paso
        ("Texas", "32.78", "-96.8", "America/Chicago"),
        ("Tennessee", "36.16", "-86.78", "America/Chicago"),  # Nashville
        ("Tennessee", "35.05", "-85.31", "America/New_York"),  # Chattanooga
        ("Tennessee", "35.96", "-83.92", "America/New_York"),  # Knoxville
        ("Kentucky", "38.25", "-85.76", "America/New_York"),  # Louisville
        ("Kentucky", "36.99", "-86.44", "America/Chicago"),  # Bowling Green
        ("Kentucky", "38.04", "-84.50", "America/New_York"),  # Lexington
        ("Indiana", "39.77", "-86.16", "America/Indiana/Indianapolis"),
        ("Indiana", "41.59", "-87.35", "America/Chicago"),  # Gary
        ("Indiana", "41.68", "-86.25", "America/Indiana/Indianapolis"),  # South Bend
        ("Idaho", "47.68", "-116.78", "America/Los_Angeles"),  # Coeur d'Alene
        ("Idaho", "43.6", "-116.2", "America/Boise"),
        ("Texas", None, None, "UTC"),  # a split state, and no telling where in it
        (None, "21.3", "-157.8", "UTC"),
    ],
)
def test_time_zone_of_a_spot(state, lat, lon, zone):
    spot = [None if degrees is None else Decimal(degrees) for degrees in (lat, lon)]
    assert places.us_time_zone(state, *spot) == zone


class Noted(Report):
    def __init__(self):
        super().__init__()
        self.all: list[Finding] = []

    def add(self, finding):
        self.all.append(finding)


def read(method, value, *arguments):
    """What a row makes of one value, and the action that was reported."""
    report = Noted()
    row = Row(Record(7, {"field": value}), report.notes_on("file"))
    result = getattr(row, method)("field", *arguments)
    return result, [finding.action for finding in report.all]


@pytest.mark.parametrize("value", ["0", "19999", "1899", "2019.5", "MMXIX", "-2019", "1e3", True])
def test_absurd_year_is_dropped(value):
    assert read("year", value) == (None, [Action.DROPPED])


@pytest.mark.parametrize(("value", "year"), [("1955", 1955), ("1900", 1900), (2019.0, 2019)])
def test_vintage_year_is_a_year(value, year):
    assert read("year", value) == (year, [])


@pytest.mark.parametrize(
    ("value", "hundredths"), [("4.92", 492), ("4.875", 488), ("5", 500), (4.87, 487), ("1", 100)]
)
def test_stars_are_rounded_half_up(value, hundredths):
    assert read("stars", value) == (hundredths, [])


@pytest.mark.parametrize("value", ["0", "5.01", "-1", "five", "nan", "inf", "٣"])
def test_rating_that_is_none_is_dropped(value):
    assert read("stars", value) == (None, [Action.DROPPED])


def test_missing_value_is_no_finding():
    assert read("stars", " ") == (None, [])
    assert read("name", None) == (None, [])


@pytest.mark.parametrize("value", ["0", "-5", "", None, "free", "100001", "1,200", "$35"])
def test_listing_without_a_price_is_rejected(value):
    with pytest.raises(RejectedRowError, match="not a price"):
        read("cents", value)


def test_price_is_exact_to_the_cent():
    assert read("cents", 46.55) == (4655, [])
    assert read("cents", "1500") == (150_000, [])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("denver ", "denver"),
        ("a\tb\n c", "a b c"),
        ("Tyson\u2019s", "Tyson's"),
        ("a\x00b", "ab"),
        ("Sa\u0303o Tome\u0301", "S\u00e3o Tom\u00e9"),
    ],
)
def test_name_is_cleaned_and_reported(value, name):
    assert read("name", value) == (name, [Action.REPAIRED])


def test_windows_quotes_read_as_latin_1_come_back_in_prose():
    assert read("prose", " I can\x92t  wait\x85\r\n ok") == (
        "I can\u2019t  wait…\n ok",
        [Action.REPAIRED],
    )
    assert read("prose", "itÂ\x92s") == ("it\u2019s", [Action.REPAIRED])


def test_value_in_a_report_is_cut_and_can_always_be_written():
    report = Noted()
    report.notes_on("file")(Action.KEPT, 1, "field", "\ud800" + "x" * 500, "reason")
    assert report.all[0].value == "?" + "x" * 199

"""Small files of each known format, and what an import makes of them."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from listings.importing import Result, import_files
from listings.report import Action, Finding, Report

REAL = Path(__file__).parents[2] / ".." / "shared" / "data"

TURO_US = {
    "fuelType": "GASOLINE",
    "rating": "4.92",
    "renterTripsTaken": "28",
    "reviewCount": "24",
    "location.city": "Honolulu",
    "location.country": "US",
    "location.latitude": "21.306900",
    "location.longitude": "-157.858300",
    "location.state": "HI",
    "owner.id": "12847615",
    "rate.daily": "135",
    "vehicle.make": "Tesla",
    "vehicle.model": "Model X",
    "vehicle.type": "suv",
    "vehicle.year": "2019",
}
MONTREAL: dict[str, Any] = {
    "id": "514340",
    "badges": [{"label": "GPS"}, {"label": "Heated seats"}, {"label": "Convertible"}],
    "basicCarDetails": {
        "fuelType": {"value": "ELECTRIC"},
        "numberOfDoors": 2,
        "numberOfSeats": 4,
    },
    "description": "Cliquez ⚡️\r\nÉlectrique",
    "listingDeleted": False,
    "listingEnabled": True,
    "location": {
        "city": "Montreal",
        "country": "CA",
        "latitude": 45.60726329884113,
        "longitude": -73.70630195892346,
        "state": "QC",
        "timeZone": "America/Toronto",
    },
    "numberOfReviews": 39,
    "rate": {
        "averageDailyPriceWithCurrency": {"amount": 46.55, "currencyCode": "CAD"},
        "daily": 99.0,
        "weeklyDiscountPercentage": 10,
        "monthlyDiscountPercentage": 25,
    },
    "ratings": {"ratingToHundredth": 4.87},
    "tripCount": 46,
    "vehicle": {
        "automaticTransmission": True,
        "listingCreatedTime": 1538793168000,
        "make": "smart",
        "marketCurrency": {"currencyCode": "USD"},
        "model": "fortwo electric drive",
        "name": "Silent and small",
        "type": "CAR",
        "year": 2018,
    },
}
SCRAPER_ERROR = {"code": "RESP001", "status": 422, "title": "no content", "id": "597559"}
GETAROUND = {
    "": "0",
    "model_key": "Citroën",
    "mileage": "140411",
    "engine_power": "100",
    "fuel": "diesel",
    "paint_color": "black",
    "car_type": "estate",
    "private_parking_available": "True",
    "has_gps": "True",
    "has_air_conditioning": "False",
    "automatic_car": "False",
    "has_getaround_connect": "True",
    "has_speed_regulator": "True",
    "winter_tires": "True",
    "rental_price_per_day": "106",
}
FEATURES = {
    "Make": "Tesla",
    "Model": "Model X",
    "Year": "2019",
    "Transmission Type": "DIRECT_DRIVE",
    "Number of Doors": "4",
    "Vehicle Style": "4dr SUV",
}
EPA = {
    "id": "1.0",
    "make": "Tesla",
    "model": "Model X AWD",
    "year": "2019.0",
    "class": "Standard Sport Utility Vehicle 4WD",
    "trans": "Automatic (A1)",
}
EDMUNDS = {
    "vehicle": "2019 Tesla Model X SUV 100D 4dr SUV AWD (electric DD)",
    "date": "on 11/19/19 16:47 PM (PST)",
    "rating": "4.875",
    "title": "Keeps on being great",
    "body": "Every day.",
}


def write_csv(path: Path, *rows: dict[str, str]) -> Path:
    """A file with the header of the first row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def zipped(path: Path) -> Path:
    """The same bytes under a name that says nothing."""
    target = path.with_suffix(".data")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target


class Outcome(NamedTuple):
    """The result of the file that was given first, and all findings."""

    result: Result
    findings: list[Finding]

    def brief(self) -> list[tuple[int, Action, str, str]]:
        return [(f.line, f.action, f.field, f.value) for f in self.findings]

    @property
    def rejected(self) -> list[Finding]:
        return [f for f in self.findings if f.action is Action.REJECTED]


class Findings(Report):
    """A report that keeps all findings."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Finding] = []

    def add(self, finding: Finding) -> None:
        self.all.append(finding)
        super().add(finding)


def imported(conn: psycopg.Connection[Any], *paths: Path, dry_run: bool = False) -> Outcome:
    report = Findings()
    results = import_files(conn, paths, report, dry_run=dry_run)
    first = next(result for result in results if result.file == str(paths[0]))
    return Outcome(first, report.all)


def vehicles(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """All vehicles with their features and host, in the order of their import."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT v.*, a.source_key AS host, a.display_name, a.role, "
            "ARRAY(SELECT feature FROM vehicle_features WHERE vehicle_id = v.id ORDER BY 1) "
            "AS features FROM vehicles v JOIN accounts a ON a.id = v.host_id ORDER BY v.id"
        ).fetchall()


def dirty(conn: psycopg.Connection[Any]) -> int:
    """How many rows the triggers have ever appended to the dirty log and left there."""
    row = conn.execute("SELECT count(*) FROM search_dirty").fetchone()
    assert row is not None
    return int(row[0])

"""Turo's listings in the United States, 2020: CSV, daily rates in whole US dollars.

There is no listing id. A listing is named by its owner, make, model, year and position, which the
source jitters per listing; two rows with the same name are the same car twice.
"""

from listings.formats.shared import hashed, make_of, model_of
from listings.listing import Listing
from listings.normalise import BODIES, FUELS, fold
from listings.places import COUNTRIES, STATES, UNITED_STATES, city, us_time_zone
from listings.report import Action
from listings.row import MAX_COUNT, RejectedRowError, Row

SOURCE = "turo-us"
COLUMNS = frozenset(
    {
        "fuelType", "rating", "renterTripsTaken", "reviewCount", "location.city",
        "location.country", "location.latitude", "location.longitude", "location.state", "owner.id",
        "rate.daily", "vehicle.make", "vehicle.model", "vehicle.type", "vehicle.year",
    }
)  # fmt: skip
_NAMED_BY = (
    "owner.id", "vehicle.make", "vehicle.model", "vehicle.year", "location.latitude",
    "location.longitude",
)  # fmt: skip


def parse(row: Row) -> Listing:
    """The listing of one row.

    Raises:
        RejectedRowError: no make, no price, or a country whose currency the file does not give.
    """
    make = make_of(row, "vehicle.make")
    rate = row.cents("rate.daily")
    country = row.word("location.country", COUNTRIES)
    if country not in {None, UNITED_STATES}:
        raise RejectedRowError(
            "location.country", country, "not in the United States: its currency is unknown"
        )
    region = row.word("location.state", STATES)
    lat, lon = row.position("location.latitude", "location.longitude")
    town = row.name("location.city")
    owner = row.name("owner.id")
    reviews = row.integer("reviewCount", 0, MAX_COUNT) or 0
    trips = row.integer("renterTripsTaken", 0, MAX_COUNT) or 0
    if reviews > trips:
        row.note(Action.KEPT, "reviewCount", row.raw("reviewCount"), "more reviews than trips")
    return Listing(
        source=SOURCE,
        source_key=hashed(*(fold(str(row.raw(field) or "")) for field in _NAMED_BY)),
        line=row.line,
        host_key=f"{SOURCE}:{owner}" if owner else SOURCE,
        host_name=f"Host {owner}" if owner else "Host on Turo",
        make=make,
        model=model_of(row, "vehicle.model", make),
        year=row.year("vehicle.year"),
        body=row.word("vehicle.type", BODIES),
        fuel=row.word("fuelType", FUELS),
        daily_rate_cents=rate,
        currency="USD",
        lat=lat,
        lon=lon,
        city=row.spelled("location.city", town, lambda name: city(name, UNITED_STATES)),
        region=region,
        country=country,
        time_zone=us_time_zone(region, lat, lon),
        imported_rating=row.stars("rating"),
        imported_review_count=reviews,
        trips=trips,
    )

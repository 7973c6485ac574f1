"""Getaround's cars in France: CSV, daily prices in whole euros.

`model_key` is the make; there is no model, year, place or owner. The unnamed first column is the
row's number in the data set, which names a listing.
"""

from listings.formats.shared import make_of
from listings.listing import Listing
from listings.normalise import AUTOMATIC, BODIES, FUELS, MANUAL
from listings.places import FRANCE
from listings.row import MAX_MILEAGE_KM, Row

SOURCE = "getaround"
COLUMNS = frozenset(
    {
        "", "model_key", "mileage", "fuel", "car_type", "private_parking_available", "has_gps",
        "has_air_conditioning", "automatic_car", "has_getaround_connect", "has_speed_regulator",
        "winter_tires", "rental_price_per_day",
    }
)  # fmt: skip
_FLAGS = {
    "private_parking_available": "Private parking",
    "has_gps": "GPS",
    "has_air_conditioning": "Air conditioning",
    "has_getaround_connect": "Unlock by app",
    "has_speed_regulator": "Cruise control",
    "winter_tires": "Winter tires",
}


def parse(row: Row) -> Listing:
    """The listing of one row.

    Raises:
        RejectedRowError: no id, no make or no price.
    """
    automatic = row.flag("automatic_car")
    return Listing(
        source=SOURCE,
        source_key=row.required_name(""),
        line=row.line,
        host_key=SOURCE,
        host_name="Host on Getaround",
        make=make_of(row, "model_key"),
        body=row.word("car_type", BODIES),
        fuel=row.word("fuel", FUELS),
        transmission=None if automatic is None else AUTOMATIC if automatic else MANUAL,
        mileage_km=row.integer("mileage", 0, MAX_MILEAGE_KM),
        daily_rate_cents=row.cents("rental_price_per_day"),
        currency="EUR",
        country=FRANCE,
        time_zone="Europe/Paris",
        features=tuple(sorted(name for flag, name in _FLAGS.items() if row.flag(flag))),
    )

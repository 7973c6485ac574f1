"""The catalogue of car features and prices: CSV, a row per variant of a model year.

It knows gearboxes and styles, but no seats. Fuel is left alone: hybrids run on "regular unleaded".
"""

from listings.listing import CatalogueEntry
from listings.normalise import (
    AUTOMATIC,
    CONVERTIBLE,
    COUPE,
    HATCHBACK,
    MANUAL,
    MINIVAN,
    PICKUP,
    SEDAN,
    SUV,
    VAN,
    WAGON,
    make,
)  # fmt: skip
from listings.row import Row

COLUMNS = frozenset({"Make", "Model", "Year", "Transmission Type", "Vehicle Style"})
# What matters to a renter is whether there is a clutch. UNKNOWN is not in it, and is reported.
_TRANSMISSIONS = {
    "automatic": AUTOMATIC, "automated_manual": AUTOMATIC, "direct_drive": AUTOMATIC,
    "manual": MANUAL,
}  # fmt: skip
_STYLES = {
    "sedan": SEDAN, "coupe": COUPE, "convertible": CONVERTIBLE, "wagon": WAGON,
    "2dr hatchback": HATCHBACK, "4dr hatchback": HATCHBACK,
    "2dr suv": SUV, "4dr suv": SUV, "convertible suv": SUV,
    "crew cab pickup": PICKUP, "extended cab pickup": PICKUP, "regular cab pickup": PICKUP,
    "passenger minivan": MINIVAN, "cargo minivan": MINIVAN, "passenger van": VAN, "cargo van": VAN,
}  # fmt: skip


def parse(row: Row) -> CatalogueEntry:
    """What one row says.

    Raises:
        RejectedRowError: no make, no model or no year that can be.
    """
    return CatalogueEntry(
        make=make(row.required_name("Make")),
        model=row.required_name("Model"),
        year=row.required_year("Year"),
        transmission=row.word("Transmission Type", _TRANSMISSIONS),
        body=row.word("Vehicle Style", _STYLES),
    )

"""The fuel economy catalogue of the US Environmental Protection Agency: CSV, 1984 to 2015.

It knows gearboxes, size classes and which cars have two seats. Years come as floats.
"""

import re

from listings.listing import CatalogueEntry
from listings.normalise import AUTOMATIC, CAR, MANUAL, MINIVAN, PICKUP, SUV, VAN, make
from listings.report import Action
from listings.row import Row

COLUMNS = frozenset({"make", "model", "year", "class", "trans"})
# The class of a car is a volume: "Compact Cars" has sedans and coupes, "Small Station Wagons" has
# hatchbacks. So it says Car, no finer. Special purpose vehicles are of every kind, and left out.
_CLASSES = (
    ("Two Seaters", CAR),
    ("Station Wagons", CAR),
    ("Cars", CAR),
    ("Pickup Trucks", PICKUP),
    ("Sport Utility Vehicle", SUV),
    ("Minivan", MINIVAN),
    ("Vans", VAN),
    ("Special Purpose Vehicle", None),
)
_TWO_SEATERS = "Two Seaters"
_DRIVE = re.compile(r" ([24]WD|[AFR]WD)$")


def parse(row: Row) -> CatalogueEntry:
    """What one row says; its model goes without the driven wheels ("MDX 4WD" is an MDX).

    Raises:
        RejectedRowError: no make, no model or no year that can be.
    """
    size = row.name("class")
    return CatalogueEntry(
        make=make(row.required_name("make")),
        model=_DRIVE.sub("", row.required_name("model")),
        year=row.required_year("year"),
        transmission=_transmission(row),
        body=_body(row, size),
        seats=2 if size == _TWO_SEATERS else None,
    )


def _transmission(row: Row) -> str | None:
    text = row.name("trans")
    if text is None:
        return None
    for start, gearbox in (("Auto", AUTOMATIC), ("Manual", MANUAL)):
        if text.startswith(start):
            return gearbox
    row.note(Action.DROPPED, "trans", text, "not a known value of this field")
    return None


def _body(row: Row, size: str | None) -> str | None:
    if size is None:
        return None
    for words, body in _CLASSES:
        if words in size:
            return body
    row.note(Action.DROPPED, "class", size, "not a known value of this field")
    return None

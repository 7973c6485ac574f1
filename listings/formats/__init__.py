"""The files that can be imported: one module each, from a row to a listing, review or entry."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from listings.formats import (
    car_features,
    edmunds,
    epa,
    getaround,
    turo_montreal,
    turo_us,
)
from listings.listing import CatalogueEntry, ImportedReview, Listing
from listings.reading import Head, UnreadableError, head
from listings.row import Row


@dataclass(frozen=True, slots=True)
class Listings:
    """Vehicles; loaded before everything else, whatever the order of the files."""

    parse: Callable[[Row], Listing]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Facts about model years, to fill what listings do not say; loaded second."""

    parse: Callable[[Row], CatalogueEntry]


@dataclass(frozen=True, slots=True)
class Reviews:
    """Owners' reviews, to hang on the vehicles that are there; loaded last."""

    parse: Callable[[Row], ImportedReview]


STAGES = (Listings, Catalogue, Reviews)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file, told by `columns`: the least that its header or JSON objects must have."""

    name: str
    kind: Listings | Catalogue | Reviews
    columns: frozenset[str]
    json: bool = False

    def fits(self, seen: Head) -> bool:
        """Whether a file that begins like `seen` is of this format."""
        if self.json:
            return any(self.columns <= keys for keys in seen.objects)
        return self.columns <= seen.columns


FORMATS = (
    Format("turo-us", Listings(turo_us.parse), turo_us.COLUMNS),
    Format("turo-montreal", Listings(turo_montreal.parse), turo_montreal.KEYS, json=True),
    Format("getaround", Listings(getaround.parse), getaround.COLUMNS),
    Format("car-features", Catalogue(car_features.parse), car_features.COLUMNS),
    Format("epa", Catalogue(epa.parse), epa.COLUMNS),
    Format("edmunds", Reviews(edmunds.parse), edmunds.COLUMNS),
)


def detect(path: Path) -> Format:
    """The format of a file, by what is in it.

    Raises:
        UnreadableError: it is none of `FORMATS`; the message says what they need and what was seen.
        OSError: it cannot be opened.
    """
    seen = head(path)
    for known in FORMATS:
        if known.fits(seen):
            return known
    needs = "\n".join(
        f"  {known.name}: {'JSON lines with' if known.json else 'CSV with columns'} "
        + ", ".join(name or "one without a name" for name in sorted(known.columns))
        for known in FORMATS
    )
    raise UnreadableError(f"it begins {seen.shown!r}, which is none of the known formats:\n{needs}")

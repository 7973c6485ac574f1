"""Which features a car has: since when they are built in, and how often by class."""

from functools import cache
from typing import NamedTuple


class Feature(NamedTuple):
    """A feature in its display form.

    `since` is the model year in which cars of every class begin to have it, `share` the part of
    newer cars that do, `by_class` the classes where that part is another.
    """

    name: str
    since: int
    share: float
    by_class: dict[str, float]


_RUGGED = {"off-road": 0.55, "pickup": 0.45, "large suv": 0.3}
_FAMILY = {"minivan": 0.55, "large suv": 0.45, "suv": 0.3, "van": 0.35, "sports": 0, "classic": 0}
_DEAR = {"luxury": 0.9, "premium": 0.75, "sports": 0.5, "electric": 0.6, "economy": 0.03}

FEATURES = (
    Feature("Air conditioning", 1980, 0.95, {"classic": 0.05}),
    Feature("Bluetooth", 2010, 0.78, {"classic": 0.2}),
    Feature("USB charger", 2009, 0.5, {"luxury": 0.9, "electric": 0.95, "classic": 0.1}),
    Feature("AUX input", 2006, 0.14, {}),
    Feature("GPS", 2005, 0.22, {"luxury": 0.8, "premium": 0.65, "electric": 0.9, "economy": 0.12}),
    Feature("Apple CarPlay", 2017, 0.5, {"economy": 0.35, "premium": 0.85, "electric": 0.3}),
    Feature("Android Auto", 2017, 0.42, {"economy": 0.3, "premium": 0.75, "electric": 0.28}),
    Feature("Backup camera", 2014, 0.52, {"economy": 0.3, "large suv": 0.9, "luxury": 0.95}),
    Feature("Cruise control", 2000, 0.32, {"economy": 0.2, "premium": 0.85, "luxury": 0.95}),
    Feature("Keyless entry", 2008, 0.3, {"economy": 0.2, "luxury": 0.95, "electric": 0.9}),
    Feature("Blind spot warning", 2016, 0.18, {"premium": 0.6, "luxury": 0.85, "economy": 0.06}),
    Feature("Heated seats", 2005, 0.08, _DEAR),
    Feature("Leather seats", 1995, 0.12, _DEAR | {"classic": 0.4, "convertible": 0.4}),
    Feature("Sunroof", 1998, 0.13, {"premium": 0.4, "luxury": 0.6, "convertible": 0, "van": 0}),
    Feature("All-wheel drive", 1990, 0.02, {
        "off-road": 0.95, "pickup": 0.5, "luxury": 0.5, "large suv": 0.45, "suv": 0.25,
        "premium": 0.3, "electric": 0.3,
    }),
    Feature("Third-row seats", 1990, 0, {"large suv": 0.75, "minivan": 0.9}),
    Feature("Child seat", 1950, 0.1, _FAMILY),
    Feature("Roof rack", 1950, 0.06, _RUGGED | {"suv": 0.25, "van": 0.2, "convertible": 0}),
    Feature("Surf rack", 1950, 0.05, _RUGGED | {"convertible": 0, "luxury": 0.01, "sports": 0}),
    Feature("Beach gear", 1950, 0.14, {"off-road": 0.3, "minivan": 0.3, "luxury": 0.06}),
    Feature("Cooler", 1950, 0.1, {"minivan": 0.2, "off-road": 0.18, "luxury": 0.03}),
    Feature("Snorkel set", 1950, 0.06, {"luxury": 0.02, "sports": 0}),
    Feature("Bike rack", 1950, 0.03, _RUGGED | {"convertible": 0, "luxury": 0.02}),
    Feature("Pet friendly", 1950, 0.14, {"off-road": 0.25, "pickup": 0.25, "luxury": 0.04}),
    Feature("Tow hitch", 1990, 0.01, {"pickup": 0.5, "large suv": 0.2, "off-road": 0.2}),
    Feature("Camping gear", 1950, 0.01, {"off-road": 0.08, "van": 0.15, "pickup": 0.05}),
)  # fmt: skip


@cache
def shares(kind: str, year: int, fuel: str, seats: int) -> tuple[tuple[str, float], ...]:
    """The features that a car of this sort may have, each with its probability."""
    usual = [
        (feature.name, feature.by_class.get(kind, feature.share))
        for feature in FEATURES
        if year >= feature.since
    ]
    if seats < 7:  # noqa: PLR2004 - two rows seat up to six
        usual = [pair for pair in usual if pair[0] != "Third-row seats"]
    if fuel == "Electric":
        usual.append(("Charging cable", 0.9))
    return tuple(pair for pair in usual if pair[1] > 0)

"""What people call things, as data: each word also stands for the words beside it.

An alias is an alternative, never a replacement: a title that says "vette" is still found by it.
Both sides are folded: lower case, no accents. Nicknames that mean two things (`rs`, `rr`) are left
out, and so is what a document holds anyway (`mercedes` of Mercedes-Benz).
"""

from collections.abc import Mapping
from types import MappingProxyType

_TABLE = """
    volkswagen: vw, volks
    chevrolet: chevy, chev
    mercedes: merc
    bmw: beemer, bimmer, beamer
    toyota: yota
    mitsubishi: mitsu
    subaru: subie
    cadillac: caddy
    jaguar: jag
    lamborghini: lambo
    corvette: vette
    mustang: stang
    cabriolet: cabrio
    convertible: cabrio, cabriolet, roadster, droptop
    pickup: truck, ute
    wagon: estate
    minivan: mpv, minibus
    suv: 4x4, crossover
    electric: ev, bev
    petrol: gas, gasoline
    automatic: auto
    manual: stick
"""


def _read(table: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in table.strip().splitlines():
        word, _, names = line.strip().partition(": ")
        for name in names.split(", "):
            found[name] = (*found.get(name, ()), word)
    return found


ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(_read(_TABLE))


def also_called(word: str) -> tuple[str, ...]:
    """What else a folded word, or the one that it is the plural of, stands for."""
    return ALIASES.get(word) or ALIASES.get(word.removesuffix("s"), ())

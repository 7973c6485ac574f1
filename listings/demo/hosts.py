"""Who rents cars out: where, how many, at what price level and how well."""

from random import Random
from typing import NamedTuple

from listings.demo.people import PEOPLE
from listings.demo.places import ISLANDS, Island, Town
from listings.demo.words import BUSINESS_NAMES, FIRST_NAMES, INITIALS
from models import Role

_FLEETS = (1, 2, 3, 4, 6, 10, 18, 35)
_FLEET_WEIGHTS = (45, 20, 12, 7, 6, 5, 3, 2)
_KNOWN_HOST_FLEET = 6
_BUSINESS = 10  # cars
_TIERS = (0, 1, 2, 3)
_TIER_WEIGHTS = (45, 38, 13, 4)


class Host(NamedTuple):
    """A host: the town where the cars stand, a factor on rates, and 0 (great) to 3 (poor)."""

    name: str
    island: Island
    town: Town
    price: float
    tier: int


def person_name(rng: Random) -> str:
    """A first name and an initial, as marketplaces show people."""
    first = FIRST_NAMES[int(rng.random() * len(FIRST_NAMES))]
    return f"{first} {INITIALS[int(rng.random() * len(INITIALS))]}."


def draw(rng: Random, vehicles: int) -> tuple[list[Host], list[int]]:
    """The hosts of `vehicles` cars, the known one first, and whose each car is, in random order."""
    shares = [island.share for island in ISLANDS]
    hosts: list[Host] = []
    owners: list[int] = []
    while len(owners) < vehicles:
        size = rng.choices(_FLEETS, _FLEET_WEIGHTS)[0] if hosts else _KNOWN_HOST_FLEET
        island = rng.choices(ISLANDS, shares)[0] if hosts else ISLANDS[0]
        name = person_name(rng)
        if not hosts:
            name = next(person.display_name for person in PEOPLE if person.role is Role.HOST)
        elif size >= _BUSINESS:
            name = f"{island.name} {rng.choice(BUSINESS_NAMES)}"
        owners += [len(hosts)] * min(size, vehicles - len(owners))
        hosts.append(
            Host(
                name=name,
                island=island,
                town=rng.choice(island.towns),
                price=rng.gauss(1, 0.08),
                tier=0 if not hosts else rng.choices(_TIERS, _TIER_WEIGHTS)[0],
            )
        )
    rng.shuffle(owners)
    return hosts, owners

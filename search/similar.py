"""Vehicles like another one: a search in which likeness takes the place of text.

What two vehicles share gives whole points, and the profile's signals order what is equally alike,
as they order what a text finds alike. So a page of similar vehicles is made, checked, fallen back
for and mixed by host as every page is.
"""

from datetime import datetime

from msgspec.structs import replace

from models import Vehicle
from search.request import Likeness, Near, SearchRequest, Trait

RADIUS_KM = 100  # of where the vehicle stands; further away nobody would pick another one up
ROOMIER = 2  # seats more that will do as well
# Points, and what vehicles share that get them. A model counts beside its make, a near price and
# place also as a less near one.
MODEL, BODY, SEATS, MAKE, FUEL, TRANSMISSION = 4, 3, 2, 1, 1, 1
PRICES = ((25, 2), (50, 1))  # per cent around the daily rate
PLACES = ((10, 2), (30, 1))  # kilometres


def request(vehicle: Vehicle, asked: SearchRequest, now: datetime) -> SearchRequest:
    """The search for vehicles like this one, with the dates and the limit of `asked`.

    Within 100 km, or in its region or else country if its place is not known.
    """
    near = None
    filters: dict[str, tuple[str, ...]] = {}
    if vehicle.lat is not None and vehicle.lon is not None:
        near = Near(float(vehicle.lat), float(vehicle.lon), RADIUS_KM)
    elif vehicle.region:
        filters["region"] = (vehicle.region,)
    elif vehicle.country:
        filters["country"] = (vehicle.country,)
    like = Likeness(vehicle.id, _kind(vehicle), (*_kind(vehicle), *_rest(vehicle, near)))
    return replace(asked, near=near, filters=filters, like=like, facets=(), now=now)


def _kind(vehicle: Vehicle) -> tuple[Trait, ...]:
    """Without any of these it is another kind of car, however near or cheap."""
    kinds = [Trait(MAKE, values={"make": vehicle.make})]
    if vehicle.model:
        kinds.append(Trait(MODEL, values={"make": vehicle.make, "model": vehicle.model}))
    if vehicle.body:
        kinds.append(Trait(BODY, values={"body": vehicle.body}))
    return tuple(kinds)


def _rest(vehicle: Vehicle, near: Near | None) -> list[Trait]:
    traits: list[Trait] = []
    if vehicle.fuel:
        traits.append(Trait(FUEL, values={"fuel": vehicle.fuel}))
    if vehicle.transmission:
        traits.append(Trait(TRANSMISSION, values={"transmission": vehicle.transmission}))
    if vehicle.seats:
        traits.append(Trait(SEATS, ranges={"seats": (vehicle.seats, vehicle.seats + ROOMIER)}))
    rate = vehicle.daily_rate_cents
    for percent, points in PRICES:
        band = (rate * (100 - percent) // 100, rate * (100 + percent) // 100)
        traits.append(Trait(points, ranges={"daily_rate": band}))
    if near:
        traits += [
            Trait(points, near=replace(near, radius_km=kilometres)) for kilometres, points in PLACES
        ]
    return traits

"""What is for rent in a market: each model in each year, fuel and transmission, how often."""

from functools import cache
from itertools import accumulate, product
from typing import NamedTuple

from listings.demo import features
from listings.demo.models import MODELS, Model

# How many cars of each age in years there are for rent; older ones are classics or not rented.
_BY_AGE = (40, 80, 100, 95, 90, 85, 75, 62, 50, 42, 34, 28, 22, 17, 13, 10, 7, 5)
_FUEL_SHARE = {
    "u": {"Petrol": 70, "Hybrid": 22, "Diesel": 6, "Electric": 20},
    "c": {"Petrol": 70, "Hybrid": 12, "Diesel": 25, "Electric": 10},
    "e": {"Petrol": 55, "Hybrid": 25, "Diesel": 30, "Electric": 15},
    "p": {"Petrol": 55, "Hybrid": 30, "Diesel": 30, "Electric": 10},
}
_MANUAL_SHARE = {"u": 6, "c": 15, "e": 62, "p": 30}  # percent, where there is a choice
_LOSS_PER_YEAR = 0.965
_OLDEST_WORTH = 0.55


class Variant(NamedTuple):
    """A model as somebody owns it; the rate is USD cents a day at its age."""

    model: Model
    year: int
    age: int
    fuel: str
    transmission: str
    rate_cents: float
    features: tuple[tuple[str, float], ...]


class Offer(NamedTuple):
    """The variants of a market with their cumulative weights, as `random.choices` takes them."""

    variants: tuple[Variant, ...]
    weights: tuple[float, ...]


@cache
def offer(market: str, this_year: int) -> Offer:
    """What is for rent in `market` in `this_year`."""
    variants: list[Variant] = []
    weights: list[float] = []
    for model in MODELS:
        if market not in model.markets:
            continue
        owned = _owned(model, market, this_year)
        total = sum(weight for _, weight in owned)
        variants += [variant for variant, _ in owned]
        weights += [model.frequency * weight / total for _, weight in owned]
    return Offer(tuple(variants), tuple(accumulate(weights)))


def _owned(model: Model, market: str, this_year: int) -> list[tuple[Variant, float]]:
    """The variants of one model with their relative weights."""
    classic = model.kind == "classic"
    owned = []
    for year, fuel in product(range(model.first, (model.last or this_year) + 1), model.fuels):
        age = this_year - year
        common = 1 if classic else _BY_AGE[age] if 0 <= age < len(_BY_AGE) else 0
        if not common or not fuel.first <= year <= (fuel.last or year):
            continue
        for transmission, share in _transmissions(model, market, fuel.name).items():
            variant = Variant(
                model=model,
                year=year,
                age=age,
                fuel=fuel.name,
                transmission=transmission,
                rate_cents=model.rate_cents
                * (1 if classic else max(_OLDEST_WORTH, _LOSS_PER_YEAR**age)),
                features=features.shares(model.kind, year, fuel.name, model.seats),
            )
            owned.append((variant, common * share * _FUEL_SHARE[market][fuel.name]))
    return owned


def _transmissions(model: Model, market: str, fuel: str) -> dict[str, float]:
    if fuel == "Electric":
        return {"Automatic": 100}
    if fuel == "Hybrid" or len(model.transmissions) == 1:
        return {model.transmissions[0]: 100}
    return {"Manual": _MANUAL_SHARE[market], "Automatic": 100 - _MANUAL_SHARE[market]}

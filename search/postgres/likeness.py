"""Likeness to another vehicle as SQL: the same clauses as `search/query/likeness.py`."""

from search.postgres import conditions
from search.postgres.parameters import Parameters
from search.request import Likeness, Trait


def kind(like: Likeness, into: Parameters) -> list[str]:
    """Never the vehicle itself, and at least one trait of its kind."""
    kinds = " OR ".join(_shares(each, into) for each in like.kind)
    return [f"id <> {into.add(like.id, 'bigint')}", f"({kinds})"]


def score(like: Likeness, into: Parameters) -> str:
    """The sum of the points of the traits that a vehicle has."""
    return " + ".join(
        f"CASE WHEN {_shares(each, into)} THEN {each.points} ELSE 0 END" for each in like.traits
    )


def _shares(trait: Trait, into: Parameters) -> str:
    clauses = [
        f"{name} = ANY({conditions.codes(name, (value,), into)})"
        for name, value in trait.values.items()
    ]
    clauses += [conditions.between(name, ends, into) for name, ends in trait.ranges.items()]
    if trait.near and trait.near.radius_km:
        clauses += conditions.within(trait.near, trait.near.radius_km, into)
    return f"({' AND '.join(clauses)})"

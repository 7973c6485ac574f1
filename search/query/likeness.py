"""Likeness to another vehicle: which vehicles are of its kind, and how alike each is."""

from typing import Any

from search.query import filters
from search.request import Likeness, Trait

Clause = dict[str, Any]


def kind(like: Likeness) -> list[Clause]:
    """Never the vehicle itself, and at least one trait of its kind."""
    return [
        {"bool": {"must_not": {"ids": {"values": [like.id]}}}},
        {"bool": {"should": [_shares(each) for each in like.kind]}},
    ]


def scored(like: Likeness) -> list[Clause]:
    """Each trait's points for who has it."""
    return [
        {"constant_score": {"filter": _shares(each), "boost": each.points}} for each in like.traits
    ]


def _shares(trait: Trait) -> Clause:
    clauses: list[Clause] = [
        {"term": {f"{name}.key": value}} for name, value in trait.values.items()
    ]
    clauses += [filters.between(name, ends) for name, ends in trait.ranges.items()]
    if trait.near:
        clauses.append(filters.within(trait.near))
    return clauses[0] if len(clauses) == 1 else {"bool": {"filter": clauses}}

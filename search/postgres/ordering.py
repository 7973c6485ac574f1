"""Sort orders and where a page continues, as SQL; each order ends in the id.

Missing values stand as the numbers that Elasticsearch gives for them, so that they come last and a
cursor by a field continues on either engine.
"""

from dataclasses import dataclass

from search.fields import RELEVANCE, SORTS
from search.postgres import likeness, signals, text
from search.postgres.conditions import distance_m, price, sorts_by_distance
from search.postgres.parameters import Parameters
from search.profiles import Profile
from search.request import SearchRequest

_LAST = {"asc": 2**31 - 1, "desc": -(2**31)}  # of a field of kind INTEGER; no other lacks a value


@dataclass(frozen=True, slots=True)
class Key:
    """One sort value: an expression that is never NULL."""

    sql: str
    kind: str
    descending: bool = False


_ID = Key("id", "bigint")


def keys(request: SearchRequest, profile: Profile, into: Parameters) -> list[Key]:
    """The sort values, in order; those of fields are the same as Elasticsearch's.

    Relevance is the score of the text or of the likeness, and of the profile's signals: without
    either, of these alone.
    """
    if request.only:
        return [_ID]
    if request.sort == RELEVANCE:
        parts = signals.ranked(request, profile, into)
        if request.like:
            parts.append(likeness.score(request.like, into))
        elif request.text:
            parts.append(text.score(request, profile, into))
        # As exact as Elasticsearch's, so that what ties there ties here and goes by id.
        return [Key(f"({' + '.join(parts) or '0'})::float4", "float4", True), _ID]
    if sorts_by_distance(request) and request.near:
        return [Key(f"coalesce({distance_m(request.near, into)}, 'Infinity')", "float8"), _ID]
    name, order = SORTS[request.sort]
    return [_field(price(request) if name == "daily_rate" else name, order), _ID]


def _field(expression: str, order: str) -> Key:
    return Key(f"coalesce({expression}, {_LAST[order]})", "bigint", order == "desc")


def clause(sort: list[Key]) -> str:
    """ORDER BY over the columns s0, s1, … of what was found."""
    return ", ".join(f"s{n}{' DESC' if key.descending else ''}" for n, key in enumerate(sort))


def after(sort: list[Key], last: tuple[object, ...], into: Parameters) -> str:
    """True of what comes after these sort values."""
    alternatives: list[str] = []
    equal: list[str] = []
    for n, (key, value) in enumerate(zip(sort, last, strict=True)):
        given = into.add(value, key.kind)
        alternatives.append(
            " AND ".join([*equal, f"s{n} {'<' if key.descending else '>'} {given}"])
        )
        equal.append(f"s{n} = {given}")
    return f"({' OR '.join(f'({one})' for one in alternatives)})"

"""What a renter may give up where little is found, in the order of docs/adr/0019.

A step knows one kind of demand. It answers with levels of searches that ask for less, the mildest
first, and on a level with those that cost the renter alike. Days are moved but never given up, for
without them nothing can be booked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import Any

from msgspec.structs import replace

from search.fields import FIELDS, Match
from search.query.text import is_optional
from search.request import Near, SearchRequest
from search.typos import is_known
from search.understand.vocabulary import MOST_OPTIONS, PLACES, Vocabulary
from search.understand.words import key
from search.words import fold, split

WIDER = (2, 4)  # times the radius
AROUND_CITY_KM = 50
DEARER = 1.25  # times the highest price; the lowest is divided by it
FLEX_DAYS = (3, 7)
MOST_ALTERNATIVES = 6  # features or words that are tried one by one
MOST_COMBINATIONS = 11  # all of four demands
_MOST_RADIUS_KM = 20_000  # as the HTTP contract allows
_YEAR_DIGITS = 4

Levels = list[list[SearchRequest]]
Step = Callable[[SearchRequest, Vocabulary], Levels]


def singly(request: SearchRequest, vocabulary: Vocabulary) -> list[Levels]:
    """By step, in order, what is asked for without this alone."""
    return [levels for step in STEPS if (levels := step(request, vocabulary))]


def together(request: SearchRequest, vocabulary: Vocabulary) -> list[list[SearchRequest]]:
    """What is asked for without two things, three, … all: the utmost of each step, by how many.

    Of as many things, those come first whose last is given up first. Many demands have too many
    combinations: then of the larger ones only those of the first steps are there.
    """
    steps = [step for step in STEPS if step(request, vocabulary)]
    found = []
    left = MOST_COMBINATIONS
    for size in range(2, len(steps) + 1):
        of_size = combinations(range(len(steps)), size)
        chosen = sorted(of_size, key=lambda each: each[::-1])[: max(left, 1)]
        left -= len(chosen)
        found.append(
            [_without_all([steps[n] for n in each], request, vocabulary) for each in chosen]
        )
    return found


def _without_all(
    steps: Sequence[Step], request: SearchRequest, vocabulary: Vocabulary
) -> SearchRequest:
    for step in steps:
        if levels := step(request, vocabulary):
            request = levels[-1][0]
    return request


def demanding(request: SearchRequest) -> bool:
    """Whether anything but days is asked for."""
    return bool(
        request.text
        or _radius_km(request)
        or request.box
        or request.filters
        or request.ranges
        or request.flags
    )


def _radius_km(request: SearchRequest) -> float | None:
    return request.near.radius_km if request.near else None


def _unknown_words(request: SearchRequest, vocabulary: Vocabulary) -> Levels:
    """Words that no name or feature has: wishes that a description may or may not mention.

    First those that are not even near one that is known.
    """
    words = split(request.text or "")
    unknown = [n for n, word in enumerate(words) if not _is_known(word, vocabulary)]
    odd = [n for n in unknown if not vocabulary.near.near(fold(words[n]))]
    choices = [odd, unknown] if odd != unknown else [unknown]
    return [[_without_words(request, gone)] for gone in choices if gone]


def _is_known(word: str, vocabulary: Vocabulary) -> bool:
    year = len(word) == _YEAR_DIGITS and word.isdigit()
    return year or is_optional(word) or is_known(fold(word), vocabulary.words)


def _words(request: SearchRequest, vocabulary: Vocabulary) -> Levels:
    """Each word of the text; all but one that is known; and then all: they are mostly names."""
    if not request.text:
        return []
    words = split(request.text)
    every = [n for n, word in enumerate(words) if not is_optional(word)][:MOST_ALTERNATIVES]
    known = [n for n in every if _is_known(words[n], vocabulary)]
    levels = [
        [_without_words(request, [n]) for n in every],
        [replace(request, text=words[n]) for n in known],
    ]
    some = [level for level in levels if level and len(every) > 1]
    return [*some, [replace(request, text=None)]]


def _without_words(request: SearchRequest, gone: Sequence[int]) -> SearchRequest:
    """With a word go the small ones before it: "in" of "in Hilo"."""
    left: list[str] = []
    for n, word in enumerate(split(request.text or "")):
        if n not in gone:
            left.append(word)
            continue
        while left and is_optional(left[-1]):
            left.pop()
    matters = any(not is_optional(word) for word in left)
    return replace(request, text=" ".join(left) if matters else None)


def _range(name: str) -> Step:
    def step(request: SearchRequest, _: Vocabulary) -> Levels:
        return [[_without_range(request, name)]] if name in request.ranges else []

    return step


def _without_range(request: SearchRequest, name: str) -> SearchRequest:
    return replace(request, ranges=_without(request.ranges, name))


def _flags(request: SearchRequest, _: Vocabulary) -> Levels:
    return [[replace(request, flags={})]] if request.flags else []


def _radius(request: SearchRequest, vocabulary: Vocabulary) -> Levels:
    """A little farther: twice and four times the radius, or around the city instead of in it."""
    if request.near and request.near.radius_km:
        asked = request.near.radius_km
        wider = [min(asked * times, _MOST_RADIUS_KM) for times in WIDER]
        return [
            [replace(request, near=replace(request.near, radius_km=km))]
            for km in wider
            if km > asked
        ]
    cities = request.filters.get("city", ())
    if len(cities) != 1 or request.near or request.box:
        return []
    point = vocabulary.point(cities[0])
    if point is None:
        return []
    around = Near(*point, AROUND_CITY_KM)
    return [[replace(request, near=around, filters=_without(request.filters, *PLACES))]]


def _price(request: SearchRequest, _: Vocabulary) -> Levels:
    """A quarter more (or less, for a lowest price), in whole units of currency; then any price."""
    if "daily_rate" not in request.ranges:
        return []
    low, high = request.ranges["daily_rate"]
    wider = (
        None if low is None else int(low / DEARER) // 100 * 100,
        None if high is None else -(-int(high * DEARER) // 100) * 100,
    )
    mild = replace(request, ranges={**request.ranges, "daily_rate": wider})
    return [
        *([[mild]] if wider != (low, high) else []),
        [_without_range(request, "daily_rate")],
    ]


def _days(request: SearchRequest, _: Vocabulary) -> Levels:
    """As many days, a few earlier or later; a month has no more."""
    if request.dates is None or request.dates.later is not None:
        return []
    return [
        [replace(request, dates=replace(request.dates, flex=days))]
        for days in FLEX_DAYS
        if days > request.dates.flex
    ]


def _features(request: SearchRequest, _: Vocabulary) -> Levels:
    """One of them, and then all."""
    asked = request.filters.get("features", ())
    one_by_one = [
        replace(request, filters={**request.filters, "features": _but(asked, each)})
        for each in asked[:MOST_ALTERNATIVES]
    ]
    none = replace(request, filters=_without(request.filters, "features"))
    return [*([one_by_one] if len(asked) > 1 else []), [none]] if asked else []


def _filters(*names: str) -> Step:
    """One of these filters, and then all."""

    def step(request: SearchRequest, _: Vocabulary) -> Levels:
        asked = [name for name in names if name in request.filters]
        alone = [replace(request, filters=_without(request.filters, name)) for name in asked]
        everything = replace(request, filters=_without(request.filters, *asked))
        return [*([alone] if len(asked) > 1 else []), [everything]] if asked else []

    return step


def _model(request: SearchRequest, vocabulary: Vocabulary) -> Levels:
    """Other models of the make: of the one that is asked for, or else of the model's own."""
    models = request.filters.get("model")
    if not models:
        return []
    filters = _without(request.filters, "model")
    if "make" not in filters and (makes := _makes(models, vocabulary)):
        filters["make"] = makes
    return [[replace(request, filters=filters)]]


def _makes(models: Sequence[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    terms = chain.from_iterable(vocabulary.terms.get(key(model), ()) for model in models)
    makes = {make for term in terms if term.field == "model" for make in term.makes}
    return tuple(sorted(makes)[:MOST_OPTIONS])


def _place(request: SearchRequest, _: Vocabulary) -> Levels:
    """The city, where what it lies in is asked for as well; then anywhere."""
    asked = [name for name in reversed(PLACES) if name in request.filters]
    near = request.near and replace(request.near, radius_km=None)
    if not (asked or request.box or _radius_km(request)):
        return []
    anywhere = replace(request, near=near, box=None, filters=_without(request.filters, *asked))
    wider = replace(request, filters=_without(request.filters, *asked[:1]))
    return [*([[wider]] if len(asked) > 1 else []), [anywhere]]


def _without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {each: value for each, value in mapping.items() if each not in names}


def _but(values: Sequence[str], gone: str) -> tuple[str, ...]:
    return tuple(value for value in values if value != gone)


def _others(*known: str) -> Iterator[str]:
    """Fields of which any value may match, besides those with a step of their own."""
    return (each.name for each in FIELDS if each.match is Match.ANY and each.name not in known)


STEPS: tuple[Step, ...] = (
    _unknown_words,
    _range("rating"),
    _flags,
    _range("year"),
    _radius,
    _price,
    _days,
    _features,
    _filters(*_others("make", "model", "body", *PLACES)),
    _words,
    _model,
    _filters("make"),
    _filters("body"),
    _range("seats"),
    _place,
)

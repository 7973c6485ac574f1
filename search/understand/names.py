"""Makes, models, bodies, fuels, gearboxes, features and places, as the index names them.

A filter must never hide what text search would have found as an exact name. So a name of several
kinds, or one that stands inside a name of another kind ("Santa Fe", "Kona"), or that is an ordinary
word ("Fit"), is understood only where its neighbours decide: beside its make it is a model, after
"in" or "near" or before its region it is a place. Otherwise it stays text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from search.understand.aliases import CODES, ORDINARY, PHRASES
from search.understand.denial import denied_from
from search.understand.reading import Kind
from search.understand.vocabulary import LONGEST_NAME, PLACES, Term, Vocabulary
from search.understand.words import Line, Span, fold, key

NEAR_KM = 30
_JOINTS = frozenset("-/.'&+")
_JOINED = (["and"], ["or"], ["&"], ["/"], [","], [",", "and"], [",", "or"])
_IN = frozenset(["in", "at", "from", "to", "of"])
_NEAR = frozenset(["near", "nearby", "around", "by", "close", "beside"])
_INTERNATIONAL = (["international"], ["intl"])
_PARTS = (["airport"], ["area"], ["island"])
_KM_A_MILE = 1.609344
_LONGEST_RADIUS = 4  # words: "less than 10 miles"
_RADIUS = re.compile(
    r"(?:(?<!\S)(?:within|less than|under|max|up to) )?(?<!\S)(?P<n>\d{1,3}) "
    r"(?P<unit>kms?|kilomet(?:re|er)s?|miles?|mi) (?:of|from|around)$"
)
_LEAST_SINGULAR = 3  # letters left of a plural
_SHORTEST_NAME = 3  # shorter ones need a neighbour that confirms them, unless they hold a digit

Found = tuple[Span, Kind, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the line and what it may mean."""

    span: Span
    key: str
    terms: tuple[Term, ...]

    def of(self, *fields: str) -> tuple[Term, ...]:
        """The meanings as values of these fields."""
        return tuple(term for term in self.terms if term.field in fields)


def find(line: Line, vocabulary: Vocabulary) -> Iterator[Found]:
    """What the names in the line mean, none overlapping another.

    What is denied has no parameters: it is neither a filter nor a word that must be found.
    """
    names = _names(line, vocabulary)
    consumed = 0
    denied: Found | None = None
    place: Found | None = None  # the last one
    for index, name in enumerate(names):
        if name.span.first < consumed:
            continue
        before = names[index - 1] if index else None
        after = names[index + 1] if index + 1 < len(names) else None
        beside = place if place and line.tokens[place[0].end : name.span.first] in _JOINED else None
        found = _read(line, vocabulary, name, before, after, beside)
        denied = _denied(line, name, found, denied)
        if found := denied or found:
            consumed = found[0].end
            place = found if found[1] == "place" and not denied else place
            yield found


def _names(line: Line, vocabulary: Vocabulary) -> list[Name]:
    """The longest names from left to right."""
    names: list[Name] = []
    keys = [*map(key, line.tokens)]
    at = 0
    while at < len(line.tokens):
        end = at + 1
        for candidate in _runs(line, at):
            joined = "".join(keys[at:candidate])
            if joined in PHRASES:
                end = candidate
                break
            if terms := _lookup(vocabulary, joined, words=candidate - at):
                names.append(Name(Span(at, candidate), joined, terms))
                end = candidate
                break
        at = end
    return names


def _runs(line: Line, at: int) -> Iterator[int]:
    """Ends of the runs of words from `at`, the longest first; they do not cross a comma."""
    if not line.tokens[at][0].isalnum():
        return
    ends = []
    words = 0
    for index in range(at, len(line.tokens)):
        if line.tokens[index][0].isalnum():
            words += 1
            ends.append(index + 1)
        elif line.tokens[index] not in _JOINTS or _ends_a_sentence(line, index):
            break
        if words == LONGEST_NAME:
            break
    yield from reversed(ends)


def _ends_a_sentence(line: Line, index: int) -> bool:
    end = line.places[index][1]
    return line.tokens[index] == "." and line.text[end : end + 1].isspace()


def _lookup(vocabulary: Vocabulary, joined: str, words: int) -> tuple[Term, ...]:
    """The name, the one that it is the plural of, or the feature that it is the singular of."""
    if terms := vocabulary.terms.get(joined):
        # "Models" is a plural, not the Model S.
        plural = words == 1 and joined.endswith("s")
        return tuple(t for t in terms if not (plural and fold(t.values[0]).endswith(" s")))
    if joined.endswith("s") and len(joined) > _LEAST_SINGULAR:
        terms = vocabulary.terms.get(joined[:-1], ())
        return tuple(term for term in terms if term.field not in PLACES)
    # Only features: "model" is not the Model S.
    return tuple(
        term for term in vocabulary.terms.get(f"{joined}s", ()) if term.field == "features"
    )


def _denied(line: Line, name: Name, found: Found | None, last: Found | None) -> Found | None:
    """A name without parameters that is denied itself, or together with the `last` one."""
    if name.key.isdigit() and not found:
        return None
    field = name.terms[0].field
    kind = found[1] if found else "place" if field in PLACES else field
    span = found[0] if found else name.span
    first = denied_from(line, name.span.first, described=True)
    if first is None and last:
        between = line.tokens[last[0].end : span.first]
        # "No Tesla SUV", "no Tesla or Jeep", "no Tesla and Jeep"; but "no Tesla in Hilo".
        same = between in (["or"], ["nor"]) or (between == ["and"] and kind == last[1])
        first = last[0].end if same or (not between and kind != "place") else None
    if first is None:
        return None
    return Span(min(first, span.first), span.end), kind, {}  # type: ignore[return-value]


def _read(
    line: Line,
    vocabulary: Vocabulary,
    name: Name,
    before: Name | None,
    after: Name | None,
    beside: Found | None,
) -> Found | None:
    span = name.span
    if _confirmed(name, before, after):
        chosen = name.of("model") or name.of("make") or name.of("body")
        return span, chosen[0].field, {chosen[0].field: list(chosen[0].values)}  # type: ignore[return-value]
    if places := name.of(*PLACES):
        end = _part(line, name.span.end, after)
        if found := _place(line, vocabulary, name, places, beside, end):
            return found
    fields = {term.field for term in name.terms}
    if len(fields) > 1 or fields & set(PLACES) or not _telling(name, vocabulary):
        return None
    (field,) = fields
    values = dict.fromkeys(value for term in name.terms for value in term.values)
    return span, field, {field: list(values)}  # type: ignore[return-value]


def _telling(name: Name, vocabulary: Vocabulary) -> bool:
    """Whether a name of a vehicle needs nobody to confirm it."""
    if name.key in ORDINARY or name.key.removesuffix("s") in ORDINARY or name.key.isdigit():
        return False
    if name.of("model") and name.key.isalpha() and len(name.key) < _SHORTEST_NAME:
        return False
    return not (name.of("make", "model") and name.key in vocabulary.place_parts)


def _confirmed(name: Name, before: Name | None, after: Name | None) -> bool:
    """Whether a make stands beside one of its models, or beside an ordinary word for a body."""
    for other in (before, after):
        if other is None or not _touch(name, other):
            continue
        makes = {value for term in other.of("make") for value in term.values}
        if any(term.makes & makes for term in name.of("model")):
            return True
        own = {value for term in name.of("make") for value in term.values}
        if any(term.makes & own for term in other.of("model")):
            return True
    return before is not None and _names_a_pickup(name, before)


def _names_a_pickup(name: Name, before: Name) -> bool:
    """Whether it is a body as in "Toyota pickup", unlike "pick up a Toyota"."""
    make = before.of("make") and before.key not in ORDINARY
    return bool(make and name.of("body") and len(name.span) == 1 and _touch(name, before))


def _touch(name: Name, other: Name) -> bool:
    return name.span.end == other.span.first or other.span.end == name.span.first


def _place(
    line: Line,
    vocabulary: Vocabulary,
    name: Name,
    places: tuple[Term, ...],
    beside: Found | None,
    end: int,
) -> Found | None:
    """The place that a name means; in "near Hilo or Kona" the second is led as the first is.

    `end` is where its words end, those that only say which part of it included.
    """
    first, near = _lead(line, name.span.first)
    led = first < name.span.first or end > name.span.end or beside is not None
    near = near or (beside is not None and "lat" in beside[2])
    parameters: dict[str, Any] = {}
    for city in (term for term in places if term.field == "city"):
        if qualified := _qualifier(line, city, end, vocabulary):
            end, parameters = qualified
            parameters = {"city": [city.values[0]]} | parameters
            led = True
            break
    else:
        meant = _widest(places)
        if meant is None:
            return None
        parameters = {meant.field: [meant.values[0]]}
        first, km = _within(line, first)
        if (near or km) and meant.field == "city" and meant.point:
            parameters = dict(zip(("lat", "lon"), meant.point, strict=True))
            parameters["radiusKm"] = km or NEAR_KM
    doubtful = len(name.terms) > len(places) or name.key in vocabulary.vehicle_parts
    short = len(name.key) < _SHORTEST_NAME and not line.in_capitals(name.span.first)
    if (doubtful or short or name.key in ORDINARY) and not led:
        return None
    return Span(first, end), "place", parameters


def _within(line: Line, first: int) -> tuple[int, float | None]:
    """Where "within 10 miles" before "of Hilo" begins, and how many kilometres they are."""
    match = _RADIUS.search(" ".join(line.tokens[max(first - _LONGEST_RADIUS, 0) : first + 1]))
    if match is None or not int(match["n"]):
        return first, None
    words = len(match.group().split()) - 1
    km = round(int(match["n"]) * (_KM_A_MILE if match["unit"].startswith("mi") else 1), 1)
    return first - words, km


def _part(line: Line, end: int, after: Name | None) -> int:
    """Where a place ends with its airport; a name that begins there is one of its own."""
    if after and after.span.first == end:
        return end
    at = end
    if line.tokens[at : at + 1] in _INTERNATIONAL:
        at += 1 + (line.tokens[at + 1 : at + 2] == ["."])
    return at + 1 if line.tokens[at : at + 1] in _PARTS else end


def _lead(line: Line, first: int) -> tuple[int, bool]:
    """Where the words begin that introduce a place, and whether they say near."""
    at, near = first, False
    if at and line.tokens[at - 1] == "the":
        at -= 1
    start = first
    while at and line.tokens[at - 1] in _IN | _NEAR:
        at -= 1
        near = near or line.tokens[at] in _NEAR
        start = at
    return start, near


def _qualifier(
    line: Line, city: Term, end: int, vocabulary: Vocabulary
) -> tuple[int, dict[str, Any]] | None:
    """The region or country after its city, "Portland, OR": where it ends, and its filter."""
    at = end
    comma = at < len(line.tokens) and line.tokens[at] == ","
    at += comma
    if at >= len(line.tokens):
        return None
    code = CODES.get(line.tokens[at])
    # Without a comma or capitals, "or" and "in" are words.
    if code and key(code) in city.within and (comma or line.in_capitals(at)):
        wider = _wider(vocabulary, key(code), city)
        return (at + 1, wider) if wider else None
    for stop in _runs(line, at):
        joined = "".join(map(key, line.tokens[at:stop]))
        if wider := _wider(vocabulary, joined, city):
            return stop, wider
    return None


def _wider(vocabulary: Vocabulary, joined: str, city: Term) -> dict[str, Any]:
    for term in vocabulary.terms.get(joined, ()):
        if term.field in {"region", "country"} and key(term.values[0]) in city.within:
            return {term.field: [term.values[0]]}
    return {}


def _widest(places: tuple[Term, ...]) -> Term | None:
    """The place that holds all the others of its name; None where they lie apart."""
    ordered = sorted(places, key=lambda term: PLACES.index(term.field))
    widest = ordered[0]
    whole = key(widest.values[0])
    inside = all(whole in term.within for term in ordered[1:])
    return widest if inside else None

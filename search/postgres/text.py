"""Free text as SQL: every word that matters somewhere, scored by the best place where it is.

The same ways to find a word as in `search/query/text.py`. What is one word is nearly what
`search/mapping.py` says of Elasticsearch; docs/search.md names the differences.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from search.aliases import also_called
from search.fields import BY_NAME, FIELDS, Match
from search.letters import likeness
from search.postgres.columns import LABELS, VALUES, codes
from search.postgres.parameters import Parameters
from search.profiles import Profile
from search.query.text import (
    MOST_WORDS,
    NAMES,
    WHOLE,
    WHOLE_NAMES,
    is_optional,
    joined,
    whole_names,
)
from search.request import SearchRequest
from search.words import fold, split

_WORD = re.compile(r"[^\W_]+")
# Private characters around what is found, until the text between them has become HTML.
MARKS = ("\ue000", "\ue001")
HIGHLIGHTED = tuple(field.name for field in FIELDS if field.highlight)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word and what else it may be found by."""

    forms: tuple[str, ...]  # as it is written, and what else people call it
    names: tuple[str, ...] = ()  # joined with a neighbour: in names only
    similar: tuple[str, ...] = ()  # for which it may be misspelt
    needed: bool = True


def _words(request: SearchRequest) -> list[_Word]:
    written = split(request.text or "")
    head, tail = written[:MOST_WORDS], written[MOST_WORDS:]
    found: list[_Word] = []
    for index, word in enumerate(head):
        needed = not is_optional(word)
        match _WORD.findall(word):
            case [part]:
                begun = request.begun if index == len(written) - 1 else ()
                forms = (part, *also_called(fold(part)), *begun)
                names = tuple(each for each in joined(head, index) if _WORD.fullmatch(each))
                similar = request.similar.get(fold(part), ())
                found.append(_Word(forms, names, similar, needed))
            case parts:  # one word to a reader, several to PostgreSQL
                found += [_Word((part,), needed=needed) for part in parts]
    return found + [_Word((part,)) for word in tail for part in _WORD.findall(word)]


def condition(request: SearchRequest, into: Parameters) -> str:
    """True where all the needed words are found; text without a word finds nothing."""
    words = dict.fromkeys(_words(request))
    needed = [_anywhere(word, into) for word in words if word.needed]
    if not needed:
        return "true" if words else "false"
    return f"words @@ ({' && '.join(needed)})"


def _anywhere(word: _Word, into: Parameters) -> str:
    ways = [_query(form, "", into) for form in word.forms]
    ways += [_query(name, LABELS["name"], into) for name in word.names]
    ways += [_query(each, "", into) for each in word.similar]
    return f"({' || '.join(ways)})"


def _query(word: str, labels: str, into: Parameters) -> str:
    return f"vehicle_query({into.add(word, 'text')}, '{labels}')"


def score(request: SearchRequest, profile: Profile, into: Parameters) -> str:
    """The sum over the words of the best way in which each is found, and the whole names."""
    text = request.text or ""
    parts = [
        f"{times} * {_best(word, profile, into)}"
        for word, times in Counter(_words(request)).items()
    ]
    names = f"folded = ANY({into.add(whole_names(split(text)[:MOST_WORDS]), 'text[]')})"
    parts += [
        f"CASE WHEN {name} = ANY({into.once(codes(name, names))}) THEN {WHOLE} ELSE 0 END"
        for name in WHOLE_NAMES
    ]
    return " + ".join(parts)


def _best(word: _Word, profile: Profile, into: Parameters) -> str:
    weights = profile.text.weights
    # What is needed and has no other way to be found is found: nobody need look again.
    sure = word.needed and not (word.forms[1:] or word.names or word.similar)
    ways = [_found(form, "", weights, into, sure=sure) for form in word.forms]
    named = {each: weights[each] for each in NAMES}
    ways += [_found(name, LABELS["name"], named, into) for name in word.names]
    ways += [
        _instead(each, profile.typo.points * likeness(fold(word.forms[0]), each), into)
        for each in word.similar
    ]
    return ways[0] if len(ways) == 1 else f"greatest({', '.join(ways)})"


def _found(
    word: str, label: str, weights: Mapping[str, int], into: Parameters, *, sure: bool = False
) -> str:
    """The greatest weight among the fields where the word is; 0 where it is in none of them.

    Its words are asked first: most have not got it, and what is left for last needs no test.
    """
    query = _query(word, "", into)
    values = into.once(f"ARRAY(SELECT code FROM {VALUES} WHERE words @@ {query})")  # noqa: S608
    *greater, least = sorted(set(weights.values()), reverse=True)
    cases = [] if sure else [f"WHEN NOT words @@ {into.once(_query(word, label, into))} THEN 0"]
    for weight in greater:
        names = [name for name, its_weight in weights.items() if its_weight == weight]
        places = [_is_in(name, word, values, into) for name in names]
        cases.append(f"WHEN {' OR '.join(places)} THEN {weight}")
    return f"CASE {' '.join(cases)} ELSE {least} END" if cases else str(least)


def _is_in(name: str, word: str, values: str, into: Parameters) -> str:
    if name in LABELS:
        return f"words @@ {into.once(_query(word, LABELS[name], into))}"
    return f"{name} {'&&' if BY_NAME[name].match is Match.ALL else '= ANY'}({values})"


def _instead(similar: str, points: float, into: Parameters) -> str:
    found = f"words @@ {into.once(_query(similar, '', into))}"
    return f"CASE WHEN {found} THEN '{points!r}'::float8 ELSE 0 END"


def highlights(request: SearchRequest, into: Parameters) -> str:
    """A JSON object: the title whole and one excerpt of the description, marked."""
    words = dict.fromkeys(_words(request))
    if not words:
        return "'{}'::jsonb"
    any_word = f"(SELECT {' || '.join(_anywhere(word, into) for word in words)})"
    marks = f"StartSel={MARKS[0]}, StopSel={MARKS[1]}"
    parts = []
    for name in HIGHLIGHTED:
        shape = "HighlightAll=true" if name == "title" else "MaxFragments=1, MaxWords=20"
        source = f"coalesce(document ->> '{name}', '')"
        parts.append(
            f"'{name}', ts_headline('vehicle_text', {source}, {any_word}, '{marks}, {shape}')"
        )
    return f"jsonb_build_object({', '.join(parts)})"

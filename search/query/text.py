"""Free text: every word must be found somewhere, and scores the best place where it is.

A word is found as it stands, by what else people call it, joined with its neighbour (`f 150` is
`f150`), by what it may become while it is typed or, where it looks misspelt, by a similar word.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from search.aliases import also_called
from search.fields import FIELDS, Field, Kind
from search.letters import likeness
from search.understand.aliases import OPTIONAL
from search.words import fold, split

Clause = dict[str, Any]

_SEARCHED: tuple[Field, ...] = tuple(field for field in FIELDS if field.weight)
WEIGHTS: Mapping[str, int] = MappingProxyType({field.name: field.weight for field in _SEARCHED})
HIGHLIGHTED: tuple[str, ...] = tuple(field.name for field in FIELDS if field.highlight)
# Where joined words are looked for: they are spellings of a name, not of anything else.
NAMES = ("make", "model", "name")
TYPO = 0.2  # of a similar word, before its likeness; below any word that is found
NO_WORDS: Mapping[str, Collection[str]] = MappingProxyType({})
WHOLE_NAMES, WHOLE = ("make", "model"), 1  # of which the text may have the whole, and its points
_LONGEST_NAME = 3  # words, as of the Range Rover Sport
MOST_WORDS = 24  # with alternatives of their own; those after them only as they stand


def is_optional(word: str) -> bool:
    """Whether a vehicle may lack the word. It may match: the "a" of an A-Class does."""
    return fold(word) in OPTIONAL


def weighted(weights: Mapping[str, int], names: Collection[str] = ()) -> list[str]:
    """Fields as `multi_match` wants them, all or those named: `make.text^6`."""
    return [
        f"{field.name}{'' if field.kind is Kind.TEXT else '.text'}^{weights[field.name]}"
        for field in _SEARCHED
        if not names or field.name in names
    ]


TEXT_FIELDS: tuple[str, ...] = tuple(weighted(WEIGHTS))


def match(
    text: str,
    similar: Mapping[str, Collection[str]] = NO_WORDS,
    begun: Collection[str] = (),
    *,
    weights: Mapping[str, int] = WEIGHTS,
    typo: float = TYPO,
) -> Clause:
    """All words that matter, each in any field: "tesla model x in seattle".

    Words of which none matters ("show me cars") ask for everything.

    With boolean similarity the score is the sum over the words of their best field's weight.
    `similar` are the words, folded, for which others will do; `begun` those that do for the last.
    """
    words = split(text) or [text]
    fields, names = weighted(weights), weighted(weights, NAMES)
    if len(words) > MOST_WORDS:
        words, rest = words[:MOST_WORDS], [_all_of(" ".join(words[MOST_WORDS:]), fields)]
    else:
        rest = []
    must: list[Clause] = []
    should: list[Clause] = []
    for index, word in enumerate(words):
        ends = begun if index == len(words) - 1 and not rest else ()
        ways = [_all_of(each, fields) for each in (word, *also_called(fold(word)), *ends)]
        ways += [_all_of(each, names) for each in joined(words, index)]
        ways += [
            _instead(each, fields, typo * likeness(fold(word), each))
            for each in similar.get(fold(word), ())
        ]
        clause = ways[0] if len(ways) == 1 else {"dis_max": {"queries": ways}}
        (should if is_optional(word) else must).append(clause)
    must += rest
    found: Clause = {"must": must} if must else {"filter": [{"match_all": {}}]}
    return {"bool": {**found, "should": should + _whole_names(words)}}


def _whole_names(words: list[str]) -> list[Clause]:
    """A point for a make and for a model of which the text has the whole name.

    So "wrangler" finds the Wrangler before the Wrangler Unlimited, and "mini" the MINI.
    """
    names = whole_names(words)
    return [
        {"constant_score": {"filter": {"terms": {f"{name}.key": names}}, "boost": WHOLE}}
        for name in WHOLE_NAMES
    ]


def whole_names(words: list[str]) -> list[str]:
    """The names, in lower case, that neighbouring words may be the whole of."""
    lower = [word.lower() for word in words]
    return sorted(
        {
            between.join(lower[start : start + length])
            for length in range(1, _LONGEST_NAME + 1)
            for start in range(len(lower) - length + 1)
            for between in (" ", "-")
        }
    )


def _all_of(words: str, fields: list[str]) -> Clause:
    # One word to us may be several to the analyser.
    return {
        "multi_match": {
            "query": words,
            "type": "cross_fields",
            "operator": "and",
            "fields": fields,
        }
    }


def joined(words: list[str], index: int) -> list[str]:
    """The word with the one before it and with the one after it."""
    pairs = zip(
        words[max(index - 1, 0) : index + 1], words[max(index, 1) : index + 2], strict=False
    )
    return [left + right for left, right in pairs if _may_join(left) and _may_join(right)]


def _may_join(word: str) -> bool:
    # "i 3" and "a 4" are names; "in 3" is not.
    return len(word) == 1 or not is_optional(word)


def _instead(word: str, fields: list[str], points: float) -> Clause:
    return {"constant_score": {"filter": _all_of(word, fields), "boost": points}}


def highlight() -> dict[str, Any]:
    """The words found, marked in HTML that is otherwise escaped; the title whole, one excerpt."""
    return {
        "encoder": "html",
        "require_field_match": False,
        "fields": {
            name: {"number_of_fragments": 0} if name == "title" else {"number_of_fragments": 1}
            for name in HIGHLIGHTED
        },
    }

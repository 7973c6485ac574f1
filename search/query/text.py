"""Free text: every word must be found somewhere, and scores the best place where it is."""

from typing import Any

from search.fields import FIELDS, Kind

TEXT_FIELDS: tuple[str, ...] = tuple(
    f"{field.name}{'' if field.kind is Kind.TEXT else '.text'}^{field.weight}"
    for field in FIELDS
    if field.weight
)
HIGHLIGHTED: tuple[str, ...] = tuple(field.name for field in FIELDS if field.highlight)


# Words that people write between those that matter. They may match (the "a" of an A-Class does) but
# need not.
_OPTIONAL = frozenset(
    [
        "a",
        "an",
        "and",
        "at",
        "by",
        "car",
        "cars",
        "for",
        "from",
        "hire",
        "i",
        "in",
        "is",
        "my",
        "near",
        "of",
        "on",
        "or",
        "rent",
        "rental",
        "the",
        "to",
        "vehicle",
        "vehicles",
        "we",
        "with",
    ]
)


def is_optional(word: str) -> bool:
    """Whether a vehicle may lack the word."""
    return word.lower() in _OPTIONAL


def match(text: str) -> dict[str, Any]:
    """All words that matter, each in any field: "tesla model x in seattle".

    With boolean similarity the score is the sum over the words of their best field's weight.
    """
    words = text.split()
    needed = [word for word in words if word.lower() not in _OPTIONAL] or words
    query = _every(needed)
    if optional := [word for word in words if word not in needed]:
        query = {"bool": {"must": [query], "should": [_every([word]) for word in optional]}}
    return query


def _every(words: list[str]) -> dict[str, Any]:
    return {
        "multi_match": {
            "query": " ".join(words),
            "type": "cross_fields",
            "operator": "and",
            "fields": list(TEXT_FIELDS),
        }
    }


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

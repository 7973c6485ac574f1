"""Free text: every word must be found somewhere, and scores the best place where it is."""

from typing import Any

from search.fields import FIELDS, Kind

TEXT_FIELDS: tuple[str, ...] = tuple(
    f"{field.name}{'' if field.kind is Kind.TEXT else '.text'}^{field.weight}"
    for field in FIELDS
    if field.weight
)
HIGHLIGHTED: tuple[str, ...] = tuple(field.name for field in FIELDS if field.highlight)


def match(text: str) -> dict[str, Any]:
    """All words, each in any field: "tesla model x seattle" finds a make, a model and a city.

    With boolean similarity the score is the sum over the words of their best field's weight.
    """
    return {
        "multi_match": {
            "query": text,
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

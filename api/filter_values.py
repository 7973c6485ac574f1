"""Values of filters, held against those that vehicles have, as far as the vocabulary knows them."""

from typing import Any

from msgspec.structs import replace

from api.errors import invalid_request
from api.schemas.common import FieldError
from search.fields import camel
from search.request import SearchRequest
from search.understand.vocabulary import Vocabulary
from search.understand.words import key
from search.words import fold


def refuse_joined(state: Any, asked: SearchRequest) -> None:
    """Refuse several values in one, which would silently find nothing.

    A value that has a comma in it itself is fine, and so is one of which a part is unknown.

    Raises:
        Problem: 422, naming the fix.
    """
    vocabulary: Vocabulary = state.vocabulary.current
    wrong = []
    for name, values in asked.filters.items():
        for value in values:
            parts = [part.strip() for part in value.split(",")]
            joined = len(parts) > 1 and not _known(vocabulary, name, value)
            if joined and all(_known(vocabulary, name, part) for part in parts):
                repeated = "&".join(f"{camel(name)}={part}" for part in parts)
                message = f"no vehicle has {value!r}: several values are sent as {repeated}"
                wrong.append(FieldError(pointer=camel(name), message=message))
    if wrong:
        raise invalid_request(wrong)


def as_shown(state: Any, asked: SearchRequest) -> SearchRequest:
    """The same search, its values in the case, and with the accents, in which vehicles have them.

    Facets list a selected value that no vehicle has under the other filters: it shall read there as
    it does where it has some.
    """
    vocabulary: Vocabulary = state.vocabulary.current
    filters = {
        name: tuple(dict.fromkeys(_shown(vocabulary, name, value) for value in values))
        for name, values in asked.filters.items()
    }
    return replace(asked, filters=filters)


def _shown(vocabulary: Vocabulary, name: str, value: str) -> str:
    known = _known(vocabulary, name, value)
    return value if not known or value in known else known[0]


def _known(vocabulary: Vocabulary, name: str, value: str) -> list[str]:
    """Those values of the field that differ in case at most; if there are none, in accents too."""
    alike = [
        term.values[0]
        for term in vocabulary.terms.get(key(value), ())
        if term.field == name and fold(term.values[0]) == fold(value)
    ]
    return [each for each in alike if each.lower() == value.lower()] or alike

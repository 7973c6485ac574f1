"""Free text as SQL: every word that matters somewhere, scored by the best place where it is.

What is one word is nearly what `search/mapping.py` says of Elasticsearch; docs/search.md names the
differences.
"""

import re

from search.fields import FIELDS
from search.postgres.columns import LABELS, LEAST_WEIGHT
from search.postgres.parameters import Parameters
from search.query.text import is_optional

_WORD = re.compile(r"[^\W_]+")
# Private characters around what is found, until the text between them has become HTML.
MARKS = ("\ue000", "\ue001")
HIGHLIGHTED = tuple(field.name for field in FIELDS if field.highlight)


def _words(text: str) -> tuple[list[str], list[str]]:
    """The words that must be found, and those that may."""
    given = text.split()
    optional = [word for word in given if is_optional(word)]
    if len(optional) == len(given):
        optional = []
    needed = [word for word in given if word not in optional]
    return _split(needed), _split(optional)


def _split(words: list[str]) -> list[str]:
    return [part for word in words for part in _WORD.findall(word)]


def condition(text: str, into: Parameters) -> str:
    """True where all the needed words are found; text without a word finds nothing."""
    needed, _ = _words(text)
    if not needed:
        return "false"
    queries = [f"vehicle_query({into.add(word, 'text')}, '')" for word in needed]
    return f"everything @@ ({' && '.join(queries)})"


def score(text: str, into: Parameters) -> str:
    """The sum over the words of the greatest weight among the places where each is found."""
    needed, optional = _words(text)
    parts = [_score(into.add(word, "text"), str(LEAST_WEIGHT)) for word in needed]
    for word in optional:
        name = into.add(word, "text")
        least = f"CASE WHEN everything @@ vehicle_query({name}, '') THEN {LEAST_WEIGHT} ELSE 0 END"
        parts.append(_score(name, least))
    return " + ".join(parts) or "0"


def _score(word: str, otherwise: str) -> str:
    cases = " ".join(
        f"WHEN words @@ vehicle_query({word}, '{label}') THEN {weight}"
        for weight, label in LABELS.items()
    )
    return f"CASE {cases} ELSE {otherwise} END"


def highlights(text: str, into: Parameters) -> str:
    """A JSON object: the title whole and one excerpt of the description, marked."""
    needed, optional = _words(text)
    words = [f"vehicle_query({into.add(word, 'text')}, '')" for word in (*needed, *optional)]
    if not words:
        return "'{}'::jsonb"
    any_word = f"({' || '.join(words)})"
    marks = f"StartSel={MARKS[0]}, StopSel={MARKS[1]}"
    parts = []
    for name in HIGHLIGHTED:
        shape = "HighlightAll=true" if name == "title" else "MaxFragments=1, MaxWords=20"
        source = f"coalesce(document ->> '{name}', '')"
        parts.append(
            f"'{name}', ts_headline('vehicle_text', {source}, {any_word}, '{marks}, {shape}')"
        )
    return f"jsonb_build_object({', '.join(parts)})"

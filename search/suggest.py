"""Suggestions while a renter types: makes, models, types, places and features, each counted.

Popular searches, a section of their own, are counted in `search/popular.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from zlib import crc32

from search.aliases import also_called
from search.query.body import ENGINE_TIMEOUT_S
from search.query.filters import VISIBLE, Clause
from search.understand.aliases import ALIASES
from search.understand.words import key
from search.words import clause, mark, matches, may_have_typo, words

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "makes": ("make",),
    "models": ("model",),
    "types": ("body", "fuel"),
    "places": ("city", "region", "country"),
    "features": ("features",),
}
FIELDS = tuple(field for fields in SECTIONS.values() for field in fields)
# A vehicle has several features, so those that were not meant are counted along and left out here.
_SEVERAL = "features"
MOST_FEATURES = 500
# Every word costs a pattern for every field: more would be dear, and find nothing more often.
MOST_WORDS_WITH_TYPOS = 3
# What a value is told apart by: the make of a model, the region of a city.
WITHIN: Mapping[str, str] = {"model": "make", "city": "region"}
MOST_WITHIN = 5
TYPOS = "~"  # ends the names of aggregations in which a word may have a typo


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, and how many suggestions a section may have."""

    words: tuple[str, ...]
    limit: int

    @classmethod
    def of(cls, text: str, limit: int) -> "Typed":
        """The words of a text."""
        return cls(words(text), limit)

    def fingerprint(self) -> str:
        """The same for the same words, so that the same copy of the index answers them."""
        return f"{crc32(' '.join(self.words).encode()):08x}"


def ways(typed: Typed) -> list[bool]:
    """Whether words may have a typo: no and, where there are words that may, yes."""
    forgiving = len(typed.words) <= MOST_WORDS_WITH_TYPOS and any(map(may_have_typo, typed.words))
    return [False, True] if forgiving else [False]


def build(typed: Typed) -> dict[str, Any]:
    """One Elasticsearch request for all sections, as typed and, in case, with a typo."""
    possible = ways(typed)
    aggs = {
        f"{field}{TYPOS if typos else ''}": {
            "filter": _holds(field, typed.words, typos=typos),
            "aggs": {"values": _values(field, typed.limit)},
        }
        for typos in possible
        for field in FIELDS
    }
    # Narrows what is counted at all; with typos, what has none is found as well.
    anything = [_holds(field, typed.words, typos=possible[-1]) for field in FIELDS]
    return {
        "query": {"bool": {"filter": [VISIBLE, {"bool": {"should": anything}}]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": aggs,
        "timeout": f"{ENGINE_TIMEOUT_S}s",
    }


def _holds(field: str, asked: Sequence[str], *, typos: bool) -> Clause:
    """All words are in the field; of a model, some may be in its make: "jeep wra"."""
    own = [_word(field, word, typos=typos) for word in asked]
    if field != "model" or len(asked) == 1:
        return {"bool": {"filter": own}}
    makes = [_word("make", word, typos=typos) for word in asked]
    either = [{"bool": {"should": [model, make]}} for model, make in zip(own, makes, strict=True)]
    return {"bool": {"filter": [*either, {"bool": {"should": own}}]}}


def _word(field: str, word: str, *, typos: bool) -> Clause:
    """What `holds` says of one value."""
    typed = clause(field, word, typos=typos)
    others = [
        {"bool": {"filter": [{"term": {f"{field}.words": each}} for each in other]}}
        for other in _aliases(field, word)
    ]
    return {"bool": {"should": [typed, *others]}} if others else typed


def _aliases(field: str, word: str) -> dict[tuple[str, ...], None]:
    """What else a typed word is in the field: words of a value, of each all."""
    value = ALIASES.get(field, {}).get(key(word))
    others = [(other,) for other in also_called(word)]
    return dict.fromkeys([*others, words(value)] if value else others)


def holds(field: str, value: str, word: str, *, typos: bool) -> bool:
    """Whether a typed word begins a word of the field's value, or is an alias of its words."""
    if matches(value, [word], typos=typos):
        return True
    return any(set(other) <= set(words(value)) for other in _aliases(field, word))


def _values(field: str, limit: int) -> dict[str, Any]:
    # Twice the room, for values that differ only in case and are shown as one.
    values: dict[str, Any] = {"terms": {"field": field, "size": 2 * limit}}
    if field in WITHIN:
        values["aggs"] = {"within": {"terms": {"field": WITHIN[field], "size": MOST_WITHIN}}}
    if field == _SEVERAL:
        values["terms"]["size"] = MOST_FEATURES
    return values


def read(typed: Typed, aggregations: Mapping[str, Any]) -> dict[str, Any]:
    """`{sections, corrected}`; words with a typo count only when nothing begins as typed."""
    sections = _sections(typed, aggregations, typos=False)
    corrected = False
    if not any(sections.values()) and FIELDS[0] + TYPOS in aggregations:
        sections = _sections(typed, aggregations, typos=True)
        corrected = any(sections.values())
    return {"sections": sections, "corrected": corrected}


def nothing() -> dict[str, Any]:
    """What is suggested for no words."""
    return {"sections": {section: [] for section in SECTIONS}, "corrected": False}


def _sections(
    typed: Typed, aggs: Mapping[str, Any], *, typos: bool
) -> dict[str, list[dict[str, Any]]]:
    end = TYPOS if typos else ""
    sections = {}
    for section, fields in SECTIONS.items():
        found: list[dict[str, Any]] = []
        for field in fields:
            buckets = aggs[field + end]["values"]["buckets"]
            if field == _SEVERAL:
                buckets = [
                    bucket
                    for bucket in buckets
                    if all(holds(field, bucket["key"], word, typos=typos) for word in typed.words)
                ]
            found += _suggestions(typed, field, buckets)
        found.sort(key=lambda each: (-each["count"], each["value"], each["label"]))
        # A country that is its only region is one place; of both the later, wider field is kept.
        once = {(each["label"], each["count"]): each for each in found}
        sections[section] = list(once.values())[: typed.limit]
    return sections


def _suggestions(
    typed: Typed, field: str, buckets: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    merged: dict[tuple[str, ...], dict[str, Any]] = {}
    for bucket in buckets:
        for label, chosen, count in _told_apart(typed, field, bucket):
            same = tuple(part.lower() for part in chosen.values())
            if same in merged:  # filters ignore case, so this is what the filter finds
                merged[same]["count"] += count
                continue
            merged[same] = {
                "kind": "feature" if field == _SEVERAL else field,
                "value": bucket["key"],
                "label": label,
                "count": count,
                "filter": chosen,
            }
    return list(merged.values())


def _told_apart(
    typed: Typed, field: str, bucket: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, str], int]]:
    """The label, filter and count of a value; of a model for each make, of a city for each region.

    People take the make for part of a model's name. A city's region is said only where it has
    several: those are several cities.
    """
    value = bucket["key"]
    within = bucket["within"]["buckets"] if field in WITHIN else []
    if field == "model":
        for make in within:
            chosen = {"make": make["key"], "model": value}
            yield mark(" ".join(chosen.values()), typed.words), chosen, make["doc_count"]
        return
    label = mark(value, typed.words)
    if len({region["key"].lower() for region in within}) > 1:
        for region in within:
            chosen = {"city": value, "region": region["key"]}
            yield f"{label}, {escape(region['key'])}", chosen, region["doc_count"]
        return
    yield label, {field: value}, bucket["doc_count"]

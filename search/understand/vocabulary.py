"""The names and words that vehicles are described by, as an immutable dictionary with an epoch.

One aggregation over the visible vehicles tells all of them: `ask` is its body, and
`search/postgres/vocabulary.py` asks PostgreSQL for the same. `from_answer` reads either's answer;
`read` does both with a synchronous client.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import orjson
from elasticsearch import Elasticsearch

from search import words as written
from search.did_you_mean import NearWords
from search.fields import FIELDS, Kind
from search.query.filters import VISIBLE
from search.understand.aliases import ALIASES
from search.understand.words import fold, key

PLAIN = ("body", "fuel", "transmission", "features")  # whose values are understood
PLACES = ("country", "region", "city")  # the widest first
SINGLE: tuple[str, ...] = tuple(
    each.name
    for each in FIELDS
    if each.weight and each.kind is Kind.KEYWORD and each.name not in {"make", "model", *PLACES}
)
"""Fields with words to find that are told one by one: neither of a name nor of a place."""
MOST_PLACES = 5000  # of one kind
MOST_MAKES, MOST_MODELS, MOST_VALUES = 500, 1000, 500
MOST_PARENTS = 10  # regions and countries that share a city's name
MOST_OPTIONS = 20  # values of one filter, as the HTTP contract allows
_ONE_PLACE_DEGREES = 0.7  # a name that spans more is several places: no point to be near to
LONGEST_NAME = 7  # words


@dataclass(frozen=True, slots=True)
class Term:
    """One meaning of a name: the values of one field that it stands for."""

    field: str
    values: tuple[str, ...]
    makes: frozenset[str] = frozenset()  # of a model
    within: frozenset[str] = frozenset()  # keys of the region and country that hold a city
    point: tuple[float, float] | None = None  # latitude, longitude of a city


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What names mean, and which words are known.

    `parts` are keys that stand inside names, by group (vehicles, places). `words` are those of all
    values, folded as a search folds them, neighbours also joined as in a vehicle's name, each with
    about how many vehicles have it. The epoch is another when a name or a word is, not a number.
    """

    epoch: str = "empty"
    terms: Mapping[str, tuple[Term, ...]] = field(default_factory=dict)
    vehicle_parts: frozenset[str] = frozenset()
    place_parts: frozenset[str] = frozenset()
    words: Mapping[str, int] = field(default_factory=dict)
    near: NearWords = field(default_factory=lambda: NearWords({}), compare=False)

    def point(self, city: str) -> tuple[float, float] | None:
        """Latitude and longitude of a city; None if they are not known, or those of several."""
        points = [term.point for term in self.terms.get(key(city), ()) if term.field == "city"]
        return points[0] if len(points) == 1 else None

    def names_begun(self, word: str) -> list[str]:
        """Words of names that begin with a folded one, the most common first; none if it is whole.

        Features have none: "co" would be air conditioning before any Corolla.
        """
        return [
            each
            for each in self.near.begun(word)
            if each in self.vehicle_parts or each in self.place_parts or self._is_name(each)
        ]

    def _is_name(self, word: str) -> bool:
        """Whether it is a name as it is written: "elsegundo" is not."""
        return any(
            term.field != "features" and word in map(fold, term.values)
            for term in self.terms.get(word, ())
        )


EMPTY = Vocabulary()


def ask() -> dict[str, Any]:
    """The arguments of the one search that a vocabulary is built from."""

    def terms(name: str, size: int, **below: Any) -> dict[str, Any]:
        counted: dict[str, Any] = {"terms": {"field": name, "size": size}}
        return counted | ({"aggs": below} if below else {})

    parents = {name: terms(name, MOST_PARENTS) for name in ("region", "country")}
    where = {
        "centroid": {"geo_centroid": {"field": "location"}},
        # A place on both sides of the 180th meridian has no point: its centroid lies in Africa.
        "bounds": {"geo_bounds": {"field": "location", "wrap_longitude": False}},
    }
    return {
        "size": 0,
        "query": {"bool": {"filter": [VISIBLE]}},
        "aggregations": {
            "make": terms("make", MOST_MAKES, model=terms("model", MOST_MODELS)),
            **{name: terms(name, MOST_VALUES) for name in SINGLE},
            "city": terms("city", MOST_PLACES, **parents, **where),
            "region": terms("region", MOST_PLACES, country=parents["country"]),
            "country": terms("country", MOST_PLACES),
        },
    }


def read(client: Elasticsearch, alias: str) -> Vocabulary:
    """The vocabulary of the index behind `alias`."""
    return from_answer(client.search(index=alias, **ask())["aggregations"])


def from_answer(aggregations: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary that the aggregations of `ask`, or of PostgreSQL, tell."""
    makes = {each["key"]: _keys(each["model"]) for each in aggregations["make"]["buckets"]}
    return build(
        makes=makes,
        plain={name: _keys(aggregations[name]) for name in PLAIN},
        places=[*_places(aggregations)],
        words=_words(aggregations),
    )


def _words(aggregations: Mapping[str, Any]) -> Counter[str]:
    known: Counter[str] = Counter()

    def add(forms: Iterable[str], bucket: Mapping[str, Any]) -> None:
        known.update(dict.fromkeys(forms, bucket["doc_count"]))

    for make in aggregations["make"]["buckets"]:
        of_make = _forms(make["key"])
        add(of_make, make)
        for model in make["model"]["buckets"]:
            # Across the two as well: people write "mazda3".
            add(_forms(f"{make['key']} {model['key']}") - of_make, model)
    for name in (*SINGLE, *PLACES):
        for bucket in aggregations[name]["buckets"]:
            add(_forms(bucket["key"]), bucket)
    return known


def _forms(text: str) -> set[str]:
    words = [written.fold(word) for word in written.split(text)]
    return {*words, *(left + right for left, right in pairwise(words))}


def _keys(terms: Mapping[str, Any]) -> list[str]:
    return [bucket["key"] for bucket in terms["buckets"]]


def _places(aggregations: Mapping[str, Any]) -> Iterator[Term]:
    for name in PLACES:
        for bucket in aggregations[name]["buckets"]:
            above = [
                parent for wider in PLACES if wider in bucket for parent in _keys(bucket[wider])
            ]
            yield place(name, bucket["key"], above, _point(bucket))


def _point(bucket: Mapping[str, Any]) -> tuple[float, float] | None:
    if not bucket.get("bounds", {}).get("bounds"):
        return None
    corners = bucket["bounds"]["bounds"]
    north, west = corners["top_left"]["lat"], corners["top_left"]["lon"]
    south, east = corners["bottom_right"]["lat"], corners["bottom_right"]["lon"]
    if max(north - south, east - west) > _ONE_PLACE_DEGREES:
        return None
    middle = bucket["centroid"]["location"]
    return round(middle["lat"], 4), round(middle["lon"], 4)


def place(
    name: str, value: str, above: Iterable[str] = (), point: tuple[float, float] | None = None
) -> Term:
    """A place: a value of the field `name`, and the names of what it lies in."""
    return Term(name, (value,), within=frozenset(map(key, above)), point=point)


def build(
    makes: Mapping[str, Iterable[str]],
    plain: Mapping[str, Iterable[str]],
    places: Iterable[Term],
    words: Mapping[str, int] = MappingProxyType({}),
) -> Vocabulary:
    """A vocabulary of these makes with their models, values of plain fields, places and words."""
    found: dict[str, list[Term]] = defaultdict(list)
    for make in makes:
        found[key(make)].append(Term("make", (make,)))
    for name, term in _models(makes):
        found[name].append(term)
    for name, values in plain.items():
        for value in values:
            found[key(value)].append(Term(name, (value,)))
    where = list(places)
    for term in where:
        found[key(term.values[0])].append(term)
    _add_aliases(found)
    found.pop("", None)
    vehicles = [*makes, *(model for models in makes.values() for model in models)]
    return Vocabulary(
        epoch=_epoch(found, words),
        terms=MappingProxyType({name: tuple(terms) for name, terms in found.items()}),
        vehicle_parts=_parts(vehicles),
        place_parts=_parts(term.values[0] for term in where),
        words=MappingProxyType(dict(words)),
        near=NearWords(words),
    )


def _models(makes: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, Term]]:
    """Every model, with all those whose name holds it: "Mustang" is also the Mustang Mach-E."""
    owners: dict[str, set[str]] = defaultdict(set)
    for make, models in makes.items():
        for model in models:
            owners[model].add(make)
    holders: dict[str, list[str]] = defaultdict(list)
    for model in sorted(owners):
        for part in _phrases(model):
            holders[part].append(model)
    for model, of_makes in owners.items():
        wider = [other for other in holders[key(model)] if other != model]
        yield key(model), Term("model", (model, *wider)[:MOST_OPTIONS], makes=frozenset(of_makes))


def _add_aliases(found: dict[str, list[Term]]) -> None:
    for name, table in ALIASES.items():
        for alias, target in table.items():
            meant = [term for term in found.get(key(target), ()) if term.field == name]
            known = [term.field for term in found.get(alias, ())]
            if meant and name not in known:
                found[alias] += meant


def _parts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(part for name in names for part in _phrases(name) if part != key(name))


def _phrases(name: str) -> set[str]:
    """The keys of all runs of words in a name."""
    words = "".join(c if c.isalnum() else " " for c in fold(name)).split()[:LONGEST_NAME]
    ends = range(1, len(words) + 1)
    return {"".join(words[low:high]) for high in ends for low in range(high)}


def _epoch(found: Mapping[str, Iterable[Term]], words: Iterable[str]) -> str:
    names = sorted(
        (
            name,
            sorted((t.field, t.values, sorted(t.makes), sorted(t.within), t.point) for t in terms),
        )
        for name, terms in found.items()
    )
    return hashlib.sha256(orjson.dumps([names, sorted(words)])).hexdigest()[:16]

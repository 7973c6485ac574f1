"""Both engines are one, for text and relevance too: random texts find and score the same.

Nicknames, joined words, typos and words of a description, alone and with filters. Elasticsearch
scores in 32 bits, so scores are the same within 1e-4, and what is closer may change places.
`RIDES_SOAK=2000` asks more of it than `make test` does.
"""

import os
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from api.search_parameters import parse
from search.did_you_mean import similar
from search.mapping import ANALYZER
from search.postgres import statement
from search.profiles import DEFAULT, Profile
from search.query import body
from search.query.text import is_optional
from search.request import Near, SearchRequest
from search.understand import vocabulary
from search.understand.vocabulary import EMPTY, Vocabulary
from search.words import fold, split
from tests.market import Market
from tests.search.test_against_sql import TODAY, fill, random_search

REQUESTS = int(os.environ.get("RIDES_SOAK", "400"))
NEARLY = 1e-4
NAMES = [
    ("Ford", "F-150"), ("Mazda", "CX-5"), ("BMW", "3 Series"), ("Toyota", "C-HR"),
    ("Volkswagen", "Golf"), ("Chevrolet", "Suburban"), ("Mercedes-Benz", "A-Class"),
    ("Land Rover", "Range Rover Sport"), ("Jeep", "Wrangler"), ("Jeep", "Wrangler Unlimited"),
    ("Citroën", "Berlingo"), ("Tesla", "Model X"), ("Fiat", "500"), ("MINI", "Cooper"),
]  # fmt: skip
TITLES = [None, None, "Sandy the beach car", "Wranglr for the Beach", "Your own modle", "Vette!"]
ABOUT = [
    "", "Two surfboards fit. An F150 it is not.", "Quiet, electric, and near Hilo's beaches.",
    "Automatic convertible with roof racks; Jeeps welcome.", "Wrangle the cattle in a Ford.",
]  # fmt: skip
# As people write: names, nicknames, joined and split words, typos, small words, descriptions.
WORDS = [
    "ford", "f150", "F-150", "f 150", "cx5", "cx 5", "mazda", "3series", "3 series", "chr", "c hr",
    "vw", "golf", "chevy", "suburbans", "merc", "a class", "aclass", "landrover", "range rover",
    "jeep", "wrangler", "wranglers", "unlimited", "citroen", "Citroën", "berlingo", "tesla",
    "model x", "modelx", "fiat 500", "mini", "cooper", "toyota", "rav4", "hilo", "lihue", "hawaii",
    "spain", "suv", "sedan", "truck", "ev", "gas", "auto", "stick", "bluetooth", "gps", "roof rack",
    "beach", "surfboard", "sandy", "cattle", "2018", "2021", "in", "a", "the", "with", "rent",
    "car", "show", "me", "only", "year", "beemer", "4x4", "air conditioning", "sunroof",
    "wrangeler", "wragnler", "telsa", "modl", "citreon", "berligno", "toyoat", "suburbn", "coopr",
    "mercedez", "volkswagon", "chevrolte", "beech", "fird", "unlimted", "mazdaa", "golv",
]  # fmt: skip


def named_vehicle(rng: random.Random, make: str, model: str) -> dict[str, Any]:
    """One of these names, all else by chance."""
    return {
        "make": make,
        "model": model,
        "title": rng.choice(TITLES),
        "description": rng.choice(ABOUT),
        "year": rng.choice([2018, 2021]),
        "imported_review_count": rng.choice([0, 7, 90]),
        "imported_rating": rng.choice([None, 470, 500]),
        "lat": 19.7 + rng.random() / 2,
        "body": rng.choice(["SUV", "Sedan", "Pickup"]),
        "fuel": rng.choice(["Petrol", "Electric"]),
        "features": rng.choice([[], ["Bluetooth"], ["GPS", "Roof rack"]]),
    }


@pytest.fixture
def named(market: Market) -> Market:
    """A random marketplace with names that people write in many ways."""
    rng = random.Random(41)
    fill(market, rng)
    market.store(*(named_vehicle(rng, *name) for name in NAMES for _ in range(4)))
    return market


def known(market: Market) -> Vocabulary:
    """The words of the index, as the API knows them."""
    return vocabulary.read(market.elastic, market.alias)


def as_asked(request: SearchRequest, text: str, words: Vocabulary) -> SearchRequest:
    """A search by the text, whose misspelt words similar ones will do for."""
    alike = similar(text, words.words, words.near)
    return replace(request, text=text, similar=alike, now=datetime.now(UTC))


def random_text(rng: random.Random, words: Vocabulary) -> SearchRequest:
    """A search by one to four words, every second one with filters, a point or dates as well.

    The last word may be unfinished.
    """
    text = " ".join(rng.choices(WORDS, k=rng.choice([1, 1, 1, 2, 2, 3, 4])))
    asked = random_search(rng) if rng.random() < 0.5 else {}
    pairs = [
        (name, str(each).lower() if isinstance(each, bool) else str(each))
        for name, value in asked.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    request, _ = parse([*pairs, ("limit", "100"), ("facets", "none")], TODAY)
    if rng.random() < 0.15:  # before a process has learnt any
        return as_asked(request, text, EMPTY)
    typed = text[: -rng.randint(1, 3)].strip()
    last = fold(split(typed)[-1]) if split(typed) else ""
    # A small word is never taken for unfinished, and "i" is one that is left different.
    if len(last) > 1 and not is_optional(last) and rng.random() < 0.3:
        return replace(as_asked(request, typed, words), begun=words.near.begun(last))
    return as_asked(request, text, words)


def by_elasticsearch(market: Market, asked: SearchRequest, profile: Profile) -> list[Any]:
    found = market.elastic.search(index=market.alias, body=body.build(asked, profile))
    return [[hit["sort"][-1], *hit["sort"]] for hit in found["hits"]["hits"]]


def by_postgresql(market: Market, asked: SearchRequest, profile: Profile) -> list[Any]:
    row: Any = market.conn.execute(*statement.build(asked, profile)).fetchone()  # type: ignore[call-overload]
    return [[source["id"], *sort] for source, sort, _ in row[1]]


def same_scores(market: Market, asked: SearchRequest, profile: Profile = DEFAULT) -> int:
    """The same vehicles with the same scores, in an order that these allow; how many."""
    one, other = (way(market, asked, profile) for way in (by_elasticsearch, by_postgresql))
    scores, theirs = ({hit[0]: hit[1] for hit in hits} for hits in (one, other))
    if len(one) <= asked.limit:
        assert scores.keys() == theirs.keys(), asked
    for mine, yours in zip(one, other, strict=True):
        assert mine[1] == pytest.approx(yours[1], abs=NEARLY), asked
        if mine[0] in theirs:
            assert theirs[mine[0]] == pytest.approx(mine[1], abs=NEARLY), (asked, mine[0])
    return len(one)


def test_random_texts_find_and_score_the_same(named: Market) -> None:
    rng = random.Random(43)
    words = known(named)
    found = [same_scores(named, random_text(rng, words)) for _ in range(REQUESTS)]
    # Most texts must find something, or they prove nothing.
    assert sum(map(bool, found)) > REQUESTS // 3


# Every weight another than the table of fields has, and half the signals off.
ODD = Profile.model_validate(
    DEFAULT.model_dump()
    | {
        "name": "odd",
        "text": {
            "reason": "Weights of which no two are alike.",
            "weights": {name: n + 3 for n, name in enumerate(DEFAULT.text.weights)},
        },
        "typo": DEFAULT.typo.model_dump() | {"points": 0.2},
        "signals": DEFAULT.signals.model_dump()
        | {
            "reviews": DEFAULT.signals.reviews.model_dump() | {"on": False},
            "freshness": DEFAULT.signals.freshness.model_dump() | {"points": 0.1, "half_days": 9},
        },
    }
)


def test_another_profile_scores_the_same_in_both(named: Market) -> None:
    rng = random.Random(47)
    words = known(named)
    for _ in range(REQUESTS // 4):
        same_scores(named, random_text(rng, words), ODD)


def test_browsing_scores_the_same_in_both(named: Market) -> None:
    """Without text the signals alone make the order."""
    rng = random.Random(53)
    for _ in range(REQUESTS // 4):
        same_scores(named, replace(random_text(rng, EMPTY), text=None))


WAYS = [
    "telsa modl", "wragnler", "suburbn hilo", "chevrolte", "beemer 3series", "f 150 truck",
    "landrover range rover sport", "jeep wrangler", "a class merc", "fird f150", "ev in hilo",
    " ".join(["jeep"] * 30), "jeep jeep wrangler", "the a in", "sandy beach", "vette",
    "show me cars", "need a car near me", "year 2018", "please show a jeep only",
]  # fmt: skip


def test_ways_to_write_a_name_score_the_same(named: Market) -> None:
    words = known(named)
    for text in WAYS:
        assert same_scores(named, as_asked(SearchRequest(limit=100), text, words)) > 0, text


def test_a_car_on_the_other_side_of_the_world_has_a_score(market: Market) -> None:
    """Of points that halve every 10 km, 20,000 km leave less than PostgreSQL's floats can hold."""
    market.store(
        {"lat": 19.7, "lon": -155.1}, {"lat": -19.7, "lon": 24.9}, {"lat": None, "lon": None}
    )
    near = Near(19.7, -155.1)
    assert same_scores(market, SearchRequest(near=near, now=datetime.now(UTC), limit=10)) == 3


def test_the_stemmers_agree_but_on_words_of_two_letters(market: Market) -> None:
    """docs/search.md names it: to agree, every vehicle's words would be written anew."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    rng = random.Random(5)
    long = ["".join(rng.choices(letters, k=rng.randint(3, 9))) for _ in range(1000)]
    ends = ["s", "es", "ies", "y", "ed", "ing", "ational", "fulness", "ement"]
    long += [word + rng.choice(ends) for word in long]
    words = [*letters, *(one + other for one in letters for other in letters), *long]
    rows = market.conn.execute(
        "SELECT ts_lexize('vehicle_stem', word) FROM unnest(%s::text[]) AS word", [words]
    )
    here = [stem for ((stem,),) in rows]
    tokens = market.elastic.indices.analyze(
        index=market.alias, analyzer=ANALYZER, text=" ".join(words)
    )["tokens"]
    there = [token["token"] for token in tokens]
    apart = {word for word, *two in zip(words, here, there, strict=True) if two[0] != two[1]}
    assert {"is", "as", "us", "rs", "ay"} <= apart
    assert {len(word) for word in apart} == {2}
    assert {word[-1] for word in apart} == {"s", "y"}

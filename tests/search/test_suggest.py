"""Suggestions while a renter types."""

import random
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from hypothesis import given
from hypothesis import strategies as st

from search.query.filters import VISIBLE
from search.suggest import SECTIONS, Typed, build
from search.words import fold, mark, matches, words
from tests.market import Market
from tests.search import oracle
from tests.search.test_against_sql import random_market  # noqa: F401 - a fixture

FLEET: list[dict[str, Any]] = [
    {"make": "Jeep", "model": "Wrangler", "features": ["GPS", "Android Auto"]},
    {"make": "Jeep", "model": "Wrangler", "features": ["Apple CarPlay"]},
    {"make": "Jeep", "model": "Grand Cherokee"},
    {"make": "Honda", "model": "Civic", "city": "Lihue"},
    {"make": "Honda", "model": "Fit"},
    {"make": "Fiat", "model": "500"},
    {"make": "Citroën", "model": "C3", "city": "Arrecife", "region": "Lanzarote"},
    {"make": "Ford", "model": "F-150"},
    {"make": "Mazda", "model": "CX-5", "city": "Saint-Pierre", "region": "Réunion"},
    {"make": "Tesla", "model": "Model 3"},
]


@pytest.fixture
def fleet(market: Market) -> Market:
    market.store(*FLEET)
    return market


def suggest(market: Market, q: str, **parameters: Any) -> dict[str, Any]:
    answer = market.api.get("/v1/search/suggest", params={"q": q} | parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def labels(market: Market, q: str) -> list[str]:
    sections = suggest(market, q)["sections"]
    return [each["label"] for section in SECTIONS for each in sections[section]]


@pytest.mark.parametrize(
    ("typed", "labelled"),
    [
        ("wrang", ["Jeep <em>Wrang</em>ler"]),
        ("civ", ["Honda <em>Civ</em>ic"]),
        ("citro", ["<em>Citro</em>ën"]),
        ("CITROË", ["<em>Citroë</em>n"]),
        ("lanz", ["<em>Lanz</em>arote"]),
        ("reunion", ["<em>Réunion</em>"]),
        ("pierre", ["Saint-<em>Pierre</em>"]),
        ("cher", ["Jeep Grand <em>Cher</em>okee"]),
        ("jeep wra", ["<em>Jeep</em> <em>Wra</em>ngler"]),
        ("tesla model 3", ["<em>Tesla</em> <em>Model</em> <em>3</em>"]),
        ("f150", ["<em>F</em>ord <em>F</em>-<em>150</em>"]),
        ("f-150", ["<em>F</em>ord <em>F</em>-<em>150</em>"]),
        ("cx5", ["Mazda <em>CX</em>-<em>5</em>"]),
        ("auto", ["Android <em>Auto</em>"]),
        ("fit", ["Honda <em>Fit</em>"]),  # never Fiat
        ("wra civ", []),
        ("rangler", []),
        ("!?", []),
    ],
)
def test_every_word_begins_a_word(fleet: Market, typed: str, labelled: list[str]) -> None:
    assert labels(fleet, typed) == labelled


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("wrnag", "Wrangler"),
        ("wranlger", "Wrangler"),
        ("civci", "Civic"),
        ("hnda", "Honda"),
        ("jeap", "Jeep"),
        ("lansarote", "Lanzarote"),
        ("citrroen", "Citroën"),
        ("androd", "Android Auto"),
    ],
)
def test_a_typo_is_forgiven_when_nothing_begins_so(fleet: Market, typed: str, value: str) -> None:
    found = suggest(fleet, typed)
    assert found["corrected"]
    assert [each["value"] for section in found["sections"].values() for each in section] == [value]


@pytest.mark.parametrize("typed", ["jep", "fat", "mivic", "cx55", "f151", "wxxngler"])
def test_short_words_first_letters_digits_and_second_typos_are_not_forgiven(
    fleet: Market, typed: str
) -> None:
    assert labels(fleet, typed) == []


def test_what_begins_so_is_not_corrected(market: Market) -> None:
    market.store({"make": "Ford", "model": None}, {"make": "Ferd", "model": None})
    found = suggest(market, "ford")
    assert [each["value"] for each in found["sections"]["makes"]] == ["Ford"]
    assert not found["corrected"]


def test_a_suggestion_says_what_it_is_and_how_to_search_for_it(fleet: Market) -> None:
    (found,) = suggest(fleet, "wra")["sections"]["models"]
    assert found == {
        "kind": "model",
        "value": "Wrangler",
        "label": "Jeep <em>Wra</em>ngler",
        "count": 2,
        "filter": {"make": "Jeep", "model": "Wrangler"},
    }


def test_values_that_differ_in_case_are_one(market: Market) -> None:
    market.store({"make": "Kia"}, {"make": "Kia"}, {"make": "KIA"})
    (found,) = suggest(market, "ki")["sections"]["makes"]
    assert (found["value"], found["count"]) == ("Kia", 3)


def test_sections_are_limited_to_those_with_most_vehicles(market: Market) -> None:
    market.store(*({"make": f"Make{n}"} for n in "abcdefg"), {"make": "Makeg"})
    found = suggest(market, "make", limit=3)["sections"]["makes"]
    assert [(each["value"], each["count"]) for each in found] == [
        ("Makeg", 2),
        ("Makea", 1),
        ("Makeb", 1),
    ]


def test_hidden_vehicles_are_not_suggested(market: Market) -> None:
    market.store({"make": "Saab", "status": "unlisted"})
    assert labels(market, "saab") == []


def test_labels_are_escaped(market: Market) -> None:
    market.store({"make": "<b>Bold & Co", "model": None})
    assert labels(market, "bol") == ["&lt;b&gt;<em>Bol</em>d &amp; Co"]


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("", "q", "required"),
        ("q=", "q", "at least 1 character"),
        ("q=" + "a" * 101, "q", "at most 100 characters"),
        ("q=a&limit=21", "limit", "less than or equal to 20"),
        ("q=a&limt=2", "limt", "unknown"),
    ],
)
def test_wrong_parameters(market: Market, query: str, parameter: str, says: str) -> None:
    answer = market.api.get(f"/v1/search/suggest?{query}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == parameter
    assert says in error["message"].lower()


def test_counts_are_what_the_filter_finds(random_market: Market) -> None:  # noqa: F811
    rng = random.Random(3)
    facets = {name: oracle.facet(random_market.conn, {}, name) for name in oracle.FACETS}
    for name in ("make", "city", "region", "country", "features"):
        for value, count in facets[name].items():
            typed = rng.choice(words(value))
            found = suggest(random_market, typed[: rng.randint(1, len(typed))], limit=20)
            every = [each for section in found["sections"].values() for each in section]
            assert {name: value} in [each["filter"] for each in every], (typed, value)
            for each in every:
                if each["filter"] == {name: value}:
                    assert each["count"] == count
    for each in suggest(random_market, "toyota y")["sections"]["models"]:
        random_market.assert_search(
            oracle.ids(random_market.conn, {"make": ["Toyota"], "model": [each["value"]]}, "price"),
            **each["filter"],
        )


def test_words_are_those_of_the_index(market: Market, elastic: Elasticsearch) -> None:
    for text in (
        "Citroën C4-Picasso", "Škoda Ærø Łódź", "St. John's", "D\u2019Aosta", "1.5 dCi (90 hp)",
        "Île de Ré", "Straße ﬁn", "MERCEDES-BENZ", "Curaçao/Bonaire", "Diyarbak\u0131r",
    ):  # fmt: skip
        tokens = elastic.indices.analyze(index=market.alias, analyzer="words", text=text)["tokens"]
        own = {token["token"] for token in tokens}
        assert set(words(text)) == own


@given(st.text("abcé -", max_size=20), st.lists(st.text("abce", min_size=1), max_size=3))
def test_marking_changes_nothing_but_marks(value: str, asked: list[str]) -> None:
    assert mark(value, asked).replace("<em>", "").replace("</em>", "") == value


@given(st.text("abcdefg", min_size=4, max_size=12), st.integers(1, 11), st.sampled_from("xswo"))
def test_one_typo_anywhere_but_in_the_first_letter_is_forgiven(
    word: str, at: int, kind: str
) -> None:
    at = min(at, len(word) - 1)
    typed = {
        "x": word[:at] + "x" + word[at:],
        "s": word[:at] + "x" + word[at + 1 :],
        "w": word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
        "o": word[:at] + word[at + 1 :],
    }[kind]
    if len(typed) >= 4:
        assert matches(word, [typed], typos=True)
        assert matches(f"the {word}hood", [typed], typos=True) or typed == word[:at] + "x"


def test_folding() -> None:
    assert fold("Škoda ÉLÉGANCE Ærø") == "skoda elegance aero"


def prefix(field: str, word: str) -> dict[str, Any]:
    return {"prefix": {f"{field}.words": word}}


def test_a_whole_body() -> None:
    fields = ("make", "model", "body", "fuel", "city", "region", "country", "features")
    own = {field: {"bool": {"filter": [prefix(field, "c4")]}} for field in fields}
    for field in fields:
        apart = {"bool": {"filter": [prefix(field, "c"), prefix(field, "4")]}}
        own[field] = {"bool": {"filter": [{"bool": {"should": [prefix(field, "c4"), apart]}}]}}
    terms: dict[str, Any] = {
        field: {"terms": {"field": field, "size": 500 if field == "features" else 10}}
        for field in fields
    }
    terms["model"]["aggs"] = {"within": {"terms": {"field": "make", "size": 5}}}
    terms["city"]["aggs"] = {"within": {"terms": {"field": "region", "size": 5}}}
    assert build(Typed.of("C4", 5)) == {
        "query": {"bool": {"filter": [VISIBLE, {"bool": {"should": list(own.values())}}]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": {
            field: {"filter": own[field], "aggs": {"values": terms[field]}} for field in fields
        },
        "timeout": "1s",
    }


def test_an_alias_is_a_whole_word_of_the_value() -> None:
    body = build(Typed.of("vw", 5))
    words = {"bool": {"filter": [{"term": {"make.words": "volkswagen"}}]}}
    assert body["aggs"]["make"]["filter"] == {
        "bool": {"filter": [{"bool": {"should": [prefix("make", "vw"), words]}}]}
    }


def test_a_typo_is_looked_for_only_in_words_of_four_letters() -> None:
    assert "make~" not in build(Typed.of("fit 2020", 5))["aggs"]
    assert "make~" not in build(Typed.of("grand cherokee jeep hilo", 5))["aggs"]
    body = build(Typed.of("kia jeep", 5))
    assert len(body["aggs"]) == 16
    kia, jeep = body["aggs"]["city~"]["filter"]["bool"]["filter"]
    letter = "[a-z0-9]"
    assert kia == prefix("city", "kia")
    assert jeep["regexp"]["city.words"]["value"] == (
        f"j(e(e(p({letter}?)|{letter}p|{letter}|())|{letter}ep|{letter}p|p|pe)"
        f"|{letter}eep|{letter}ep|ep|eep).*"
    )


def test_bodies_and_fuels_are_suggested_as_types(market: Market) -> None:
    market.store({"body": "SUV", "fuel": "Electric"}, {"body": "Sedan", "fuel": "Electric"})
    types = suggest(market, "e")["sections"]["types"]
    assert [(each["kind"], each["filter"], each["count"]) for each in types] == [
        ("fuel", {"fuel": "Electric"}, 2)
    ]
    (suv,) = suggest(market, "suv")["sections"]["types"]
    assert (suv["kind"], suv["label"], suv["filter"]) == ("body", "<em>SUV</em>", {"body": "SUV"})


def test_a_country_that_is_its_only_region_stands_once(market: Market) -> None:
    market.store(
        *({"city": city, "region": "Malta", "country": "Malta"} for city in ("Gozo", "Mdina"))
    )
    (malta,) = suggest(market, "malta")["sections"]["places"]
    assert (malta["filter"], malta["count"]) == ({"country": "Malta"}, 2)


@pytest.mark.parametrize(
    ("typed", "labelled"),
    [
        ("vw", ["Volkswagen"]),
        ("vw go", ["Volkswagen <em>Go</em>lf"]),
        ("chevy", ["Chevrolet"]),
        ("chevy corv", ["Chevrolet <em>Corv</em>ette"]),
        ("vette", ["Chevrolet Corvette"]),
        ("merc", ["<em>Merc</em>edes-Benz"]),
        ("usa", ["United States"]),
        ("pdx", ["Portland"]),
        ("gas", ["Petrol"]),
        ("awd", ["All-wheel drive"]),
        ("vwx", []),  # an alias is a whole word
    ],
)
def test_aliases_find_what_they_find_in_a_search(
    place: Market, typed: str, labelled: list[str]
) -> None:
    place.store(
        {"make": "Volkswagen", "model": "Golf", "fuel": "Petrol"},
        {"make": "Chevrolet", "model": "Corvette", "city": "Petrolia", "region": "California"},
        {"make": "Mercedes-Benz", "model": "A-Class", "city": "Portland", "region": "Oregon"},
        {"country": "United Kingdom", "features": ["All-wheel drive"]},
    )
    assert labels(place, typed) == labelled


def test_a_city_says_its_region_where_there_are_several(place: Market) -> None:
    places = [
        {"city": "Portland", "region": "Oregon"},
        {"city": "Portland", "region": "Oregon"},
        {"city": "Portland", "region": "Maine"},
        {"city": "Port Townsend", "region": "Washington"},
        {"city": "Port Townsend", "region": None},
    ]
    place.store(*places)
    found = suggest(place, "port")["sections"]["places"]
    assert [(each["label"], each["count"], each["filter"]) for each in found] == [
        ("<em>Port</em> Townsend", 2, {"city": "Port Townsend"}),
        ("<em>Port</em>land, Oregon", 2, {"city": "Portland", "region": "Oregon"}),
        ("<em>Port</em>land, Maine", 1, {"city": "Portland", "region": "Maine"}),
    ]
    for each in found:
        assert each["value"] == each["filter"]["city"]
        assert place.search(**each["filter"])["total"]["value"] == each["count"]

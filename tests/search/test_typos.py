"""Names as people write them: joined and apart, nicknames, plurals, accents, misspelt."""

import pytest

from search.typos import misspelt
from tests.market import Market

PLAIN = {"description": "", "city": None, "region": None}


def car(make: str, model: str | None, **columns: object) -> dict[str, object]:
    return PLAIN | {"make": make, "model": model} | columns


# One of each; every search below must find its own and nothing else.
CARS = {
    "f150": car("Ford", "F-150"),
    "cx5": car("Mazda", "CX-5"),
    "3 series": car("BMW", "3 Series"),
    "c-hr": car("Toyota", "C-HR"),
    "rav4": car("Toyota", "RAV4"),
    "mazda3": car("Mazda", "3"),
    "golf": car("Volkswagen", "Golf"),
    "suburban": car("Chevrolet", "Suburban"),
    "a-class": car("Mercedes-Benz", "A-Class"),
    "range rover": car("Land Rover", "Range Rover Sport"),
    "wrangler": car("Jeep", "Wrangler"),
    "berlingo": car("Citroën", "Berlingo"),
    "model x": car("Tesla", "Model X"),
    "fit": car("Honda", "Fit"),
    "500": car("Fiat", "500"),
    "x5": car("BMW", "X5"),
}
WRITTEN = {
    "f150": ("f150", "F-150", "f 150", "ford f150", "f150s", "ford f 150"),
    "cx5": ("cx5", "CX-5", "cx 5", "mazda cx5"),
    "3 series": ("3 series", "3series", "bmw 3-series"),
    "c-hr": ("chr", "c hr", "C-HR", "toyota chr"),
    "rav4": ("rav4", "rav 4", "RAV-4"),
    "mazda3": ("mazda3", "mazda 3"),
    "golf": ("vw golf", "VW", "vws", "volkswagens"),
    "suburban": ("chevy", "Chevys", "chevy suburbans"),
    "a-class": ("merc", "mercedes", "benz", "mercedesbenz", "merc a class", "aclass"),
    "range rover": ("rangerover", "land rover", "landrover range rover sport"),
    "wrangler": ("wranglers",),
    "berlingo": ("citroen", "CITROËN", "citroën berlingo"),
    "model x": ("modelx", "tesla model x"),
    "fit": ("fit", "fits", "honda fit"),
    "500": ("500", "fiat500"),
    "x5": ("x5", "x 5", "beemer x5", "bimmer x5"),
}
MISSPELT = {
    "wrangler": ("wrangeler", "jeep wragnler", "Wrengler"),
    "berlingo": ("citreon", "citroen berligno"),
    "model x": ("tesla modl x", "telsa model x"),
    "500": ("fiatt 500",),
}


@pytest.mark.parametrize("learnt", [False, True])
def test_names_are_found_as_people_write_them(market: Market, learnt: bool) -> None:
    names = dict(zip(market.store(*CARS.values()), CARS, strict=True))
    if learnt:
        market.learn()
    ways = [*WRITTEN.items(), *(MISSPELT.items() if learnt else ())]
    found = {
        q: [names[vehicle] for vehicle in market.ids(q=q)] for _, written in ways for q in written
    }
    assert found == {q: [name] for name, written in ways for q in written}


def test_an_exact_name_beats_a_mention(market: Market) -> None:
    mention, name = market.store(
        car("Kia", "Soul", description="Smaller than an F150, with the heart of an F-150")
        | {"imported_rating": 500, "imported_review_count": 900},
        car("Ford", "F-150", imported_rating=100, imported_review_count=900),
    )
    for q in ("f150", "F-150", "f 150"):
        market.assert_order([name, mention], q=q)


def test_a_whole_name_comes_before_a_longer_one(market: Market) -> None:
    longer, whole = market.store(
        car("Jeep", "Wrangler Unlimited", imported_rating=500, imported_review_count=900),
        car("Jeep", "Wrangler"),
    )
    market.assert_order([whole, longer], q="jeep wrangler")


def test_a_word_as_written_beats_a_similar_one_even_in_a_description(market: Market) -> None:
    """Where nothing is described by the word: what is known has no similar ones."""
    similar, mention = market.store(
        car("Nissan", "Rogue", imported_rating=500, imported_review_count=900),
        car("Kia", "Soul", description="Rouge.", imported_rating=100, imported_review_count=900),
    )
    market.learn()
    market.assert_order([mention, similar], q="rouge")


def test_months_and_words_of_other_kinds_are_no_cars(market: Market) -> None:
    market.store(car("Nissan", "Juke"), car("Ford", "Mach-E", features=["Parking"]))
    market.learn()
    for q in ("june", "march", "paris"):
        market.assert_search([], q=q, keep=["dates"])


def test_a_misspelt_place_or_feature_is_found_where_it_is(market: Market) -> None:
    there, _ = market.store(
        car("Kia", "Soul", city="Honolulu", features=["Bluetooth"]), car("Kia", "Rio", city="Hilo")
    )
    market.learn()
    for q in ("honlulu", "kia blutooth"):
        market.assert_search([there], q=q)
        assert market.search(q=q)["suggestions"]["didYouMean"]["total"] == 1


def test_similar_words_do_not_join_those_of_a_known_word(market: Market) -> None:
    focus, _ = market.store(car("Ford", "Focus"), car("Ford", "Locus", title="Fokus"))
    market.learn()
    market.assert_search([focus], q="focus")


def test_a_search_keeps_its_guesses_on_all_its_pages(market: Market) -> None:
    ids = market.store(*(car("Tesla", "Model X") for _ in range(6)))
    market.learn()
    page = market.search(q="tesla modl", limit=3)
    market.store(car("Kia", "Soul", features=["Modl"]))
    market.learn()
    market.assert_search([], q="tesla modl")
    rest = market.search(q="tesla modl", limit=10, cursor=page["nextCursor"])
    assert sorted(item["id"] for item in page["items"] + rest["items"]) == ids


class TestWhatMayBeMisspelt:
    """Letters only, four or more, and no word that vehicles are described by."""

    def test_unknown_words(self) -> None:
        assert misspelt("Tesla modl", frozenset({"tesla"})) == ("modl",)

    def test_neither_short_ones_nor_ones_with_a_digit_nor_small_ones(self) -> None:
        assert misspelt("fit cx5 f150 a4 cars with rental", frozenset()) == ()

    def test_nor_nicknames_nor_plurals_of_known_words(self) -> None:
        assert misspelt("chevy chevys wranglers", frozenset({"wrangler"})) == ()

    def test_accents_and_case_do_not_make_a_word_unknown(self) -> None:
        assert misspelt("CITROËN Citroen", frozenset({"citroen"})) == ()

"""Did you mean: known words that are near unknown ones, and only what finds something."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.did_you_mean import NearWords, corrections, distance
from tests.market import Market

PLAIN = {"description": "", "city": None, "region": None}
TESLA = PLAIN | {"make": "Tesla", "model": "Model X"}
WORDS = {
    "tesla": 600, "tulsa": 3, "model": 900, "jeep": 500, "wrangler": 400, "honolulu": 9, "hill": 2,
    "hana": 5, "mustang": 300, "ford": 800, "salt": 2, "fiat": 50, "kia": 200, "hawaii": 700,
}  # fmt: skip


def meant(market: Market, q: str, **parameters: Any) -> str | None:
    found = market.search(q=q, **parameters)["suggestions"]["didYouMean"]
    return found and found["q"]


def test_a_misspelt_name_is_proposed_as_it_is_written(place: Market) -> None:
    place.store(TESLA, PLAIN | {"make": "Jeep", "model": "Wrangler", "city": "Honolulu"})
    place.learn()
    assert meant(place, "Telsa model x") == "tesla model x"
    assert meant(place, "jeep wrangeler in Honolulo!") == "jeep wrangler in honolulu!"


def test_what_was_found_by_similar_words_is_said_to_be(market: Market) -> None:
    (tesla,) = market.store(TESLA)
    market.learn()
    page = market.search(q="telsa")
    assert [item["id"] for item in page["items"]] == [tesla]
    assert page["suggestions"]["didYouMean"] == {
        "q": "tesla",
        "replaced": [{"start": 0, "end": 5, "words": "telsa", "meant": "tesla"}],
        "total": 1,
        "applied": True,
    }


def test_what_was_not_found_is_proposed_and_shown(market: Market) -> None:
    (hilo,) = market.store({"city": "Kailua", "region": None})
    market.learn()
    page = market.search(q="toyotakailua", start="2099-01-01", end="2099-01-03")
    assert page["total"]["value"] == 0
    assert page["items"] == []
    assert page["suggestions"]["didYouMean"]["applied"] is False
    (shown,) = page["suggestions"]["relaxed"]
    assert shown["relaxed"] == [
        {
            "parameter": "q", "was": "toyotakailua", "now": "toyota kailua",
            "label": "Results for “toyota kailua”",
        }
    ]  # fmt: skip
    assert shown["parameters"] == {
        "q": "toyota kailua", "start": "2099-01-01", "end": "2099-01-03"
    }  # fmt: skip
    assert [item["id"] for item in shown["items"]] == [hilo]
    assert shown["items"][0]["total"] > 0


def test_the_total_is_what_the_proposal_finds(place: Market) -> None:
    place.store(TESLA, TESLA, TESLA | {"daily_rate_cents": 9_000})
    place.learn()
    page = place.search(q="telsa", priceMax=6_000)
    proposed = page["suggestions"]["didYouMean"]
    assert proposed["total"] == 2
    assert place.search(q=proposed["q"], priceMax=6_000)["total"]["value"] == 2


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("mustan g", "mustang"),  # where nothing but the one word is known
        ("fordmustang hawai", "fordmustang hawaii"),
        ("hawaiitesla", "hawaii tesla"),
        ("telsa in hawai", "tesla in hawaii"),
    ],
)
def test_words_joined_and_split(market: Market, q: str, expected: str) -> None:
    words, near = WORDS | {"fordmustang": 30}, NearWords(WORDS)
    assert corrections(q, q, words, near)[0].text == expected


def test_a_last_word_may_be_the_beginning_of_one(place: Market) -> None:
    jeep = PLAIN | {"make": "Jeep", "model": "Wrangler"}
    wrangler, _ = place.store(jeep, TESLA)
    place.learn()
    page = place.search(q="jeep wr")
    assert page["total"]["value"] == 0
    assert page["suggestions"]["didYouMean"] == {
        "q": "jeep wrangler",
        "replaced": [{"start": 5, "end": 7, "words": "wr", "meant": "wrangler"}],
        "total": 1,
        "applied": False,
    }
    assert [item["id"] for item in page["suggestions"]["relaxed"][0]["items"]] == [wrangler]
    assert meant(place, "jeep wr", typing=True) is None, "it is searched as the beginning already"


def test_a_last_word_is_taken_for_a_name_before_a_feature(place: Market) -> None:
    cooled = PLAIN | {"make": "Toyota", "model": "Yaris", "features": ["Cooled seats"]}
    place.store(PLAIN | {"make": "Toyota", "model": "Corolla"}, cooled, cooled)
    place.learn()
    assert meant(place, "toyota co") == "toyota corolla"


def test_a_name_is_proposed_as_it_is_written(place: Market) -> None:
    place.store(PLAIN | {"make": "Toyota", "city": "El Segundo"})
    place.learn()
    assert meant(place, "toyota el segu") == "toyota el segundo"
    assert meant(place, "toyota elseg") is None, "nobody writes elsegundo"


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("jeep wr", "jeep wrangler"),
        ("Jeep, Wr.", "Jeep, wrangler."),
        ("ford h", None),  # of one letter everything may become something
        ("wr jeep", None),
        ("wr", "wrangler"),
        ("blue jeep wr", None),  # of talk, any word may begin a name
        ("anything in wr", None),
        ("a wr", None),
        ("jeep in", None),
        ("ford 30", None),
        ("ford hondo", None),  # begins nothing
    ],
)
def test_which_last_words(q: str, expected: str | None) -> None:
    words = WORDS | {"inverness": 5, "3008": 9}
    near = NearWords(words)
    found = corrections(q, q, words, near, near.begun)
    assert (found[0].text if found else None) == expected
    assert not corrections(q, q, words, near)


def test_nothing_is_proposed_that_finds_nothing(place: Market) -> None:
    ford = PLAIN | {"make": "Ford", "model": "Tesla"}
    place.store(ford, ford, PLAIN | {"make": "Kia", "model": "Soul", "city": "Tulsa"})
    place.learn()
    assert meant(place, "kia telsa") == "kia tulsa"  # what more vehicles have, no Kia has
    assert meant(place, "telsa", make="Lada") is None


def test_names_of_hidden_vehicles_are_never_proposed(place: Market) -> None:
    place.store(TESLA | {"status": "unlisted"}, PLAIN | {"make": "Kia", "model": "Soul"})
    place.learn()
    assert meant(place, "telsa") is None


def test_known_words_are_left_alone(place: Market) -> None:
    place.store(TESLA, PLAIN | {"make": "Kia", "model": "Tesli", "city": "Modal"})
    place.learn()
    assert meant(place, "modal tesli") is None


def test_words_that_descriptions_have_are_left_alone(place: Market) -> None:
    place.store(TESLA, *[PLAIN | {"make": "Kia", "description": "With a telsa."}] * 5)
    place.learn()
    assert meant(place, "telsa") is None


def test_later_pages_propose_nothing(market: Market) -> None:
    market.store(TESLA, TESLA)
    market.learn()
    first = market.search(q="telsa", limit=1)
    assert first["suggestions"]["didYouMean"]["total"] == 2
    second = market.search(q="telsa", limit=1, cursor=first["nextCursor"])
    assert second["suggestions"] == {"didYouMean": None, "relaxed": []}


# The rule, on words alone


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("telsa", ["tesla"]),  # swapped letters; Tulsa's u may be meant, but is rare
        ("modl", ["model"]),
        ("jepp", ["jeep"]),
        ("wrangeler", ["wrangler"]),
        ("honnolula", ["honolulu"]),  # two wrong, of eight letters and more
        ("mustnag", ["mustang"]),
        ("nustang", []),  # the first letter is right
        ("mstng", []),  # one wrong, of less than eight
        ("fit", []),
        ("kai", []),
        ("mustang5", []),
        ("hilo", []),  # no hill: another letter in a short word, and few vehicles
        ("sale", []),
    ],
)
def test_near_words(word: str, expected: list[str]) -> None:
    assert NearWords(WORDS).near(word) == expected


def test_of_equally_near_words_more_vehicles_have_the_first() -> None:
    near = NearWords({"rider": 5, "riders": 9, "rides": 7})
    assert near.near("ridera") == ["riders", "rider"]


def by_table(one: str, other: str) -> int:
    """Optimal string alignment, by the table of the textbooks."""
    table = [[max(i, j) for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (one[i - 1] != other[j - 1]),
            )
            if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


letters = st.text("abc", max_size=7)


@given(letters, letters, st.integers(0, 3))
def test_the_distance_is_that_of_the_textbooks(one: str, other: str, most: int) -> None:
    expected = by_table(one, other)
    assert distance(one, other, most) == (expected if expected <= most else None)


@given(st.dictionaries(st.text("abcd", min_size=3, max_size=9), st.just(1)), letters)
def test_no_near_word_is_overlooked(words: dict[str, int], word: str) -> None:
    """One common number of vehicles: nothing is by chance."""
    near = NearWords(words)
    most = 2 if len(word) >= 8 else 1
    expected = {
        known
        for known in words
        if len(word) >= 4 and known[0] == word[0] and by_table(word, known) <= most
    }
    found = near.near(word)
    assert set(found) <= expected
    assert len(found) == min(len(expected), 3)


@given(st.text(max_size=60))
def test_any_text_can_be_corrected(text: str) -> None:
    for each in corrections(text, text, WORDS, NearWords(WORDS)):
        assert each.text != text
        assert all(text[one.start : one.end] == one.words for one in each.replaced)

"""Free text: every word somewhere, the name before the rest, case and accents ignored."""

import pytest

from tests.market import Market


def test_words_may_be_found_in_different_fields(market: Market) -> None:
    hilo, lihue = market.store(
        {"make": "Tesla", "model": "Model X", "city": "Hilo"},
        {"make": "Tesla", "model": "Model X", "city": "Lihue"},
    )
    market.assert_search([hilo, lihue], q="tesla model x")
    market.assert_search([hilo], q="tesla hilo")


def test_every_word_must_be_found(market: Market) -> None:
    market.store({"make": "Tesla", "model": "Model X"})
    market.assert_search([], q="tesla convertible")


def test_words_between_those_that_matter_need_not_be_found(market: Market) -> None:
    (jeep,) = market.store({"make": "Jeep", "model": "Wrangler", "city": "Hilo", "description": ""})
    market.assert_search([jeep], q="rent a jeep wrangler in Hilo")


def test_but_they_count_where_they_are_found(market: Market) -> None:
    c_class, a_class = market.store(
        {"make": "Mercedes-Benz", "model": "C-Class", "description": ""},
        {"make": "Mercedes-Benz", "model": "A-Class", "description": ""},
    )
    market.assert_order([a_class, c_class], q="mercedes a class")


def test_case_accents_and_plurals_do_not_matter(market: Market) -> None:
    (citroen,) = market.store({"make": "Citroën", "model": "C3", "features": ["Child seat"]})
    for q in ("CITROEN", "citroën", "child seats", "Citroën c3"):
        market.assert_search([citroen], q=q)


def test_a_year_is_part_of_the_name_even_when_the_host_gives_a_title(market: Market) -> None:
    (beach,) = market.store({"make": "Jeep", "model": "Wrangler", "year": 2019, "title": "Sandy"})
    market.assert_search([beach], q="2019 wrangler")
    market.assert_search([beach], q="sandy")


def test_a_name_ranks_before_a_mention(market: Market) -> None:
    mention, name = market.store(
        {"make": "Kia", "model": "Soul", "description": "Roomier than a Jeep."},
        {"make": "Jeep", "model": "Wrangler"},
    )
    market.assert_order([name, mention], q="jeep")


def test_among_equals_the_most_reviewed_comes_first_with_and_without_text(market: Market) -> None:
    fresh, known = market.store({}, {"imported_rating": 480, "imported_review_count": 12})
    market.assert_order([known, fresh], q="toyota")
    market.assert_order([known, fresh])


def test_scores_do_not_depend_on_what_else_is_in_the_index(market: Market) -> None:
    (jeep,) = market.store({"make": "Jeep", "model": "Wrangler"})
    before = score(market, "jeep", jeep)
    market.store(*({"make": "Jeep", "model": "Compass"} for _ in range(20)))
    assert score(market, "jeep", jeep) == before == 7.0  # of the make, and for its whole name


def score(market: Market, text: str, vehicle_id: int) -> float:
    from search.query import text as query

    answer = market.elastic.search(index=market.alias, query=query.match(text), size=100)
    return next(h["_score"] for h in answer["hits"]["hits"] if h["_id"] == str(vehicle_id))


def test_highlights_mark_the_words_and_escape_the_rest(market: Market) -> None:
    market.store({"make": "Kia", "model": "Soul", "description": "<b>Fast</b> surf wagon"})
    (item,) = market.search(q="kia surf")["items"]
    assert item["highlights"] == {
        "title": "2021 <em>Kia</em> Soul",
        "description": "&lt;b&gt;Fast&lt;&#x2F;b&gt; <em>surf</em> wagon",
    }


def test_blank_text_is_no_text(market: Market) -> None:
    everything = market.store({}, {})
    market.assert_search(everything, q="  ")


@pytest.mark.parametrize("text", ["cheap jeep", "cheapest jeep", "affordable jeep for a trip"])
def test_what_a_renter_wishes_of_any_car_need_not_be_found(place: Market, text: str) -> None:
    jeep, cheap = place.store(
        {"make": "Jeep", "description": ""},
        {"make": "Jeep", "description": "Cheap and affordable, the cheapest for any trip."},
    )
    place.assert_order([cheap, jeep], q=text)

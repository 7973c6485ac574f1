"""Filters: any of the values of one, all of the features, every filter at once."""

import pytest

from tests.market import Market


@pytest.mark.parametrize(
    ("parameter", "column", "one", "other"),
    [
        ("make", "make", "Toyota", "Jeep"),
        ("model", "model", "RAV4", "Wrangler"),
        ("body", "body", "SUV", "Pickup"),
        ("fuel", "fuel", "Petrol", "Electric"),
        ("transmission", "transmission", "Automatic", "Manual"),
        ("city", "city", "Hilo", "Lihue"),
        ("region", "region", "Hawaii", "Canary Islands"),
        ("country", "country", "United States", "Spain"),
    ],
)
def test_any_of_several_values_matches(
    market: Market, parameter: str, column: str, one: str, other: str
) -> None:
    first, second, _third = market.store({column: one}, {column: other}, {column: "Neither"})
    market.assert_search([first], **{parameter: one})
    market.assert_search([first], **{parameter: one.upper()})
    market.assert_search([first, second], **{parameter: [one, other]})
    market.assert_search([], **{parameter: "Nowhere"})


def test_all_of_several_features_must_match(market: Market) -> None:
    both, _one = market.store({"features": ["GPS", "Sunroof"]}, {"features": ["GPS"]})
    market.assert_search([both], features=["gps", "Sunroof"])


@pytest.mark.parametrize(
    ("column", "parameter", "values", "asked", "expected"),
    [
        ("year", "yearMin", [2015, 2016, 2017], 2016, [1, 2]),
        ("year", "yearMax", [2015, 2016, 2017], 2016, [0, 1]),
        ("seats", "seatsMin", [4, 5, 7], 5, [1, 2]),
        ("daily_rate_cents", "priceMin", [4999, 5000, 5001], 5000, [1, 2]),
        ("daily_rate_cents", "priceMax", [4999, 5000, 5001], 5000, [0, 1]),
        ("imported_rating", "ratingMin", [449, 450, 451], 4.5, [1, 2]),
    ],
)
def test_bounds_are_inclusive(
    market: Market,
    column: str,
    parameter: str,
    values: list[int],
    asked: float,
    expected: list[int],
) -> None:
    ids = market.store(*({column: value} for value in values))
    market.assert_search([ids[index] for index in expected], **{parameter: asked})


def test_a_vehicle_without_the_value_does_not_match_a_bound(market: Market) -> None:
    market.store({"year": None, "seats": None})
    market.assert_search([], yearMin=1900)
    market.assert_search([], seatsMin=1)
    market.assert_search([], ratingMin=1)


def test_instant_book(market: Market) -> None:
    instant, asked_for = market.store({"instant_book": True}, {"instant_book": False})
    market.assert_search([instant], instantBook="true")
    market.assert_search([asked_for], instantBook="false")


def test_only_listed_vehicles_are_ever_found(market: Market) -> None:
    listed, unlisted, archived = market.store({}, {"status": "unlisted"}, {"status": "archived"})
    market.assert_search([listed])
    market.assert_search([listed], q="toyota")
    market.conn.execute("UPDATE vehicles SET status = 'listed' WHERE id = %s", [unlisted])
    market.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [listed])
    market.conn.execute("DELETE FROM vehicles WHERE id = %s", [archived])
    market.drain()
    market.assert_search([unlisted])


def test_filters_are_never_widened_by_text(market: Market) -> None:
    _jeep, rav = market.store({"make": "Jeep", "model": "Wrangler"}, {})
    market.assert_search([], q="jeep", make="Toyota")
    market.assert_search([rav], q="rav4", make="Toyota")

"""`typing=true`: the last word of a text may be unfinished."""

from typing import Any

import pytest

from tests.market import Market

PLAIN = {"description": "", "city": None, "region": None}


def car(make: str, model: str, **columns: Any) -> dict[str, Any]:
    return PLAIN | {"make": make, "model": model} | columns


@pytest.fixture
def fleet(place: Market) -> dict[str, int]:
    ids = place.store(
        car("Jeep", "Wrangler"),
        car("Toyota", "Corolla"),
        car("Toyota", "Tacoma", city="Hilo"),
        car("Kia", "Soul", description="Jeeps are not all.", features=["Bluetooth"]),
    )
    place.learn()
    return dict(zip(("wrangler", "corolla", "tacoma", "soul"), ids, strict=True))


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("w", ["wrangler"]),
        ("wran", ["wrangler"]),
        ("wrangl", ["wrangler"]),
        ("wrangler", ["wrangler"]),
        ("toyota c", ["corolla"]),
        ("toyo", ["corolla", "tacoma"]),
        ("toyota hil", ["tacoma"]),
        ("kia blue", ["soul"]),
    ],
)
def test_it_is_found_by_its_beginning(
    place: Market, fleet: dict[str, int], q: str, found: list[str]
) -> None:
    place.assert_search([fleet[name] for name in found], q=q, typing=True)


@pytest.mark.parametrize("q", ["toyo corolla", "wran "])
def test_only_the_last_word_is_and_no_blank_follows(
    place: Market, fleet: dict[str, int], q: str
) -> None:
    place.assert_search([], q=q, typing=True)


def test_a_whole_word_is_meant_as_it_stands(place: Market, fleet: dict[str, int]) -> None:
    (mini, _) = place.store(car("MINI", "Cooper"), car("Kia", "Minivan"))
    place.learn()
    place.assert_search([mini], q="mini", typing=True)


def test_without_being_told_a_word_is_taken_for_whole(place: Market, fleet: dict[str, int]) -> None:
    place.assert_search([], q="wran")


def test_its_pages_are_one_search(place: Market, fleet: dict[str, int]) -> None:
    page = place.search(q="toyo", typing=True, limit=1)
    place.store(car("Toyotomi", "One"))
    place.learn()
    rest = place.search(q="toyo", typing=True, limit=10, cursor=page["nextCursor"])
    found = {item["id"] for item in page["items"] + rest["items"]}
    assert found == {fleet["corolla"], fleet["tacoma"]}


def test_what_is_suggested_instead_finds_as_many(place: Market, fleet: dict[str, int]) -> None:
    page = place.search(q="toyo", typing=True, seatsMin=9)
    assert page["items"] == []
    assert page["suggestions"]["relaxed"]
    for each in page["suggestions"]["relaxed"]:
        found = place.search(**each["parameters"])
        assert found["total"]["value"] == each["count"] > 0

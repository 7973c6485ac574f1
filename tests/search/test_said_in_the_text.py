"""What parameters leave open and the text says: days and places as if they had been sent."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.market import Market

WEDNESDAY = datetime(2098, 2, 26, 12, tzinfo=UTC)
HILO = {"city": "Hilo"}
KEAAU = {"city": "Keaau", "lat": 19.6222, "lon": -155.0372}
Clock = Callable[[datetime], None]


@pytest.fixture
def at(place: Market) -> Iterator[Clock]:
    """Set the clock of the API that is asked."""
    with place.clock() as set_clock:
        set_clock(WEDNESDAY)
        yield set_clock


def refused(place: Market, **asked: Any) -> tuple[str, str]:
    """The parameter that is refused, and what is said of it."""
    answer = place.api.get("/v1/search/vehicles", params=asked)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    return error["pointer"], error["message"]


def applied(place: Market, **asked: Any) -> dict[str, bool]:
    """Whether the readings of days narrow the search, by their words."""
    understood = place.search(**asked)["understood"]
    return {each["words"]: each["applied"] for each in understood if each["kind"] == "dates"}


def test_days_of_the_text_are_as_flexible_as_is_sent(place: Market, at: Clock) -> None:
    later, _ = place.store({}, {})
    place.book(later, "2098-03-12", "2098-03-13")
    place.book(_, "2098-03-08", "2098-03-20")
    asked = {"q": "from mar 12 to 15", "flexDays": 2}
    page = place.search(**asked)
    assert [(item["id"], item["window"]["start"]) for item in page["items"]] == [
        (later, "2098-03-13")
    ]
    assert page["total"]["value"] == 1
    assert applied(place, **asked) == {"from mar 12 to 15": True}
    sent = {"start": "2098-03-12", "end": "2098-03-15", "flexDays": 2}
    assert place.search(**sent)["items"] == page["items"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"q": "for 4 days", "month": "2098-03"}, {"for 4 days": True}),
        ({"q": "in march", "days": 4}, {"in march": True}),
        # What is sent wins, the rest is the text's.
        ({"q": "4 days in april", "month": "2098-03"}, {"4 days in april": True}),
        ({"q": "in april, for 4 days", "month": "2098-03"}, {"in april, for 4 days": True}),
        ({"q": "9 days in march", "days": 4}, {"9 days in march": True}),
    ],
)
def test_a_month_or_its_days_may_be_in_the_text(
    place: Market, at: Clock, asked: dict[str, Any], words: dict[str, bool]
) -> None:
    late, _ = place.store({}, {})
    place.book(late, "2098-03-01", "2098-03-20")
    place.book(_, "2098-03-02", "2098-03-30")
    page = place.search(**asked)
    assert [(item["id"], item["window"]) for item in page["items"]] == [
        (late, {"start": "2098-03-20", "end": "2098-03-24"})
    ]
    assert applied(place, **asked) == words


def test_a_month_of_the_text_has_room_for_the_days_that_are_sent(place: Market, at: Clock) -> None:
    """Of February three days are left: ten days in February are next year's."""
    (vehicle,) = place.store({})
    page = place.search(q="in february", days=10)
    assert page["understood"][0]["parameters"] == {"month": "2099-02"}
    assert [item["window"]["start"] for item in page["items"]] == ["2099-02-01"]
    assert place.ids(q="in february", days=2) == [vehicle]


def test_totals_are_of_days_that_only_together_are_known(place: Market, at: Clock) -> None:
    dear, cheap = place.store({"daily_rate_cents": 9000}, {"daily_rate_cents": 5000})
    asked = {"q": "under $250 total in march", "days": 4}
    place.assert_search([cheap], **asked)
    place.assert_order([cheap, dear], q="in march", days=4, priceBasis="total", sort="price")


def test_pages_of_completed_days_go_on(place: Market, at: Clock) -> None:
    every = place.store({}, {}, {})
    asked = {"q": "from tomorrow until sunday", "flexDays": 1, "sort": "price"}
    page = place.search(**asked, limit=1)
    at(datetime(2098, 2, 27, 0, 1, tzinfo=UTC))
    rest = place.walk(**asked, limit=1, cursor=page["nextCursor"])
    assert [page["items"][0]["id"], *rest] == every


def test_what_is_tried_instead_is_whole(place: Market, at: Clock) -> None:
    """Its parameters say the days themselves."""
    (vehicle,) = place.store({"make": "Jeep"})
    place.learn()
    place.book(vehicle, "2098-03-12", "2098-03-14")
    page = place.search(q="jeep from mar 12 to 14", flexDays=1)
    (first, *_) = page["suggestions"]["relaxed"]
    days = {"start": "2098-03-12", "end": "2098-03-14"}
    assert first["parameters"] == {"make": ["Jeep"], "flexDays": 3} | days
    assert place.ids(**first["parameters"]) == [vehicle]


def test_distances_are_from_a_place_in_the_text(place: Market) -> None:
    keaau, hilo, _ = place.store(KEAAU, HILO, {"city": "Lihue", "lat": 21.98, "lon": -159.37})
    place.learn()
    page = place.search(q="near hilo", sort="distance")
    assert [item["id"] for item in page["items"]] == [hilo, keaau]
    assert page["items"][0]["distanceKm"] == 0
    page = place.search(q="in hilo", sort="distance")
    assert [(item["id"], item["distanceKm"]) for item in page["items"]] == [(hilo, 0)]
    (reading,) = page["understood"]
    assert reading["parameters"] == {"city": ["Hilo"], "lat": 19.7074, "lon": -155.0885}
    assert place.search(**reading["parameters"], sort="distance")["items"] == page["items"]
    assert place.search(q="in hilo")["understood"][0]["parameters"] == {"city": ["Hilo"]}
    # Of two cities the first is measured from, as "near Hilo or Keaau" is around the first.
    assert place.walk(q="keaau or hilo", sort="distance", limit=1) == [keaau, hilo]
    # A point that is sent is measured from.
    page = place.search(q="in hilo", sort="distance", lat=19.6222, lon=-155.0372)
    assert page["items"][0]["distanceKm"] > 10


@pytest.mark.parametrize(
    ("asked", "pointer", "says"),
    [
        ({"q": "jeep", "flexDays": 2}, "flexDays", "needs start and end"),
        ({"q": "until friday", "flexDays": 2}, "flexDays", "needs start and end"),
        ({"q": "4 days in march", "flexDays": 2}, "flexDays", "needs start and end"),
        ({"q": "jeep", "month": "2098-03"}, "days", "come together"),
        ({"q": "next weekend", "month": "2098-03"}, "days", "come together"),
        ({"q": "for 40 days", "month": "2098-03"}, "days", "come together"),
        ({"q": "for 20 days", "month": "2098-02"}, "days", "not so many are left"),
        ({"q": "jeep", "days": 4}, "month", "come together"),
        ({"q": "next weekend", "days": 4}, "month", "come together"),
        ({"q": "in february", "days": 30}, "month", "come together"),
        ({"q": "in march", "days": 4, "flexDays": 2}, "days", "excludes start, end and flexDays"),
        ({"q": "in march", "days": 4, "keep": "dates"}, "month", "come together"),
        ({"q": "jeep", "sort": "distance"}, "sort", "needs lat and lon"),
        ({"q": "in hawaii", "sort": "distance"}, "sort", "needs lat and lon"),
        ({"q": "jeep", "flexDays": 2, "priceBasis": "total"}, "flexDays", "needs start and end"),
    ],
)
def test_what_the_text_does_not_say_is_still_to_be_sent(
    place: Market, at: Clock, asked: dict[str, Any], pointer: str, says: str
) -> None:
    place.store(HILO)
    place.learn()
    refusal = refused(place, **asked)
    assert (refusal[0], says in refusal[1]) == (pointer, True), refusal


@pytest.mark.parametrize(
    "route", ["facet-values?facet=make&text=", "clusters?bbox=-156,19,-155,20&zoom=9&q="]
)
def test_the_map_and_a_facet_s_values_read_it_too(place: Market, at: Clock, route: str) -> None:
    place.store(HILO)
    days = "next weekend&flexDays=2"
    answer = place.api.get(f"/v1/search/{route}{days}")
    assert (answer.status_code, answer.json()["understood"][0]["applied"]) == (200, True)
    answer = place.api.get(f"/v1/search/{route}jeep&flexDays=2")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "flexDays")

"""Understanding over HTTP: filters out of the text, explicit ones first, pages that hold still."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from search.understand import vocabulary
from tests.market import Market

WEDNESDAY = datetime(2098, 2, 26, 12, tzinfo=UTC)


@pytest.fixture
def at(market: Market) -> Iterator[Callable[[datetime], None]]:
    """Set the API's clock."""
    with market.clock() as set_clock:
        set_clock(WEDNESDAY)
        yield set_clock


def test_text_becomes_filters_that_the_page_names(market: Market) -> None:
    jeep, _, _ = market.store(
        {"make": "Jeep", "model": "Wrangler", "daily_rate_cents": 7_000},
        {"make": "Jeep", "model": "Wrangler", "daily_rate_cents": 9_000},
        {"make": "Jeep", "model": "Wrangler", "daily_rate_cents": 7_000, "city": "Lihue"},
    )
    market.learn()
    market.assert_search([jeep], q="jeep under $80 in Hilo")
    understood = market.search(q="jeep under $80 in Hilo")["understood"]
    assert [tuple(each.values()) for each in understood] == [
        ("make", "jeep", 0, 4, {"make": ["Jeep"]}, True),
        ("price", "under $80", 5, 14, {"priceMax": 8000}, True),
        ("place", "in Hilo", 15, 22, {"city": ["Hilo"]}, True),
    ]
    assert list(understood[0]) == ["kind", "words", "start", "end", "parameters", "applied"]


def test_an_app_that_sends_the_filters_itself_finds_the_same(market: Market) -> None:
    (tesla, _) = market.store({"make": "Tesla", "seats": 7}, {"make": "Tesla", "seats": 5})
    market.learn()
    (make, seats) = market.search(q="7 seater tesla")["understood"]
    assert market.ids(**make["parameters"], **seats["parameters"]) == [tesla]


def test_what_is_kept_stays_text(market: Market) -> None:
    jeep, mention = market.store(
        {"make": "Jeep", "model": "Wrangler"},
        {"make": "Kia", "model": "Soul", "description": "Roomier than a Jeep."},
    )
    market.learn()
    market.assert_search([jeep], q="jeep")
    market.assert_search([jeep, mention], q="jeep", keep="make")


def test_a_filter_that_is_sent_wins_over_the_text(market: Market) -> None:
    hilo, lihue = market.store({"city": "Hilo"}, {"city": "Lihue"})
    market.learn()
    page = market.search(q="toyota in hilo", city="Lihue")
    assert [item["id"] for item in page["items"]] == [lihue]
    assert [each["applied"] for each in page["understood"]] == [True, False]
    market.assert_search([hilo, lihue], q="toyota in hilo", bbox="-156,19,-155,20")
    market.assert_search([hilo, lihue], q="under $80", priceMax=6_000)
    market.assert_search([], q="under $80", priceMax=4_000)


def test_what_is_sent_of_a_range_leaves_its_other_end_to_the_text(market: Market) -> None:
    cheap, middle, dear = market.store(
        {"daily_rate_cents": 3_000}, {"daily_rate_cents": 6_000}, {"daily_rate_cents": 9_000}
    )
    page = market.search(q="$40-$80", priceMin=2_000)
    assert sorted(item["id"] for item in page["items"]) == [cheap, middle]
    assert page["understood"][0]["applied"] is True
    market.assert_search([middle], q="$40-$80", priceMax=7_000)
    market.assert_search([middle], q="$40-$80", priceMin=5_000)
    # Nothing is between the two: what is sent wins.
    page = market.search(q="under $40", priceMin=5_000)
    assert sorted(item["id"] for item in page["items"]) == [middle, dear]
    assert page["understood"][0]["applied"] is False


@pytest.mark.parametrize("q", ["in hilo", "near hilo", "in hawaii"])
def test_a_place_that_is_chosen_beside_one_in_the_text_finds_what_its_facet_says(
    market: Market, q: str
) -> None:
    market.store(
        {"city": "Hilo"}, {"city": "Hilo"}, {"city": "Lihue", "lat": 21.98, "lon": -159.37},
        {"city": "Hilo", "region": "Elsewhere", "country": "Nowhere", "lat": -9, "lon": 9},
    )  # fmt: skip
    market.learn()
    facets = market.search(q=q)["facets"]
    for name in ("city", "region", "country"):
        for value in facets[name]:
            found = market.search(q=q, **{name: value["value"]})["total"]["value"]
            assert found == value["count"], (name, value)


def test_distances_are_from_the_point_that_is_sent(market: Market) -> None:
    hilo, keaau, _ = market.store(
        {"city": "Hilo"},
        {"city": "Keaau", "lat": 19.6222, "lon": -155.0372},
        {"city": "Honolulu", "lat": 21.3069, "lon": -157.8583},
    )
    market.learn()
    page = market.search(q="near hilo", lat=21.3069, lon=-157.8583, sort="distance")
    assert [item["id"] for item in page["items"]] == [hilo, keaau]
    assert all(item["distanceKm"] > 300 for item in page["items"])
    assert page["understood"][0]["applied"] is True


def test_places_of_readings_are_counted_as_javascript_counts(market: Market) -> None:
    market.store({"seats": 7})
    (seats,) = market.search(q="🚗 7 seater")["understood"]
    assert (seats["words"], seats["start"], seats["end"]) == ("7 seater", 3, 11)


def test_features_of_text_and_filter_must_all_be_there(market: Market) -> None:
    both, _ = market.store({"features": ["GPS", "Sunroof"]}, {"features": ["GPS"]})
    market.learn()
    market.assert_search([both], q="with sunroof", features="GPS")


def test_near_a_place_is_around_it(market: Market) -> None:
    hilo, keaau, _ = market.store(
        {"city": "Hilo"},
        {"city": "Keaau", "lat": 19.6222, "lon": -155.0372},
        {"city": "Lihue", "lat": 21.98, "lon": -159.37},
    )
    market.learn()
    market.assert_search([hilo], q="in hilo")
    market.assert_search([hilo, keaau], q="near hilo")


def test_an_exact_name_is_never_hidden(market: Market) -> None:
    model, city = market.store(
        {"make": "Hyundai", "model": "Santa Fe", "city": "Hilo"},
        {"make": "Ford", "model": "Focus", "city": "Santa Fe", "region": "New Mexico"},
    )
    market.learn()
    market.assert_search([model, city], q="santa fe")
    market.assert_search([model], q="hyundai santa fe")
    market.assert_search([city], q="cars in santa fe")


def test_days_are_read_where_the_marketplace_is(
    market: Market, at: Callable[[datetime], None]
) -> None:
    free, taken = market.store({}, {})
    market.book(taken, "2098-03-01", "2098-03-02")
    page = market.search(q="this weekend")
    assert page["understood"][0]["parameters"] == {"start": "2098-03-01", "end": "2098-03-03"}
    assert [item["id"] for item in page["items"]] == [free]
    assert page["items"][0]["total"] > 0
    at(datetime(2098, 2, 28, 23, 59, tzinfo=UTC))
    assert market.search(q="tomorrow")["understood"][0]["parameters"]["start"] == "2098-03-01"


def test_days_of_the_text_will_do_for_totals(
    market: Market, at: Callable[[datetime], None]
) -> None:
    terms = {"make": "Jeep", "model": "Wrangler"}
    cheap_day, cheap_stay = market.store(
        terms | {"daily_rate_cents": 5000, "cleaning_fee_cents": 20_000},
        terms | {"daily_rate_cents": 6000},
    )
    market.learn()
    asked = {"q": "jeep next weekend", "sort": "price"}
    market.assert_order([cheap_day, cheap_stay], **asked)
    market.assert_order([cheap_stay, cheap_day], **asked, priceBasis="total")
    market.assert_search([cheap_stay], **asked, priceBasis="total", priceMax=13_200)
    page = market.search(**asked, priceBasis="total", limit=1)
    # Two days of 6000 plus 10 %; of 5000 plus 10 % plus cleaning.
    assert page["facets"]["price"]["min"] == page["items"][0]["total"] == 13_200
    assert page["facets"]["price"]["max"] == 31_000
    rest = market.walk(**asked, priceBasis="total", limit=1, cursor=page["nextCursor"])
    assert rest == [cheap_day]


@pytest.mark.parametrize(
    ("q", "says"),
    [
        ("jeep", "needs start and end"),
        ("jeep until friday", "needs start and end"),
        ("jeep for 60 days from tomorrow", "1 to 30 days, not 60"),
    ],
)
def test_a_total_of_unknown_days_is_refused(
    market: Market, at: Callable[[datetime], None], q: str, says: str
) -> None:
    answer = market.api.get("/v1/search/vehicles", params={"q": q, "priceBasis": "total"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], says in error["message"]) == ("priceBasis", True)


def test_a_price_in_total_is_a_filter_once_days_are_known(
    market: Market, at: Callable[[datetime], None]
) -> None:
    cheap, dear = market.store({"daily_rate_cents": 5000}, {"daily_rate_cents": 9000})
    dates = {"start": "2098-03-03", "end": "2098-03-06"}
    total = {"priceMax": 20_000, "priceBasis": "total"}
    page = market.search(q="under $200 total", **dates, sort="-price")
    assert [item["id"] for item in page["items"]] == [cheap]
    assert page["facets"]["price"]["max"] == 29_700  # in the unit of the filter
    (price,) = page["understood"]
    assert (price["kind"], price["parameters"], price["applied"]) == ("price", total, True)
    market.assert_search([cheap], **price["parameters"], **dates)
    market.assert_search([cheap], q="under $200 altogether", month="2098-03", days=3)
    # What is sent wins, whatever its unit.
    page = market.search(q="under $200 total", **dates, priceMax=10_000)
    assert sorted(item["id"] for item in page["items"]) == [cheap, dear]
    assert page["understood"][0]["applied"] is False
    # A price a day beside it would be of another unit; without days it stays text.
    page = market.search(q="under $200 total, under $90 a day", **dates)
    assert [each["applied"] for each in page["understood"]] == [True, False]
    assert market.search(q="under $200 total")["understood"] == []
    assert market.search(q="under $200 total", **dates, keep="price")["understood"] == []


def test_days_of_a_month_are_understood(market: Market, at: Callable[[datetime], None]) -> None:
    free, booked = market.store({}, {})
    market.book(booked, "2098-03-01", "2098-03-30")
    page = market.search(q="toyota 4 days in march", limit=1)
    (dates,) = page["understood"]
    assert (dates["kind"], dates["words"]) == ("dates", "4 days in march")
    assert (dates["parameters"], dates["applied"]) == ({"month": "2098-03", "days": 4}, True)
    assert [(item["id"], item["window"]["start"]) for item in page["items"]] == [
        (free, "2098-03-01")
    ]
    market.assert_search([free], q="toyota", **dates["parameters"])
    overruled = market.search(q="4 days in march", start="2098-03-30", end="2098-04-01")
    assert overruled["understood"][0]["applied"] is False
    assert overruled["total"]["value"] == 2


def test_half_known_days_are_understood_but_filter_nothing(
    market: Market, at: Callable[[datetime], None]
) -> None:
    everything = market.store({}, {})
    page = market.search(q="until friday")
    assert sorted(item["id"] for item in page["items"]) == everything
    (dates,) = page["understood"]
    assert (dates["parameters"], dates["applied"]) == ({"end": "2098-02-28"}, False)


def test_pages_do_not_move_at_midnight_or_with_the_vocabulary(
    market: Market, at: Callable[[datetime], None]
) -> None:
    first, second, taken = market.store({}, {}, {"make": "Kia", "model": "Soul"})
    market.book(taken, "2098-02-27", "2098-02-28")
    market.learn()
    page = market.search(q="toyota tomorrow", limit=1)
    at(datetime(2098, 2, 27, 0, 1, tzinfo=UTC))
    market.api.app.state.vocabulary.current = vocabulary.EMPTY  # type: ignore[attr-defined]
    after = market.search(q="toyota tomorrow", limit=1, cursor=page["nextCursor"])
    assert after["understood"] == page["understood"]
    assert [page["items"][0]["id"], after["items"][0]["id"]] == [first, second]
    assert not after["hasMore"]


def test_a_cursor_belongs_to_what_was_kept(market: Market) -> None:
    market.store({}, {})
    market.learn()
    cursor = market.search(q="toyota", limit=1)["nextCursor"]
    answer = market.api.get(
        "/v1/search/vehicles", params={"q": "toyota", "keep": "make", "cursor": cursor}
    )
    assert answer.status_code == 400


def test_a_text_full_of_names_still_fits_into_a_cursor(market: Market) -> None:
    market.store(*({} for _ in range(3)))
    market.learn()
    q = "toyota " * 28
    assert len(market.search(q=q)["understood"]) == 20
    assert len(market.walk(q=q, limit=1)) == 3


def test_a_failure_to_understand_is_no_failure_to_search(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    (toyota,) = market.store({})

    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("api.understanding.understand", fail)
    market.assert_search([toyota], q="toyota")


def test_what_is_denied_filters_nothing_and_need_not_be_found(market: Market) -> None:
    both = market.store({"body": "SUV"}, {"body": "Sedan"})
    market.learn()
    page = market.search(q="toyota, no suv")
    assert sorted(item["id"] for item in page["items"]) == both
    denied = page["understood"][-1]
    assert (denied["parameters"], denied["applied"]) == ({}, False)

"""Dates: only what is free on all the days, with the total of those days."""

from datetime import UTC, datetime, timedelta

from bookings.pricing import RateTerms, quote
from tests.market import Market


def day(offset: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=offset)).isoformat()


def test_a_booked_vehicle_is_absent_on_its_days_and_only_then(market: Market) -> None:
    booked, free = market.store({}, {})
    market.book(booked, day(10), day(13))
    market.assert_search([free], start=day(12), end=day(15))
    market.assert_search([free], start=day(8), end=day(11))
    market.assert_search([free], start=day(9), end=day(20))
    market.assert_search([booked, free], start=day(13), end=day(15))
    market.assert_search([booked, free], start=day(8), end=day(10))
    market.assert_search([booked, free])


def test_a_gap_between_bookings_can_be_found(market: Market) -> None:
    (vehicle,) = market.store({})
    market.book(vehicle, day(10), day(13))
    market.book(vehicle, day(15), day(20))
    market.assert_search([vehicle], start=day(13), end=day(15))
    market.assert_search([], start=day(13), end=day(16))


def test_a_cancelled_booking_frees_its_days(market: Market) -> None:
    (vehicle,) = market.store({})
    booking = market.book(vehicle, day(10), day(13))
    market.assert_search([], start=day(10), end=day(11))
    market.conn.execute("UPDATE bookings SET status = 'cancelled' WHERE id = %s", [booking])
    market.drain()
    market.assert_search([vehicle], start=day(10), end=day(11))


def test_facets_count_only_what_is_free(market: Market) -> None:
    booked, _free = market.store({"make": "Jeep"}, {"make": "Kia"})
    market.book(booked, day(10), day(13))
    assert market.facet("make", start=day(10), end=day(12)) == {"Kia": 1}
    assert market.facet("make", start=day(13), end=day(15)) == {"Jeep": 1, "Kia": 1}


def test_shortest_and_longest_rentals_are_kept(market: Market) -> None:
    weekly, short = market.store({"min_days": 7}, {"max_days": 5})
    market.assert_search([short], start=day(10), end=day(13))
    market.assert_search([weekly], start=day(10), end=day(20))


def test_every_item_has_the_total_that_a_quote_gives(market: Market) -> None:
    terms = {"weekly_discount_pct": 10, "monthly_discount_pct": 25, "cleaning_fee_cents": 3000}
    market.store({"daily_rate_cents": 7777, **terms})
    for days in (1, 6, 7, 27, 28, 90):
        (item,) = market.search(start=day(10), end=day(10 + days))["items"]
        expected = quote(RateTerms(7777, 10, 25, 3000), days).total_cents
        assert (item["total"], item["dailyRate"]) == (expected, 7777)
    assert "total" not in market.search()["items"][0]


def test_prices_mean_the_total_when_asked(market: Market) -> None:
    cheap_day, cheap_week = market.store(
        {"daily_rate_cents": 5000, "cleaning_fee_cents": 20_000},
        {"daily_rate_cents": 6000, "weekly_discount_pct": 30},
    )
    week = {"start": day(10), "end": day(17)}
    market.assert_order([cheap_day, cheap_week], sort="price", **week)
    market.assert_order([cheap_week, cheap_day], sort="price", priceBasis="total", **week)
    market.assert_order([cheap_day, cheap_week], sort="-price", priceBasis="total", **week)
    # 7 days of 6000 less 30 % plus 10 %: 32,340; of 5000 plus 10 % plus cleaning: 58,500.
    market.assert_search([cheap_week], priceMax=32_340, priceBasis="total", **week)
    market.assert_search([cheap_day], priceMin=32_341, priceBasis="total", **week)
    histogram = market.search(priceBasis="total", facets="price", **week)["facets"]["price"]
    assert (histogram["min"], histogram["max"]) == (32_340, 58_500)

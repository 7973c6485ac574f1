"""A map section: clusters whose counts sum to the total, or the vehicles when they are few."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.clusters import FEW, MOST_CELLS, MapView, build, cells
from search.query import body
from search.request import Box, SearchRequest
from tests import factory
from tests.market import Market

WORLD = "-180,-90,180,90"
TODAY = datetime.now(UTC).date()


def ask(market: Market, bbox: str, zoom: float, **parameters: Any) -> dict[str, Any]:
    answer = market.api.get("/v1/search/clusters", params={"bbox": bbox, "zoom": zoom} | parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def many(market: Market, *places: tuple[float, float], each: int = FEW + 1, **vehicle: Any) -> None:
    host = factory.store_account(market.conn, "host")
    for lat, lon in places:
        for _ in range(each):
            factory.store_vehicle(market.conn, host_id=host, lat=lat, lon=lon, **vehicle)
    market.drain()


def test_few_vehicles_are_shown_one_by_one(market: Market) -> None:
    (near, *_) = market.store(
        {"lat": 19.7, "lon": -155.1}, {"lat": 21.3, "lon": -157.8}, {"lat": None, "lon": None}
    )
    found = ask(market, "-156,19,-154,20", 9)
    assert found["clusters"] == []
    assert [item["id"] for item in found["items"]] == [near]
    assert found["items"] == market.search(bbox="-156,19,-154,20")["items"]
    assert found["total"] == {"value": 1, "exact": True}


def test_many_vehicles_become_clusters(market: Market) -> None:
    many(market, (19.7, -155.1), (19.8, -155.0), each=20, daily_rate_cents=5_000)
    market.store({"lat": 19.7, "lon": -155.1, "daily_rate_cents": 4_000})
    many(market, (21.3, -157.8), each=30, daily_rate_cents=3_000)
    found = ask(market, "-160,18,-154,23", 5)
    assert found["items"] == []
    assert found["total"]["value"] == 71
    big, small = found["clusters"]
    assert (big["count"], big["cheapest"]) == (41, 4_000)
    assert (small["count"], small["cheapest"]) == (30, 3_000)
    near = {"abs": 1e-4}
    assert big["bounds"] == pytest.approx(
        {"west": -155.1, "south": 19.7, "east": -155.0, "north": 19.8}, **near
    )
    assert big["centroid"] == pytest.approx(
        {"lat": (21 * 19.7 + 20 * 19.8) / 41, "lon": (21 * -155.1 + 20 * -155.0) / 41}, **near
    )


def test_filters_text_and_dates_apply(market: Market) -> None:
    many(market, (19.7, -155.1), make="Jeep", model="Wrangler")
    many(market, (19.7, -155.1), make="Kia", model="Soul", min_days=5)
    start, end = TODAY + timedelta(days=30), TODAY + timedelta(days=32)
    dates = {"start": start.isoformat(), "end": end.isoformat()}
    assert ask(market, WORLD, 3)["total"]["value"] == 2 * FEW + 2
    for asked in ({"make": "jeep"}, {"q": "wrangler"}, dates):
        (cluster,) = ask(market, WORLD, 3, **asked)["clusters"]
        assert cluster["count"] == FEW + 1, asked


def test_the_cheapest_is_of_all_asked_days_with_price_basis_total(market: Market) -> None:
    many(market, (19.7, -155.1))
    start, end = TODAY + timedelta(days=30), TODAY + timedelta(days=33)
    asked = {"start": start.isoformat(), "end": end.isoformat(), "priceBasis": "total"}
    (cluster,) = ask(market, WORLD, 3, **asked)["clusters"]
    (item,) = market.search(**asked, limit=1)["items"]
    assert cluster["cheapest"] == item["total"] > 3 * item["dailyRate"]


def test_a_section_across_the_180th_meridian(market: Market) -> None:
    many(market, (-17.0, 179.9), (-17.0, -179.9))
    many(market, (-17.0, 0.0), each=1)
    found = ask(market, "179,-20,-179,-15", 0)
    assert found["total"]["value"] == 2 * FEW + 2
    assert sorted(round(each["centroid"]["lon"], 1) for each in found["clusters"]) == [
        -179.9,
        179.9,
    ]


def test_the_corners_of_the_world_are_counted(market: Market) -> None:
    corners = [(90.0, 180.0), (-90.0, -180.0), (89.0, 0.0), (-89.0, -0.1), (0.0, 180.0)]
    many(market, *corners, each=11)
    found = ask(market, WORLD, 2)
    assert sum(each["count"] for each in found["clusters"]) == found["total"]["value"] == 55


def test_random_sections_of_a_random_market(market: Market) -> None:
    rng = random.Random(29)
    host = factory.store_account(market.conn, "host")
    placed: list[tuple[float, float, int]] = []
    for _ in range(400):
        lat, lon = rng.choice([(19.7, -155.1), (-17.0, 179.95), (0.0, 0.0), (64.0, -21.0)])
        spread = rng.choice([0.0, 0.01, 1.0, 30.0])
        lat = round(max(-90, min(90, lat + rng.uniform(-spread, spread))), 4)
        lon = round((lon + rng.uniform(-spread, spread) + 180) % 360 - 180, 4)
        rate = rng.choice([2_900, 4_500, 8_000])
        factory.store_vehicle(market.conn, host_id=host, lat=lat, lon=lon, daily_rate_cents=rate)
        placed.append((lat, lon, rate))
    market.drain()
    clustered = 0
    for _ in range(60):
        west, east = (round(rng.uniform(-180, 180), 3) + 0.0005 for _ in range(2))
        south, north = sorted(round(rng.uniform(-85, 85), 3) + 0.0005 for _ in range(2))
        inside = [
            (lat, lon, rate)
            for lat, lon, rate in placed
            if south <= lat <= north
            and (west <= lon <= east if west <= east else lon >= west or lon <= east)
        ]
        found = ask(market, f"{west},{south},{east},{north}", rng.choice([0, 2, 4.7, 9, 15, 24]))
        assert found["total"]["value"] == len(inside)
        assert len(found["clusters"]) <= MOST_CELLS
        whole = sum(each["count"] for each in found["clusters"]) + len(found["items"])
        assert whole == len(inside)
        for each in found["clusters"]:
            box, middle = each["bounds"], each["centroid"]
            assert box["west"] - 1e-4 <= middle["lon"] <= box["east"] + 1e-4
            assert box["south"] - 1e-4 <= middle["lat"] <= box["north"] + 1e-4
            rates = [
                rate
                for lat, lon, rate in inside
                if box["south"] - 1e-5 <= lat <= box["north"] + 1e-5
                and box["west"] - 1e-5 <= lon <= box["east"] + 1e-5
            ]
            assert len(rates) >= each["count"]
            assert each["cheapest"] >= min(rates)
        if found["clusters"]:
            clustered += 1
            lowest = min(each["cheapest"] for each in found["clusters"])
            assert lowest == min(rate for *_, rate in inside)
    assert clustered > 20


def test_text_is_understood_as_in_a_search(market: Market) -> None:
    many(market, (19.7, -155.1), make="Jeep", model="Wrangler", daily_rate_cents=7_000)
    many(market, (19.7, -155.1), each=2, make="Jeep", model="Wrangler", daily_rate_cents=9_000)
    market.learn()
    asked = {"q": "jeep under $80"}
    found, page = ask(market, WORLD, 3, **asked), market.search(bbox=WORLD, **asked)
    assert found["understood"] == page["understood"]
    assert [each["kind"] for each in found["understood"]] == ["make", "price"]
    assert found["total"] == page["total"] == {"value": FEW + 1, "exact": True}
    kept = ask(market, WORLD, 3, **asked, keep=["price", "make"])
    assert (kept["understood"], kept["total"]["value"]) == ([], 0)


def test_misspelt_words_are_corrected_as_in_a_search(market: Market) -> None:
    many(market, (19.7, -155.1), make="Jeep", model="Wrangler")
    market.learn()
    assert ask(market, WORLD, 3, q="wranlger")["total"]["value"] == FEW + 1


@pytest.mark.parametrize("change", ["booked", "hidden"])
def test_single_vehicles_are_checked_and_sum_to_the_total(market: Market, change: str) -> None:
    stored = market.store(*({"lat": 19.7, "lon": -155.1} for _ in range(3)))
    start, end = TODAY + timedelta(days=30), TODAY + timedelta(days=32)
    dates = {"start": start.isoformat(), "end": end.isoformat()}
    assert ask(market, WORLD, 3, **dates)["total"]["value"] == 3
    if change == "booked":
        factory.store_booking(market.conn, stored[1], start, end)
    else:
        market.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [stored[1]])
    found = ask(market, WORLD, 3, **dates)  # the index does not know yet
    assert [item["id"] for item in found["items"]] == [stored[0], stored[2]]
    assert found["total"] == {"value": 2, "exact": True}
    assert not found["meta"]["degraded"]
    market.drain()
    assert ask(market, WORLD, 3, **dates)["total"]["value"] == 2


def test_single_vehicles_of_flexible_dates_have_their_window(market: Market) -> None:
    (vehicle,) = market.store({"lat": 19.7, "lon": -155.1})
    start, end = TODAY + timedelta(days=30), TODAY + timedelta(days=32)
    market.book(vehicle, start.isoformat(), (start + timedelta(days=1)).isoformat())
    asked = {"start": start.isoformat(), "end": end.isoformat(), "flexDays": 2}
    assert ask(market, WORLD, 3, **asked)["items"] == market.search(bbox=WORLD, **asked)["items"]


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("zoom=3", "bbox", "required"),
        ("bbox=0,0,1,1", "zoom", "required"),
        ("bbox=0,0,1&zoom=3", "bbox", "four numbers"),
        ("bbox=0,0,1,1&zoom=25", "zoom", "less than or equal to 24"),
        ("bbox=0,0,1,1&zoom=nan", "zoom", "finite"),
        ("bbox=0,0,1,1&zoom=3&limit=3", "limit", "unknown parameter"),
        ("bbox=0,0,1,1&zoom=3&facets=make", "facets", "unknown parameter"),
        ("bbox=0,0,1,1&zoom=3&maek=Kia", "maek", "did you mean make?"),
    ],
)
def test_wrong_parameters(market: Market, query: str, parameter: str, says: str) -> None:
    answer = market.api.get(f"/v1/search/clusters?{query}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == parameter
    assert says in error["message"].lower()


LONS, LATS = st.floats(-180, 180), st.floats(-90, 90)


@given(LONS, LONS, LATS, LATS, st.floats(0, 24))
def test_the_grid_never_has_more_cells_than_are_asked_for(
    west: float, east: float, a: float, b: float, zoom: float
) -> None:
    box = Box(west, min(a, b), east, max(a, b))
    precision = MapView(SearchRequest(box=box), zoom).precision
    assert 1 <= precision <= zoom + 2 or precision == 1
    assert cells(box, precision) <= MOST_CELLS
    # It is the finest of those.
    assert precision == int(zoom) + 2 or cells(box, precision + 1) > MOST_CELLS


def test_a_screen_of_a_phone_and_of_a_desk_have_the_cells_of_their_zoom() -> None:
    degrees = 360 / (256 * 2**10)  # a pixel at zoom 10
    for wide, high in ((400, 800), (1600, 1000)):
        box = Box(0, 0, wide * degrees, high * degrees)
        assert MapView(SearchRequest(box=box), 10).precision == 12


def test_a_whole_body() -> None:
    request = SearchRequest(
        text="jeep", box=Box(-156, 18.9, -154.8, 20.3), filters={"make": ("Jeep",)}
    )
    found = body.build(request)
    assert build(MapView(request, 9.6)) == found | {
        "size": 50,
        "aggs": {
            "cells": {
                "geotile_grid": {"field": "location", "precision": 11, "size": 1000},
                "aggs": {
                    "centroid": {"geo_centroid": {"field": "location"}},
                    "bounds": {"geo_bounds": {"field": "location", "wrap_longitude": False}},
                    "cheapest": {"min": {"field": "daily_rate"}},
                },
            }
        },
    }

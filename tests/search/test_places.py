"""Places: around a point, on a map section, how far it is."""

import pytest

from tests.market import Market

HILO = {"lat": 19.7074, "lon": -155.0885}
KONA = {"lat": 19.6400, "lon": -155.9969}  # 95.5 km from Hilo


def test_radius_and_distance(market: Market) -> None:
    hilo, kona, nowhere = market.store(HILO, KONA, {"lat": None, "lon": None})
    market.assert_search([hilo], lat=19.7, lon=-155.1, radiusKm=20)
    market.assert_search([hilo, kona], lat=19.7, lon=-155.1, radiusKm=100)
    page = market.search(**KONA, sort="distance")
    assert [item["id"] for item in page["items"]] == [kona, hilo, nowhere]
    assert page["items"][0]["distanceKm"] == 0
    assert page["items"][1]["distanceKm"] == pytest.approx(95.4, abs=0.5)
    assert "distanceKm" not in page["items"][2]


def test_a_point_without_a_radius_only_measures(market: Market) -> None:
    everything = market.store(HILO, KONA)
    market.assert_search(everything, lat=0, lon=0)


def test_map_section(market: Market) -> None:
    hilo, _kona = market.store(HILO, KONA)
    market.assert_search([hilo], bbox="-155.5,19,-155,20")


def test_a_map_section_fitted_to_items_holds_all_of_them(place: Market) -> None:
    fitted = place.store(HILO, KONA)
    at = [item["location"] for item in place.search()["items"]]
    lats, lons = [each["lat"] for each in at], [each["lon"] for each in at]
    place.assert_search(fitted, bbox=f"{min(lons)},{min(lats)},{max(lons)},{max(lats)}")
    place.assert_search(fitted[:1], bbox=f"{lons[0]},{lats[0]},{lons[0]},{lats[0]}")


def test_map_section_across_the_180th_meridian(market: Market) -> None:
    west, east = market.store({"lat": -17, "lon": 179.5}, {"lat": -17, "lon": -179.5})
    market.store({"lat": -17, "lon": 0})
    market.assert_search([west, east], bbox="179,-20,-179,-10")


def test_pages_by_distance_go_on_to_vehicles_without_a_place(market: Market) -> None:
    ids = market.store(HILO, {"lat": None, "lon": None}, KONA, {"lat": None, "lon": None})
    walked = market.walk(**HILO, sort="distance", limit=1)
    assert walked == [ids[0], ids[2], ids[1], ids[3]]


def test_a_listing_without_a_place_says_so(market: Market) -> None:
    market.store({"lat": None, "lon": None, "city": None, "region": None, "country": "France"})
    (item,) = market.search()["items"]
    assert item["location"] == {
        "lat": None, "lon": None, "city": None, "region": None, "country": "France",
    }  # fmt: skip

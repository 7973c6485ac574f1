"""Facets: what each further choice would find."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query.facets import MOST_BUCKETS, SIZE, merge
from tests.market import Market

FLEET: list[dict[str, Any]] = [
    {"make": "Jeep", "model": "Wrangler", "body": "SUV", "features": ["GPS", "Roof rack"]},
    {"make": "Jeep", "model": "Gladiator", "body": "Pickup", "features": ["GPS"]},
    {"make": "Toyota", "model": "RAV4", "body": "SUV", "features": []},
    {"make": "Kia", "model": "Soul", "body": "Hatchback", "features": ["GPS"]},
]


@pytest.fixture
def fleet(market: Market) -> Market:
    market.store(*FLEET)
    return market


def test_without_filters_every_facet_counts_everything(fleet: Market) -> None:
    assert fleet.facet("make") == {"Jeep": 2, "Kia": 1, "Toyota": 1}
    assert fleet.facet("body") == {"SUV": 2, "Hatchback": 1, "Pickup": 1}
    assert fleet.facet("features") == {"GPS": 3, "Roof rack": 1}


def test_a_facet_leaves_its_own_filter_out_and_keeps_the_others(fleet: Market) -> None:
    asked = {"make": "Jeep", "body": "SUV"}
    assert fleet.facet("make", **asked) == {"Jeep": 1, "Toyota": 1}
    assert fleet.facet("body", **asked) == {"Pickup": 1, "SUV": 1}
    assert fleet.facet("model", **asked) == {"Wrangler": 1}
    assert fleet.search(**asked)["total"]["value"] == 1


def test_features_keep_their_own_filter(fleet: Market) -> None:
    assert fleet.facet("features", features="GPS") == {"GPS": 3, "Roof rack": 1}
    assert fleet.facet("features", features=["GPS", "Roof rack"]) == {"GPS": 1, "Roof rack": 1}


def test_selected_values_are_marked_and_shown_even_at_zero(fleet: Market) -> None:
    facets = fleet.search(make=["jeep", "Lada"], features="Boat")["facets"]
    assert {"value": "Lada", "count": 0, "selected": True} in facets["make"]
    assert {"value": "Boat", "count": 0, "selected": True} in facets["features"]
    facets = fleet.search(make=["jeep", "Lada"])["facets"]
    assert {"value": "Jeep", "count": 2, "selected": True} in facets["make"]
    assert {"value": "Kia", "count": 1, "selected": False} in facets["make"]


def test_a_selected_value_at_zero_reads_as_vehicles_spell_it(place: Market) -> None:
    place.store(*FLEET)
    place.learn()
    asked = {"make": ["KIA", "DAF"], "features": "gps", "yearMin": 2099}
    assert place.facet("make", **asked) == {"Kia": 0, "DAF": 0}
    assert place.facet("features", **asked) == {"GPS": 0}
    later = place.search(make="jEEP", limit=1)["nextCursor"]
    assert place.facet("make", make="jEEP", limit=1, cursor=later)["Jeep"] == 2


def test_a_value_is_known_without_its_accents_where_nobody_has_it_so(place: Market) -> None:
    plain, accented, other = place.store(
        {"make": "Skoda"}, {"make": "Škoda"}, {"make": "Citroën", "lat": 0.5, "lon": 0.5}
    )
    place.learn()
    for make in ("citroen", "CITROËN", ["Citroen", "citroën"]):
        place.assert_search([other], make=make)
        assert place.facet("make", make=make, yearMin=2099) == {"Citroën": 0}
    section = {"bbox": "0,0,1,1", "zoom": 3, "make": "citroen"}
    found = place.api.get("/v1/search/clusters", params=section).json()
    assert found["total"]["value"] == 1
    place.assert_search([plain], make="skoda")
    place.assert_search([accented], make="škoda")


@pytest.mark.parametrize(
    "path", ["vehicles?", "facet-values?facet=make&", "clusters?bbox=0,0,1,1&zoom=3&"]
)
def test_values_joined_by_commas_are_refused_with_the_way_to_send_them(
    place: Market, path: str
) -> None:
    place.store(*FLEET, {"city": "Washington, DC"})
    place.learn()

    def answer(query: str) -> Any:
        return place.api.get(f"/v1/search/{path}{query}")

    problem = answer("make=jeep, Toyota&make=Kia&body=SUV,Pickup")
    assert problem.status_code == 422
    assert {each["pointer"]: each["message"] for each in problem.json()["errors"]} == {
        "make": "no vehicle has 'jeep, Toyota': several values are sent as make=jeep&make=Toyota",
        "body": "no vehicle has 'SUV,Pickup': several values are sent as body=SUV&body=Pickup",
    }
    # A name with a comma of its own, and one that may be: nobody has it, and that is an answer.
    for name in ("washington, dc", "Hilo, Hawaii", "Hilo,"):
        assert answer(f"city={name}").status_code == 200


def test_values_beyond_the_top_are_counted_and_a_selected_one_is_shown(market: Market) -> None:
    many = SIZE + 5
    market.store(*({"make": f"Make {n:02}"} for n in range(many)), {"make": "Make 00"})
    page = market.search(facets="make")
    assert len(page["facets"]["make"]) == SIZE
    assert page["facets"]["make"][0] == {"value": "Make 00", "count": 2, "selected": False}
    assert page["facetStats"]["make"] == {"otherCount": 5, "exact": True}
    last = f"Make {many - 1}"
    page = market.search(facets="make", make=last)
    assert page["facets"]["make"][-1] == {"value": last, "count": 1, "selected": True}
    assert page["facetStats"]["make"]["otherCount"] == 4


def test_the_price_facet_leaves_the_price_filter_out(market: Market) -> None:
    market.store(*({"daily_rate_cents": cents} for cents in (2_000, 4_500, 9_900)))
    page = market.search(priceMax=5_000)
    assert page["total"]["value"] == 2
    price = page["facets"]["price"]
    assert (price["min"], price["max"]) == (2_000, 9_900)
    assert sum(bucket["count"] for bucket in price["buckets"]) == 3
    assert market.facet("make", priceMax=5_000) == {"Toyota": 2}


def test_only_the_asked_facets_are_counted_and_none_on_later_pages(fleet: Market) -> None:
    assert set(fleet.search(facets="make,price")["facets"]) == {"make", "price"}
    assert fleet.search(facets="none")["facets"] == {}
    first = fleet.search(limit=1)
    assert {"make", "features", "price"} <= set(first["facets"])
    assert fleet.search(limit=1, cursor=first["nextCursor"])["facets"] == {}
    assert fleet.search(limit=1, cursor=first["nextCursor"], facets="make")["facets"]["make"]


def test_nothing_found_is_an_answer(market: Market) -> None:
    page = market.search()
    assert page["items"] == []
    assert page["total"] == {"value": 0, "exact": True}
    assert page["facets"]["make"] == []
    assert page["facets"]["price"] == {"min": None, "max": None, "interval": None, "buckets": []}


PRICES = st.lists(st.integers(0, 5_000_000), min_size=1, max_size=200)


@given(PRICES, st.sampled_from([100, 1000]))
def test_merging_loses_no_vehicle_and_stays_small(prices: list[int], width: int) -> None:
    fine: dict[int, int] = {}
    for price in prices:
        fine[price // width * width] = fine.get(price // width * width, 0) + 1
    buckets = [{"key": float(key), "doc_count": count} for key, count in sorted(fine.items())]
    merged = merge(buckets, {"min": float(min(prices)), "max": float(max(prices))}, width)
    step = merged["interval"]
    counted = {bucket["from"]: bucket["count"] for bucket in merged["buckets"]}
    assert len(counted) <= MOST_BUCKETS
    assert str(step).rstrip("0") in {"1", "2", "5"}
    expected = dict.fromkeys(range(min(prices) // step * step, max(prices) + 1, step), 0)
    for price in prices:
        expected[price // step * step] += 1
    assert counted == expected

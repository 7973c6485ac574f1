"""A vehicle that must not be found is in no answer of any engine: not as an item, not as a count.

Everything that a search screen can ask is asked before, and after, the vehicle is hidden.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from indexer.rebuild import refill
from runtime.settings import Settings
from search import popular
from search.clusters import FEW
from search.fields import FACETS, camel
from tests import factory
from tests.market import Market
from tests.search.test_popular import call, counted_by_hand, counting, searched, shown

# Every value that can be shown of it is its own, and so is where it stands.
SECRET: dict[str, Any] = {
    "make": "Zastava", "model": "Zx 750", "body": "Zeppelin", "fuel": "Zinc", "city": "Zadar",
    "transmission": "Zigzag", "region": "Zagora", "country": "Zambia", "features": ["Zither"],
    "lat": 44.1, "lon": 15.2, "title": "Zastava Zx 750", "description": "zesty",
}  # fmt: skip
WORLD = "-180,-90,180,90"
ZADAR = "15,44,16,45"
TYPED = ["z", "zas", "zastava zx", "zatsava", "zadar", "zagora", "zambia", "zither", "zithre"]


@pytest.fixture
def screens(market: Market, settings: Settings) -> Iterator[list[TestClient]]:
    """The API over Elasticsearch, over PostgreSQL alone, and fallen back to it."""
    with counted_by_hand(market), ExitStack() as stack:
        opened = [market.api]
        for url in ("", "http://127.0.0.1:1"):
            chosen = settings.model_copy(update={"elasticsearch_url": url})
            opened.append(
                stack.enter_context(TestClient(create_app(chosen), raise_server_exceptions=False))
            )
        yield opened


def everything(api: TestClient) -> tuple[str, int]:
    """All that the answers say but echoes of the question, as one text; and what they count."""
    said, counted = [], 0
    questions: list[tuple[str, dict[str, Any]]] = [
        *(("suggest", {"q": q}) for q in TYPED),
        *(("facet-values", {"facet": camel(facet), "limit": 100}) for facet in FACETS),
        *(("facet-values", {"facet": camel(facet), "q": "z"}) for facet in FACETS),
        *(("clusters", {"bbox": box, "zoom": zoom}) for box in (WORLD, ZADAR) for zoom in (1, 9)),
        *(("vehicles", asked) for asked in ({}, {"bbox": ZADAR}, {"q": "zesty"}, {"q": "zastava"})),
    ]
    for route, asked in questions:
        answer = api.get(f"/v1/search/{route}", params=asked)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        counted += found.get("total", {}).get("value", 0)
        counted += sum(each["count"] for each in found.get("values", []))
        if "suggestions" in found:  # but for what was asked, and for what is given up of it
            tried = found["suggestions"]
            found["suggestions"] = [
                tried["didYouMean"],
                *(e.get("items") for e in tried["relaxed"]),
            ]
        echoed = ("understood", "nextCursor", "meta")
        said.append(repr({name: part for name, part in found.items() if name not in echoed}))
    return "\n".join(said), counted


def hide(market: Market, vehicle: int) -> None:
    market.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [vehicle])


def delete(market: Market, vehicle: int) -> None:
    market.conn.execute("DELETE FROM vehicle_features WHERE vehicle_id = %s", [vehicle])
    market.conn.execute("DELETE FROM vehicles WHERE id = %s", [vehicle])


@pytest.mark.parametrize("gone", [hide, delete])
@pytest.mark.parametrize("others", [3, FEW + 3], ids=["items", "clusters"])
def test_no_answer_of_either_engine_tells_of_a_hidden_vehicle(
    market: Market,
    screens: list[TestClient],
    gone: Callable[[Market, int], None],
    others: int,
) -> None:
    host = factory.store_account(market.conn, "host")
    for _ in range(others):
        factory.store_vehicle(market.conn, host_id=host, lat=44.2, lon=15.3)
    market.drain()
    before = [everything(api) for api in screens]
    (vehicle,) = market.store(SECRET)
    market.learn()
    searched(market, "zastava zadar", popular.LEAST)
    shown(market)
    for api, (said, counted) in zip(screens, before, strict=True):
        now_said, now_counted = everything(api)
        assert now_counted > counted
        for word in ("Zastava", "Zx 750", "Zeppelin", "Zadar", "Zither", "zesty"):
            assert word not in said
            assert word in now_said
    assert "zastava zadar" in everything(market.api)[0]

    gone(market, vehicle)
    market.drain()
    market.learn()
    call(market, counting(market)._refresh_if_due)
    for api, (_, counted) in zip(screens, before, strict=True):
        said, now_counted = everything(api)
        assert now_counted == counted
        assert "z" not in said.lower()
    # Nothing brings it back: neither the table's own heal nor an old write.
    refill(market.conn, lambda done, total: None)
    assert [everything(api)[1] for api in screens] == [counted for _, counted in before]


def month_ahead() -> str:
    return f"{datetime.now(UTC).date() + timedelta(days=40):%Y-%m}"


@pytest.mark.parametrize("gone", [hide, delete])
def test_nothing_beside_the_hits_counts_or_names_it(
    place: Market, gone: Callable[[Market, int], None]
) -> None:
    """Alike, meant, read out of a text, found by asking for less, free some days of a month."""
    secret = {"make": "Zastava", "model": "RAV4", "features": ["Zither"]}
    kept, hidden = place.store({}, secret)
    place.learn()

    def told() -> dict[str, Any]:
        similar = place.api.get(f"/v1/vehicles/{kept}/similar").json()
        month = place.search(month=month_ahead(), days=4)
        less = place.search(q="hilo", priceMax=1000)
        return {
            "similar": [item["id"] for item in similar["items"]],
            "month": [item["id"] for item in month["items"]],
            "month's facet": sorted(each["value"] for each in month["facets"]["make"]),
            "meant": place.search(q="zastva")["suggestions"]["didYouMean"] is not None,
            "for less": [each["count"] for each in less["suggestions"]["relaxed"]],
        }

    def understood() -> list[str]:
        read = place.search(q="zastava with zither")["understood"]
        return [each["words"] for each in read]

    before = told()
    assert sorted(before.pop("month")) == [kept, hidden]
    assert before == {
        "similar": [hidden],
        "month's facet": ["Toyota", "Zastava"],
        "meant": True,
        "for less": [2],
    }
    assert understood() != []

    gone(place, hidden)
    place.drain()
    without = {
        "similar": [],
        "month": [kept],
        "month's facet": ["Toyota"],
        "meant": False,
        "for less": [1],
    }
    # Before the names are learnt anew, which takes a minute, and after.
    assert told() == without
    place.learn()
    assert told() == without
    assert understood() == []

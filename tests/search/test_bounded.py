"""Bounded questions: what is too much is refused before anybody is asked.

The engines and the database of this API do not exist: a question to any of them would answer 503,
wait, or count in the log. The same API answers an allowed request with 503: it does ask.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from runtime.settings import Settings
from search import engine as elasticsearch
from search import truth
from search.postgres import engine as postgres

GONE = "127.0.0.1:1"  # nobody listens there
SEARCH, SUGGEST = "/v1/search/vehicles", "/v1/search/suggest"
VALUES, CLUSTERS = "/v1/search/facet-values", "/v1/search/clusters"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whoever is asked, in order: each door to a server notes the question and lets it pass."""
    doors: list[str] = []
    for owner, name in (
        (elasticsearch.Engine, "_call"),
        (postgres.PostgresEngine, "_rows"),
        (truth.Truth, "_execute"),
    ):
        door = getattr(owner, name)

        def noted(self: Any, *given: Any, door: Any = door, owner: Any = owner, **more: Any) -> Any:
            doors.append(owner.__name__)
            return door(self, *given, **more)

        monkeypatch.setattr(owner, name, noted)
    return doors


@pytest.fixture
def api(settings: Settings) -> Iterator[TestClient]:
    """The API, with all servers out of reach."""
    nowhere = {
        "elasticsearch_url": f"http://{GONE}",
        "database_url": f"postgresql://u@{GONE}/gone",
    }
    with TestClient(create_app(settings.model_copy(update=nowhere))) as client:
        yield client


MANY = [str(n) for n in range(300)]


@pytest.mark.parametrize(
    ("path", "query", "pointer"),
    [
        (SEARCH, {"q": "a" * 10_000}, "q"),
        (SEARCH, {"q": "* " * 101}, "q"),
        (SEARCH, {"limit": 10_000}, "limit"),
        (SEARCH, {"limit": 10**30}, "limit"),
        (SEARCH, {"from": 9_000}, "from"),
        (SEARCH, {"offset": 9_000}, "offset"),
        (SEARCH, {"facets": ["make"] * 500 + ["colour"]}, "facets"),
        (SEARCH, {"facets": ",".join(f"f{n}" for n in range(500))}, "facets"),
        (SEARCH, {"make": MANY}, "make"),
        (SEARCH, {"features": MANY}, "features"),
        (SEARCH, {"make": "M" * 101}, "make"),
        (SEARCH, {"keep": ["price"] * 50}, "keep"),
        (SEARCH, {"sort": "_script"}, "sort"),
        (SEARCH, {"lat": 19, "lon": -155, "radiusKm": 10**9}, "radiusKm"),
        (SEARCH, {"start": "2098-01-01", "end": "2998-01-01"}, "end"),
        (SEARCH, {"flexDays": 365, "start": "2098-01-01", "end": "2098-01-02"}, "flexDays"),
        (SEARCH, {"month": "2998-01", "days": 4}, "month"),
        (SEARCH, {"month": "2098-01", "days": 10**9}, "days"),
        (SEARCH, {"bbox": "1," * 5_000}, "bbox"),
        (SEARCH, {"cursor": "a" * 20_000}, "cursor"),
        (SEARCH, {"after": "1" * 10_000}, "after"),
        (SEARCH, {"x" * 5_000: "1"}, "x" * 100),
        (SUGGEST, {"q": "a" * 10_000}, "q"),
        (SUGGEST, {"q": "jeep", "limit": 10_000}, "limit"),
        (VALUES, {"facet": "make", "q": "a" * 10_000}, "q"),
        (VALUES, {"facet": "make", "text": "a" * 10_000}, "text"),
        (VALUES, {"facet": "make", "limit": 10_000}, "limit"),
        (VALUES, {"facet": "make", "make": MANY}, "make"),
        (CLUSTERS, {"bbox": "-180,-90,180,90", "zoom": 1_000}, "zoom"),
        (CLUSTERS, {"bbox": "-180,-90,180,90", "zoom": 24, "body": MANY}, "body"),
    ],
)
def test_too_much_is_refused_and_nobody_is_asked(
    api: TestClient, asked: list[str], path: str, query: dict[str, Any], pointer: str
) -> None:
    asked.clear()
    answer = api.get(path, params=query)
    assert answer.status_code == 422, answer.text
    assert {each["pointer"] for each in answer.json()["errors"]} == {pointer}
    assert len(answer.content) < 10_000  # nor is the request sent back
    assert asked == []


def test_what_is_allowed_is_asked(api: TestClient, asked: list[str]) -> None:
    asked.clear()
    assert api.get(SEARCH, params={"q": "jeep"}).status_code == 503
    assert {"Engine", "PostgresEngine", "Truth"} <= set(asked)

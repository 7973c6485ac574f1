"""What the routes beside a search promise: declared answers, derived parameters, honest failure."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api.app import create_app
from api.routes import clusters, facet_values
from api.schemas import lookups
from api.schemas.lookups import Clusters, FacetValues, Suggestions
from api.search_parameters import openapi_parameters
from runtime.settings import Settings
from search.breaker import State
from tests.market import Market

FAILURES = 3  # in a row, that open the breaker
REQUESTS: dict[str, tuple[dict[str, Any], type[BaseModel]]] = {
    "suggest": ({"q": "to"}, Suggestions),
    "facet-values": ({"facet": "make"}, FacetValues),
    "clusters": ({"bbox": "-180,-90,180,90", "zoom": 1}, Clusters),
}
SEARCH = {parameter["name"]: parameter for parameter in openapi_parameters()}


def shaped(value: Any) -> Any:
    """The keys of an answer, all the way down."""
    if isinstance(value, dict):
        return {key: shaped(each) for key, each in value.items()}
    return [shaped(each) for each in value] if isinstance(value, list) else None


@pytest.mark.parametrize("route", REQUESTS)
def test_an_answer_has_the_declared_keys(market: Market, route: str) -> None:
    market.store({}, {})
    asked, model = REQUESTS[route]
    answer = market.api.get(f"/v1/search/{route}", params=asked).json()
    # A model keeps what it declares, and adds what has a default and was not sent.
    declared = model.model_validate(answer).model_dump(by_alias=True, exclude_unset=True)
    assert shaped(declared) == shaped(answer)
    assert answer["meta"]["tookMs"] > 0
    assert (answer["meta"]["engine"], answer["meta"]["degraded"]) == ("elasticsearch", False)


@pytest.fixture
def open_api(settings: Settings) -> Iterator[Callable[..., TestClient]]:
    """The API over other settings."""
    with ExitStack() as stack:

        def opened(**others: Any) -> TestClient:
            chosen = settings.model_copy(update=others)
            return stack.enter_context(
                TestClient(create_app(chosen), raise_server_exceptions=False)
            )

        yield opened


@pytest.mark.parametrize("route", REQUESTS)
@pytest.mark.parametrize(
    ("others", "degraded"),
    [
        ({"elasticsearch_url": "http://127.0.0.1:1"}, True),
        ({"index_alias": "vehicles-test-nowhere"}, True),
        ({"elasticsearch_url": ""}, False),
    ],
    ids=["gone", "without an index", "not configured"],
)
def test_postgresql_answers_in_the_same_request(
    market: Market,
    open_api: Callable[..., TestClient],
    route: str,
    others: dict[str, Any],
    degraded: bool,
) -> None:
    # One on the map: the order of several is an engine's own.
    market.store({}, {"lat": None, "lon": None})
    asked, _ = REQUESTS[route]
    api = open_api(**others)
    for _ in range(5):  # with the breaker closed, and open
        answer = api.get(f"/v1/search/{route}", params=asked).json()
        meta, expected = answer.pop("meta"), market.api.get(f"/v1/search/{route}", params=asked)
        assert (meta["engine"], meta["degraded"]) == ("postgres", degraded)
        assert answer == {name: part for name, part in expected.json().items() if name != "meta"}


@pytest.mark.parametrize("route", REQUESTS)
def test_they_share_the_breaker_with_searches(
    open_api: Callable[..., TestClient], market: Market, route: str
) -> None:
    api = open_api(elasticsearch_url="http://127.0.0.1:1")
    breaker = api.app.state.searches.breaker  # type: ignore[attr-defined]
    for _ in range(FAILURES):
        assert breaker.state == State.CLOSED
        api.get(f"/v1/search/{route}", params=REQUESTS[route][0])
    assert breaker.state == State.OPEN


def test_words_that_are_none_say_nothing_about_who_is_well(
    open_api: Callable[..., TestClient], market: Market
) -> None:
    api = open_api(elasticsearch_url="http://127.0.0.1:1")
    for _ in range(FAILURES):
        api.get("/v1/search/suggest", params={"q": "to"})
    answer = api.get("/v1/search/suggest", params={"q": "!?"}).json()
    assert not any(answer["sections"].values())
    assert api.app.state.searches.breaker.state == State.OPEN  # type: ignore[attr-defined]


@pytest.mark.parametrize("route", REQUESTS)
def test_with_both_gone_the_answer_is_a_problem(
    open_api: Callable[..., TestClient], route: str
) -> None:
    nowhere = "postgresql://rides@127.0.0.1:1/rides"
    api = open_api(elasticsearch_url="http://127.0.0.1:1", database_url=nowhere)
    answer = api.get(f"/v1/search/{route}", params=REQUESTS[route][0])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"].endswith("search-unavailable")
    assert "RIDES_DATABASE_URL" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("accepted", "required", "own", "without"),
    [
        (clusters.PARAMETERS, {"bbox", "zoom"}, {"zoom"}, {"sort", "facets", "limit", "cursor"}),
        (facet_values.PARAMETERS, {"facet"}, {"facet", "text"}, {"sort", "facets", "cursor"}),
    ],
)
def test_parameters_are_a_searchs_but_for_what_the_route_says(
    accepted: Any, required: set[str], own: set[str], without: set[str]
) -> None:
    published = {each["name"]: each for each in openapi_parameters(accepted)}
    assert set(published) == set(SEARCH) - without | own
    assert {name for name, each in published.items() if each["required"]} == required
    redefined = required | own | {"q", "limit"}
    for name in set(published) - redefined:
        assert published[name] == SEARCH[name]


def test_every_field_is_described() -> None:
    shapes = [
        each
        for each in vars(lookups).values()
        if isinstance(each, type)
        and issubclass(each, BaseModel)
        and each.__module__ == lookups.__name__
    ]
    assert len(shapes) == 11
    for shape in shapes:
        assert all(field.description for field in shape.model_fields.values()), shape

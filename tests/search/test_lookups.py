"""What the routes beside a search promise: declared answers, derived parameters, honest failure."""

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
from tests.market import Market

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


@pytest.mark.parametrize("route", REQUESTS)
def test_without_an_index_the_answer_names_the_fix(settings: Settings, route: str) -> None:
    nowhere = settings.model_copy(update={"index_alias": "vehicles-test-nowhere"})
    with TestClient(create_app(nowhere), raise_server_exceptions=False) as api:
        answer = api.get(f"/v1/search/{route}", params=REQUESTS[route][0])
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("search-unavailable")
    assert "rides reindex" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "1"


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
    assert len(shapes) == 10
    for shape in shapes:
        assert all(field.description for field in shape.model_fields.values()), shape

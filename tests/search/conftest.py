"""Fixtures of several features of search."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from runtime.settings import Settings
from tests.market import Market


@pytest.fixture(params=["elasticsearch", "postgres"])
def place(market: Market, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Market]:
    """The marketplace, asked through either engine."""
    if request.param == "elasticsearch":
        yield market
        return
    alone = settings.model_copy(update={"elasticsearch_url": ""})
    with TestClient(create_app(alone), raise_server_exceptions=False) as api:
        market.api, before = api, market.api
        yield market
        market.api = before

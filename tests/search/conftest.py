"""Fixtures of several features of search."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import AsyncMock

import pytest
from elasticsearch import Elasticsearch
from fastapi.testclient import TestClient

from api import suggesting
from api.app import create_app
from runtime.settings import Settings
from tests.conftest import emptied, ensure_index
from tests.market import Market, clear


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


@pytest.fixture(scope="module")
def lasting(
    _session_connection: Any, elastic: Elasticsearch, api: TestClient, settings: Settings
) -> Market:
    """An empty marketplace that is filled once, as `filled`, for all tests of a module."""
    ensure_index(_session_connection, elastic, settings.index_alias)
    market = Market(emptied(_session_connection), elastic, api, settings)
    clear(market.conn, market.elastic)
    return market


@pytest.fixture(scope="module", params=["elasticsearch", "postgres"])
def engine(filled: Market, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Market]:
    """What a module's `filled` has put into `lasting`, asked through either engine."""
    url = {"elasticsearch": settings.elasticsearch_url, "postgres": ""}[request.param]
    app = create_app(settings.model_copy(update={"elasticsearch_url": url}))
    with TestClient(app, raise_server_exceptions=False) as client:
        market = filled.through(client)
        assert market.search()["meta"]["engine"] == request.param
        yield market


@pytest.fixture
def without_suggestions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages alone: where little is found, what is suggested takes longer than the page.

    For hundreds of searches that are about pages. test_relaxed.py and test_did_you_mean.py hold
    suggestions to what both engines find.
    """
    monkeypatch.setattr(suggesting, "suggestions", AsyncMock(return_value=suggesting.nothing()))

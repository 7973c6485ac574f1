"""Wiring only: settings in, a FastAPI application out.

`uvicorn --factory api.app:create_app` serves it.
"""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import cors, errors, openapi
from api.index_facts import IndexFacts
from api.middleware import RequestEnvelope
from api.routes import (
    booking_changes,
    bookings,
    clusters,
    facet_values,
    health,
    metrics,
    payments,
    search,
    similar,
    suggest,
    vehicles,
)
from bookings.payments.opening import open_cashier
from models.session import async_engine, sessions
from runtime import settings as runtime_settings
from runtime.logging import configure_logging
from runtime.settings import Settings
from search.fallback import open_searches
from search.popular import PopularSearches
from search.truth import Truth
from search.understand.source import VocabularySource


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API over `settings`, by default those of the environment.

    Raises:
        RuntimeError: no signing secret is set; the message says how to make one.
    """
    chosen = settings or runtime_settings.settings()
    chosen.require_secret()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(chosen)
        engine = async_engine(chosen)
        app.state.engine = engine
        app.state.sessions = sessions(engine)
        app.state.cashier = open_cashier(chosen, app.state.sessions)
        app.state.searches = open_searches(chosen)
        app.state.truth = Truth(chosen)
        app.state.index_facts = IndexFacts(chosen)
        client = app.state.searches.elasticsearch.client
        app.state.vocabulary = VocabularySource(client, chosen.index_alias, chosen.database_url)
        app.state.popular = PopularSearches(engine, lambda: app.state.vocabulary.current)
        # What is loaded by now stays: the collector need not look at it again under load, which
        # saves a request a tenth of its CPU.
        gc.collect()
        gc.freeze()
        try:
            async with app.state.vocabulary.polling(), app.state.popular.counting():
                yield
        finally:
            await app.state.searches.close()
            await app.state.truth.close()
            await app.state.cashier.close()
            await engine.dispose()

    app = FastAPI(lifespan=lifespan, redirect_slashes=False, **openapi.METADATA)
    app.state.settings = chosen
    app.add_middleware(RequestEnvelope)
    cors.install(app, chosen.cors_origins)
    errors.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(search.router)
    app.include_router(suggest.router)
    app.include_router(facet_values.router)
    app.include_router(clusters.router)
    app.include_router(vehicles.router)
    app.include_router(similar.router)
    app.include_router(bookings.router)
    app.include_router(booking_changes.router)
    app.include_router(payments.router)
    openapi.install(app)
    return app

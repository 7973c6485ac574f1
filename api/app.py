"""Wiring only: settings in, a FastAPI application out.

`uvicorn --factory api.app:create_app` serves it.
"""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from accounts.limits import AttemptLimits, RequestLimits
from accounts.oauth import Providers
from accounts.passwords import Hasher
from api import cors, errors, openapi
from api.chat_session import Sockets
from api.direct import DirectRoutes
from api.index_facts import IndexFacts
from api.middleware import RequestEnvelope
from api.rate_limits import RateLimits
from api.routes import (
    auth,
    auth_providers,
    auth_second_factor,
    booking_changes,
    bookings,
    chat,
    clusters,
    facet_values,
    health,
    holds,
    hosting,
    messages,
    metrics,
    payments,
    photos,
    reviews,
    search,
    similar,
    suggest,
    uploads,
    vehicles,
)
from bookings.chat_hints import ChatHints
from bookings.payments.opening import open_cashier
from models.session import async_engine, connections, sessions
from runtime import settings as runtime_settings
from runtime.logging import configure_logging
from runtime.object_store import open_store
from runtime.settings import Settings
from search.fallback import open_searches
from search.popular import PopularSearches
from search.truth import Truth
from search.understand.source import VocabularySource

# One file per resource, in the order in which a request is held against them: first what is asked
# most. The documentation has the order of its tags.
RESOURCES = (
    search,
    holds,
    health,
    metrics,
    suggest,
    facet_values,
    clusters,
    vehicles,
    hosting,
    photos,
    similar,
    bookings,
    booking_changes,
    reviews,
    messages,
    chat,
    payments,
    auth,
    auth_second_factor,
    auth_providers,
)


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
        app.state.connections = connections(chosen)
        app.state.hasher = Hasher()
        app.state.attempts = AttemptLimits(chosen)
        app.state.requests = RequestLimits(chosen)
        app.state.providers = Providers(chosen)
        app.state.cashier = open_cashier(chosen, app.state.sessions)
        app.state.chat_hints = ChatHints(chosen, app.state.sessions)
        app.state.sockets = Sockets()
        app.state.searches = open_searches(chosen)
        app.state.truth = Truth(chosen)
        app.state.store = open_store(chosen)
        app.state.index_facts = IndexFacts(chosen)
        client = app.state.searches.elasticsearch.client
        app.state.vocabulary = VocabularySource(client, chosen.index_alias, chosen.database_url)
        app.state.popular = PopularSearches(engine, lambda: app.state.vocabulary.current)
        # What is loaded by now stays: the collector need not look at it again under load, which
        # saves a request a tenth of its CPU. What one search holds at once is no reason to look
        # either: by the default of 700 objects it came in the middle of each, for 0.2 ms.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000)
        try:
            async with (
                app.state.vocabulary.polling(),
                app.state.popular.counting(),
                app.state.chat_hints.running(),
            ):
                yield
        finally:
            await app.state.requests.close()
            await app.state.attempts.close()
            await app.state.searches.close()
            await app.state.truth.close()
            await app.state.cashier.close()
            await app.state.connections.close()
            await engine.dispose()

    app = FastAPI(
        lifespan=lifespan,
        redirect_slashes=False,
        # Metrics and logs are our own: /metrics and standard output. It would ask each request.
        telemetry={"metrics": False, "logs": False},
        **openapi.METADATA,
    )
    app.state.settings = chosen
    app.add_middleware(
        DirectRoutes, routes=[route for each in RESOURCES for route in each.router.routes]
    )
    if chosen.rate_limits:
        app.add_middleware(RateLimits)
    app.add_middleware(RequestEnvelope)
    cors.install(app, chosen.cors_origins)
    errors.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router)
    uploads.install(app, chosen)
    openapi.install(app)
    return app

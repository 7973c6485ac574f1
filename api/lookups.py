"""What the routes beside a search share: how they answer, and what of it they publish."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import Request, Response

from api.errors import problem_responses
from search.fallback import Answer
from search.truth import age_ms

SEARCH_UNAVAILABLE = problem_responses(
    {503: "No search engine answers; try again after `Retry-After` seconds"}
)


# Of those that take a search's parameters, so that they can wait for a write as a search does.
INVALID_WRITE_TOKEN = problem_responses(
    {400: "`after` is no write's token (`invalid-write-token`)"}
)


async def answer(
    request: Request,
    asking: Awaitable[Answer],
    begun: float,
    meta: Callable[[Answer], Mapping[str, Any]] = lambda _: {},
    **beside: Any,
) -> Response:
    """The answer, what stands `beside` it, and how it came about, with the route's own `meta`.

    `begun` is of `time.perf_counter`.
    """
    # Before the index is asked: what becomes searchable in between still counts as missing.
    oldest_change = await request.app.state.truth.oldest_change()
    answered = await asking
    came_about = {
        "engine": answered.engine,
        "degraded": answered.degraded,
        "indexAgeMs": age_ms(oldest_change),
        "tookMs": round((time.perf_counter() - begun) * 1000, 1),
        **meta(answered),
    }
    content = answered.content | beside | {"meta": came_about}
    return Response(orjson.dumps(content), media_type="application/json")

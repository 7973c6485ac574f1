"""What the routes beside a search share: how they answer, and what of it they publish."""

import time
from typing import Any

import orjson
from fastapi import Request, Response

from api.errors import problem_responses

SEARCH_UNAVAILABLE = problem_responses(
    {503: "No search engine answers; try again after `Retry-After` seconds"}
)


def answer(request: Request, content: dict[str, Any], begun: float) -> Response:
    """The answer and how it came about; `begun` is of `time.perf_counter`."""
    meta = {
        "engine": "elasticsearch",
        "degraded": False,
        "indexAgeMs": request.app.state.index_age.ms,
        "tookMs": round((time.perf_counter() - begun) * 1000, 1),
    }
    return Response(orjson.dumps(content | {"meta": meta}), media_type="application/json")

"""For Prometheus: the lag of the index, its queue, its builds and the last audit."""

import psycopg
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from api.dependencies import known_parameters
from api.errors import Problem
from indexer.metrics import render

router = APIRouter(tags=["health"], dependencies=[Depends(known_parameters)])


@router.get("/metrics", summary="What Prometheus scrapes", response_class=PlainTextResponse)
async def get_metrics(request: Request) -> Response:
    """The same from every process: it comes from PostgreSQL, where the workers keep it."""
    try:
        known = await request.app.state.index_facts.read()
    except psycopg.OperationalError as error:
        raise Problem(
            503,
            "not-ready",
            "Not ready",
            "Cannot reach database: see /health.",
            headers={"Retry-After": "1"},
        ) from error
    return Response(render(known), media_type="text/plain; version=0.0.4; charset=utf-8")

"""For load balancers and people on call: is it alive, should it get traffic, what is wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import text

from api.dependencies import known_parameters
from api.errors import Problem, problem_responses
from api.schemas.common import FieldError
from api.schemas.health import Component, Health, Live
from models.revisions import NEEDED as NEEDED_REVISION

router = APIRouter(prefix="/health", tags=["health"], dependencies=[Depends(known_parameters)])
log = structlog.get_logger()

TIMEOUT_S = 2
# What a replica must reach to be worth sending requests to.
# Not the search engine: bookings go on without it, and taking every replica out would stop them.
NEEDED = ("database",)
_UNUSABLE = "does not answer, or is older than this code (`rides migrate`)"
_REVISION = text("SELECT version_num FROM alembic_version")


@router.get("/live", summary="Is the process alive?")
async def get_live() -> Live:
    """Always 200: a restart would help if even this did not answer."""
    return Live(status="ok")


@router.get(
    "/ready",
    summary="Should it get requests?",
    responses=problem_responses({503: "`errors[]` names what it cannot reach"}),
)
async def get_ready(request: Request) -> Live:
    """200 when the database answers and has this code's tables; `/health` says how search is."""
    components = await _components(request)
    failed = [name for name in NEEDED if components[name].status != "ok"]
    if failed:
        raise Problem(
            503,
            "not-ready",
            "Not ready",
            f"Cannot use {' and '.join(failed)}: the log says why.",
            errors=[FieldError(pointer=name, message=_UNUSABLE) for name in failed],
            headers={"Retry-After": "1"},
        )
    return Live(status="ok")


@router.get("", summary="What is wrong?", responses={503: {"model": Health}})
async def get_health(request: Request, response: Response) -> Health:
    """Each component with how long it took to answer; 503 if one failed."""
    components = await _components(request)
    searches = request.app.state.searches
    if searches.configured:
        components["search"].breaker = searches.breaker.state
    failed = any(component.status != "ok" for component in components.values())
    response.status_code = 503 if failed else 200
    return Health(status="failed" if failed else "ok", components=components)


async def _components(request: Request) -> dict[str, Component]:
    async def database() -> bool:
        async with request.app.state.engine.connect() as connection:
            revision = await connection.scalar(_REVISION)
        old = revision is None or revision < NEEDED_REVISION
        if old:
            log.warning(
                "the database is older than this code: run `rides migrate`",
                revision=revision,
                needed=NEEDED_REVISION,
            )
        return not old

    async def index() -> bool:
        alarms = (await request.app.state.index_facts.read()).alarms()
        for alarm in alarms:
            log.warning("index alarm", alarm=alarm)
        return not alarms

    checks: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": database,
        "search": request.app.state.searches.ping,
        "index": index,
    }
    results = await asyncio.gather(*(_checked(name, check) for name, check in checks.items()))
    return dict(zip(checks, results, strict=True))


async def _checked(name: str, check: Callable[[], Awaitable[bool]]) -> Component:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            well = await check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the component does not answer
        # To the log only: an error's text can name hosts and users.
        log.warning("component failed", component=name, error=repr(error))
        well = False
    return Component(
        status="ok" if well else "failed", ms=round((time.perf_counter() - began) * 1000, 1)
    )

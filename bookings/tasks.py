"""The clock of renting, as Celery tasks of the worker's application.

They are hints like all tasks here: what is due is in the tables, and a tick that is lost, comes
twice or late changes nothing but the moment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from celery import shared_task
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bookings import clock, idempotency
from bookings.payments.opening import open_cashier
from models.session import async_engine, sessions
from runtime.settings import settings
from runtime.ticking import Ticking

T = TypeVar("T")
QUEUE = "bookings"
TICK_S = 5.0
SCHEDULE = {
    "renting": {
        "task": "bookings.tick",
        "schedule": Ticking(TICK_S),
        "options": {"expires": 10, "queue": QUEUE},
    },
    "idempotency": {
        "task": "bookings.tidy",
        "schedule": Ticking(3600.0),
        "options": {"expires": 600, "queue": QUEUE},
    },
}


@shared_task(name="bookings.tick")
def tick() -> int:
    """Expire holds, begin and end rentals, move money that is due; how many were moved."""
    return asyncio.run(_with_sessions(_tick))


@shared_task(name="bookings.tidy")
def tidy() -> int:
    """Forget old idempotency keys; how many."""
    return asyncio.run(_with_sessions(idempotency.tidy))


async def _tick(maker: async_sessionmaker[AsyncSession]) -> int:
    cashier = open_cashier(settings(), maker)
    try:
        moved = await clock.tick(maker, await _now(maker))
        return moved + await cashier.sweep(await _now(maker))
    finally:
        await cashier.close()


async def _now(maker: async_sessionmaker[AsyncSession]) -> datetime:
    """By the database: a worker whose clock jumps would end all holds and rentals at once."""
    async with maker() as session:
        told: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        return told


async def _with_sessions(work: Callable[[async_sessionmaker[AsyncSession]], Awaitable[T]]) -> T:
    engine = async_engine(settings())
    try:
        return await work(sessions(engine))
    finally:
        await engine.dispose()

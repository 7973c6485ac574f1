from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bookings import holds
from models import Booking
from models.session import async_engine, connections, sessions

Book = Callable[..., Awaitable[Booking]]

# Noon in Honolulu, where the factory's vehicles stand.
NOW = datetime(2027, 5, 20, 22, tzinfo=UTC)
TODAY = date(2027, 5, 20)


def day(offset: int) -> date:
    """So many days after TODAY."""
    return TODAY + timedelta(days=offset)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def transactions(settings) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """`transactions.begin()` is one request's; 16 may be open at once."""
    engine = async_engine(settings.model_copy(update={"pool_size": 16}))
    yield sessions(engine)
    await engine.dispose()


@pytest.fixture
async def book(settings, transactions) -> AsyncIterator[Book]:
    """Holds days of a vehicle; up to 16 at once."""
    pool = connections(settings.model_copy(update={"pool_size": 16}))

    async def hold(renter: int, vehicle: int, start: date, end: date, now: datetime = NOW):
        async with pool.connection() as connection:
            held = await holds.hold(
                connection,
                transactions,
                renter_id=renter,
                vehicle_id=vehicle,
                start=start,
                end=end,
                now=now,
            )
        return held.booking

    yield hold
    await pool.close()


@pytest.fixture
async def session(transactions) -> AsyncIterator[AsyncSession]:
    """One open transaction, rolled back at the end."""
    async with transactions() as session:
        yield session

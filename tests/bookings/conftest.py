from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.session import async_engine, sessions

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
async def session(transactions) -> AsyncIterator[AsyncSession]:
    """One open transaction, rolled back at the end."""
    async with transactions() as session:
        yield session

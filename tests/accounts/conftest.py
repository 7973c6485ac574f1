"""Accounts on a real database."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from accounts.passwords import Hasher
from models.session import async_engine, sessions


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def transactions(settings, conn) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """`transactions.begin()` is one request's; 16 may be open at once."""
    engine = async_engine(settings.model_copy(update={"pool_size": 16}))
    yield sessions(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def hasher() -> Hasher:
    return Hasher()

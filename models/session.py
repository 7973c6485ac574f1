"""Connections to PostgreSQL: an asynchronous engine for the API, plain psycopg for bulk work."""

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from runtime.prepared import Connections
from runtime.settings import Settings

PATIENCE_S = 2  # to get a connection
_OPTIONS = "-c statement_timeout=30000 -c timezone=UTC"


def async_engine(settings: Settings) -> AsyncEngine:
    """A pool of at most `settings.pool_size` connections with a 30 s statement timeout.

    The figures are the architecture guide's: 20 connections, 2 s to get one, 30 s a statement.
    """
    return create_async_engine(
        make_url(settings.database_url).set(drivername="postgresql+psycopg"),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=PATIENCE_S,
        pool_pre_ping=True,
        hide_parameters=True,  # an error that is logged must not carry somebody's address
        connect_args={"options": _OPTIONS},
    )


def connections(settings: Settings) -> Connections:
    """As many connections with the same bounds, for the statements that every booking asks."""
    return Connections(
        settings.database_url,
        size=settings.pool_size,
        patience_s=PATIENCE_S,
        application_name="rides bookings",
        options=_OPTIONS,
    )


def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions that keep objects readable after the commit that precedes the answer."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def transaction_id(session: AsyncSession) -> int:
    """The id of the session's transaction: what its rows in the dirty log carry as `xid`."""
    return int(str(await session.scalar(text("SELECT pg_current_xact_id()::text"))))


def connect(settings: Settings, *, application: str) -> psycopg.Connection[TupleRow]:
    """An autocommitting connection, named `application` in `pg_stat_activity`.

    Raises:
        psycopg.OperationalError: no server answers within 10 s.
    """
    return psycopg.connect(
        settings.database_url,
        autocommit=True,
        connect_timeout=10,
        application_name=f"rides {application}",
        options="-c timezone=UTC",
    )


def another(connection: psycopg.Connection[TupleRow]) -> psycopg.Connection[TupleRow]:
    """A second autocommitting connection to the same database, for another thread.

    Raises:
        psycopg.OperationalError: no server answers within 10 s.
    """
    return psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True)

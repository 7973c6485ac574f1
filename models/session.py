"""Connections to PostgreSQL: an asynchronous engine for the API, plain psycopg for bulk work."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from select import POLLIN, poll
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry

from runtime.settings import Settings

ASKED_AFTER_S = 10.0  # of idleness


def async_engine(settings: Settings) -> AsyncEngine:
    """A pool of at most `settings.pool_size` connections with a 30 s statement timeout.

    The figures are the architecture guide's: 20 connections, 2 s to get one, 30 s a statement.
    """
    engine = create_async_engine(
        make_url(settings.database_url).set(drivername="postgresql+psycopg"),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=2,
        hide_parameters=True,  # an error that is logged must not carry somebody's address
        connect_args={"options": "-c statement_timeout=30000 -c timezone=UTC"},
    )
    _check_connections(engine)
    return engine


def _check_connections(engine: AsyncEngine) -> None:
    """Replace connections that broke while nobody used them.

    A server that ends closes its side, which is seen without asking it. It is asked, as
    `pool_pre_ping` would each time, where a network may have forgotten the connection: asking
    costs as much as looking a vehicle up.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def checkin(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None:  # new
            return
        try:
            closing = poll()
            closing.register(connection.driver_connection.fileno(), POLLIN)
            closed = bool(closing.poll(0))
            if not closed and time.monotonic() - idle_since > ASKED_AFTER_S:
                engine.dialect.do_ping(connection)
        except psycopg.Error:
            closed = True
        if closed:
            raise InvalidatePoolError


def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions that keep objects readable after the commit that precedes the answer."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def driver(session: AsyncSession) -> AsyncIterator[psycopg.AsyncConnection[TupleRow]]:
    """The session's connection, in its transaction, without SQLAlchemy: a third of the CPU.

    Raises:
        DBAPIError: as the session raises it, for what psycopg raises in the block.
    """
    pooled = await session.connection()
    connection = (await pooled.get_raw_connection()).driver_connection
    assert isinstance(connection, psycopg.AsyncConnection)
    try:
        yield connection
    except psycopg.Error as error:
        if connection.closed:  # or the pool would try to reset it
            await pooled.invalidate()
        raise DBAPIError.instance(None, None, error, psycopg.Error) from error


async def transaction_id(session: AsyncSession) -> int:
    """The id of the session's transaction: what its rows in the dirty log carry as `xid`."""
    async with driver(session) as connection:
        asked = await connection.execute("SELECT pg_current_xact_id()::text")
        ((xid,),) = await asked.fetchall()
    return int(xid)


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

"""The API's pool: connections that broke are replaced, and psycopg's errors are SQLAlchemy's."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from models import session as models_session
from models.session import async_engine, driver, sessions
from tests.factory import store_vehicle

pytestmark = pytest.mark.anyio


@pytest.fixture
async def engine(settings):
    engine = async_engine(settings.model_copy(update={"pool_size": 2}))
    yield engine
    await engine.dispose()


@pytest.fixture
def backend(engine):
    """The pid of the server's process that the pool hands out."""

    async def pid():
        async with engine.connect() as connection:
            return await connection.scalar(text("SELECT pg_backend_pid()"))

    return pid


def end(conn, pid):
    """End a connection's process as a restart of the server does, and wait until it is gone."""
    assert conn.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


async def test_a_connection_serves_one_after_the_other(backend):
    assert await backend() == await backend()


async def test_one_that_the_server_closed_meanwhile_is_replaced(conn, backend):
    first = await backend()
    end(conn, first)
    assert await backend() != first


async def test_so_are_all_others(conn, engine, backend):
    async with engine.connect() as one, engine.connect() as other:
        pids = [await each.scalar(text("SELECT pg_backend_pid()")) for each in (one, other)]
    for pid in pids:
        end(conn, pid)
    async with engine.connect() as one, engine.connect() as other:
        assert await one.scalar(text("SELECT 1")) == await other.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(("after_s", "asked"), [(0, True), (60, False)])
async def test_the_server_is_asked_only_after_a_while(engine, backend, monkeypatch, after_s, asked):
    await backend()
    pings = []
    ping = engine.dialect.do_ping
    monkeypatch.setattr(engine.dialect, "do_ping", lambda each: pings.append(each) or ping(each))
    monkeypatch.setattr(models_session, "ASKED_AFTER_S", after_s)
    await backend()
    assert bool(pings) is asked


async def test_one_that_does_not_answer_is_replaced(engine, backend, monkeypatch):
    first = await backend()

    def forgotten(_):
        raise psycopg.OperationalError("the network has forgotten this connection")

    monkeypatch.setattr(engine.dialect, "do_ping", forgotten)
    monkeypatch.setattr(models_session, "ASKED_AFTER_S", 0)
    assert await backend() != first


async def test_what_psycopg_raises_is_what_sqlalchemy_raises(conn, engine):
    vehicle = store_vehicle(conn)
    statement = "INSERT INTO vehicles SELECT * FROM vehicles WHERE id = %s"
    with pytest.raises(IntegrityError) as raised:
        async with sessions(engine).begin() as session, driver(session) as connection:
            await connection.execute(statement, [vehicle])
    assert isinstance(raised.value.orig, psycopg.errors.UniqueViolation)


async def test_one_that_breaks_in_use_is_not_kept(conn, engine, backend, caplog):
    first = await backend()

    async def work():
        async with sessions(engine).begin() as session, driver(session) as connection:
            end(conn, connection.info.backend_pid)
            await connection.execute("SELECT 1")

    with pytest.raises(OperationalError):
        await work()
    assert await backend() != first
    assert not caplog.records


async def test_the_transaction_is_the_sessions(conn, engine):
    vehicle = store_vehicle(conn)
    read = "SELECT daily_rate_cents FROM vehicles WHERE id = %s"
    write = "UPDATE vehicles SET daily_rate_cents = 12345 WHERE id = %s"
    async with sessions(engine)() as session, driver(session) as connection:
        await connection.execute(write, [vehicle])
        await session.rollback()
    assert conn.execute(read, [vehicle]).fetchone() != (12345,)
    async with sessions(engine).begin() as session, driver(session) as connection:
        await connection.execute(write, [vehicle])
    assert conn.execute(read, [vehicle]).fetchone() == (12345,)

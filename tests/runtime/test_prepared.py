"""Prepared statements by libpq itself, on real PostgreSQL and on both event loops."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime

import psycopg
import pytest
import uvloop

from runtime.prepared import Prepared
from runtime.settings import Settings

Asked = Callable[[Prepared], Awaitable[None]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop])
def run(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Callable[[Asked], None]]:
    """Runs a coroutine with a connection of its own."""
    with asyncio.Runner(loop_factory=request.param) as runner:

        async def connected(asked: Asked) -> None:
            with closing(await Prepared.open(settings.database_url)) as connection:
                await asked(connection)

        yield lambda asked: runner.run(connected(asked))


def test_rows_are_as_postgresql_writes_them(run):
    async def asked(connection):
        rows = await connection.ask(
            "SELECT n, NULL FROM generate_series(1, %(most)s) AS n", {"most": 3}
        )
        assert rows == [(b"1", None), (b"2", None), (b"3", None)]
        assert await connection.ask("SELECT 1 WHERE false", {}) == []

    run(asked)


def test_a_value_stands_wherever_its_name_does(run):
    now = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
    values = {"ids": [3, 5], "day": date(2027, 3, 1), "word": "it's {,} 100 %", "now": now}
    statement = """
        SELECT %(ids)s::bigint[], %(day)s::date + 1, %(word)s::text, %(day)s - 1,
            (%(now)s AT TIME ZONE 'Pacific/Honolulu')::date
    """

    async def asked(connection):
        (row,) = await connection.ask(statement, values)
        assert row == (b"{3,5}", b"2027-03-02", b"it's {,} 100 %", b"2027-02-28", b"2026-11-24")
        (empty,) = await connection.ask("SELECT 7 = ANY(%(ids)s)", {"ids": []})
        assert empty == (b"f",)

    run(asked)


def test_each_statement_is_prepared_once(run):
    async def asked(connection):
        for number in range(3):
            assert await connection.ask("SELECT %(n)s + 1", {"n": number}) == [
                (b"%d" % (number + 1),)
            ]
        rows = await connection.ask("SELECT count(*) FROM pg_prepared_statements", {})
        assert rows == [(b"2",)]

    run(asked)


def test_large_answers_come_whole(run):
    async def asked(connection):
        ((text,),) = await connection.ask("SELECT repeat('x', %(n)s)", {"n": 5_000_000})
        assert len(text) == 5_000_000

    run(asked)


@pytest.mark.parametrize("statement", ["SELECT 1 / %(n)s", "SELECT nonsense, %(n)s"])
def test_what_postgresql_refuses_is_said_and_closes(run, statement):
    async def asked(connection):
        with pytest.raises(psycopg.DatabaseError, match=r"division by zero|does not exist"):
            await connection.ask(statement, {"n": 0})
        assert connection.closed

    run(asked)


def test_a_cancelled_question_closes_and_leaves_no_answer_to_the_next(run):
    async def asked(connection):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await connection.ask("SELECT 1 FROM pg_sleep(10)", {})
        assert connection.closed

    run(asked)


def test_a_connection_that_the_server_ends_is_closed(run, settings):
    async def asked(connection):
        ((backend,),) = await connection.ask("SELECT pg_backend_pid()", {})
        async with await psycopg.AsyncConnection.connect(settings.database_url) as other:
            await other.execute("SELECT pg_terminate_backend(%s)", [int(backend)])
        async with asyncio.timeout(10):
            # The end is read while nothing is asked.
            while not connection.closed:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    run(asked)


def test_a_question_that_the_server_ends_fails(run, settings):
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
    )

    async def asked(connection):
        ((backend,),) = await connection.ask("SELECT pg_backend_pid()", {})
        question = asyncio.create_task(connection.ask("SELECT 1 FROM pg_sleep(10)", {}))
        async with await psycopg.AsyncConnection.connect(
            settings.database_url, autocommit=True
        ) as other:
            # Until the question has begun.
            while not await (await other.execute(kill, [int(backend)])).fetchall():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        with pytest.raises(psycopg.Error):
            await question
        assert connection.closed

    run(asked)

"""Prepared statements by libpq itself, on real PostgreSQL and on both event loops."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime

import psycopg
import pytest
import uvloop
from psycopg.pq import TransactionStatus

from runtime import prepared
from runtime.prepared import Connections, Prepared
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


def test_several_questions_are_one_transaction(run, settings):
    async def asked(connection):
        await connection.ask("CREATE TEMP TABLE seen (n int UNIQUE)", {})
        one, two = ("INSERT INTO seen VALUES (%(n)s)", {"n": 1}), ("SELECT n FROM seen", {})
        assert await connection.ask_all(one, two, ("SELECT 'x'", {})) == [[], [(b"1",)], [(b"x",)]]

    run(asked)


def test_what_one_of_them_is_refused_undoes_all(run, settings):
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        other.execute("DROP TABLE IF EXISTS seen")
        other.execute("CREATE TABLE seen (n int UNIQUE)")

        async def asked(connection):
            insert = "INSERT INTO seen VALUES (%(n)s)"
            with pytest.raises(psycopg.errors.UniqueViolation):
                await connection.ask_all((insert, {"n": 1}), (insert, {"n": 1}), ("SELECT 1", {}))
            assert connection.closed

        run(asked)
        assert other.execute("SELECT count(*) FROM seen").fetchone() == (0,)
        other.execute("DROP TABLE seen")


def test_later_questions_see_what_was_committed_while_earlier_ones_waited(run, settings):
    """What a hold stands on: the insert after the lock must see the booking that it waited for."""
    with (
        psycopg.connect(settings.database_url, autocommit=True) as watching,
        psycopg.connect(settings.database_url) as other,
    ):
        watching.execute("DROP TABLE IF EXISTS seen")
        watching.execute("CREATE TABLE seen AS SELECT 1 AS n")
        other.execute("UPDATE seen SET n = 2")

        async def asked(connection):
            lock = ("SELECT n FROM seen FOR UPDATE", {})
            both = asyncio.create_task(
                connection.ask_all(lock, ("SELECT count(*) FROM seen WHERE n = 2", {}))
            )
            while not watching.execute(_WAITING).fetchone():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            other.commit()
            assert await both == [[(b"2",)], [(b"1",)]]

        run(asked)
        watching.execute("DROP TABLE seen")


_WAITING = (
    "SELECT 1 FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%seen%'"
)


@pytest.mark.parametrize("fails", [False, True])
def test_a_transaction_is_done_at_its_end_or_not_at_all(run, settings, fails):
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        other.execute("DROP TABLE IF EXISTS seen")
        other.execute("CREATE TABLE seen (n int)")
        count = "SELECT count(*) FROM seen"

        async def asked(connection):
            with suppress(ZeroDivisionError):
                async with connection.transaction():
                    await connection.ask("INSERT INTO seen VALUES (1)", {})
                    assert await connection.ask(count, {}) == [(b"1",)]
                    assert other.execute(count).fetchone() == (0,)
                    if fails:
                        raise ZeroDivisionError
            assert other.execute(count).fetchone() == (0 if fails else 1,)
            await connection.ask("INSERT INTO seen VALUES (2)", {})
            assert other.execute(count).fetchone() == (1 if fails else 2,), "it ended there"

        run(asked)
        other.execute("DROP TABLE seen")


@pytest.mark.parametrize("divisor", [0, 1])
def test_what_is_asked_with_the_end_of_a_transaction_can_prevent_it(run, settings, divisor):
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        other.execute("DROP TABLE IF EXISTS seen")
        other.execute("CREATE TABLE seen (n int)")

        async def asked(connection):
            with suppress(psycopg.errors.DivisionByZero):
                async with connection.transaction() as last:
                    await connection.ask("INSERT INTO seen VALUES (1)", {})
                    last.append(("SELECT 1 / %(divisor)s::int", {"divisor": divisor}))
            assert connection.closed is (divisor == 0)

        run(asked)
        assert other.execute("SELECT count(*) FROM seen").fetchone() == (divisor,)
        other.execute("DROP TABLE seen")


def test_a_transaction_in_which_nothing_is_asked_is_none(run):
    async def asked(connection):
        async with connection.transaction():
            pass
        assert await connection.ask("SELECT 1", {})
        assert connection._libpq.transaction_status == TransactionStatus.IDLE

    run(asked)


def test_a_cancelled_transaction_is_taken_back(run, settings):
    async def asked(connection):
        async def work():
            async with connection.transaction():
                await connection.ask("SELECT 1", {})
                await asyncio.sleep(10)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work(), 0.05)
        assert connection.closed

    run(asked)


class TestConnections:
    @pytest.fixture
    def pool(self, settings):
        return Connections(settings.database_url, size=2, patience_s=0.05)

    @staticmethod
    async def backend(pool):
        async with pool.connection() as connection:
            ((pid,),) = await connection.ask("SELECT pg_backend_pid()", {})
            return int(pid)

    def test_one_serves_one_after_the_other(self, pool):
        async def used():
            assert await self.backend(pool) == await self.backend(pool)
            await pool.close()

        asyncio.run(used())

    def test_there_are_no_more_than_its_size(self, pool):
        async def used():
            async with pool.connection() as one, pool.connection() as two:
                assert one is not two
                with pytest.raises(psycopg.OperationalError, match=r"within 0\.05 s"):
                    await self.backend(pool)
            assert await self.backend(pool)
            await pool.close()

        asyncio.run(used())

    def test_who_waits_gets_the_next(self, pool):
        async def used():
            pool._patience_s = 10
            async with pool.connection():
                async with pool.connection() as two:
                    waiting = asyncio.create_task(self.backend(pool))
                    ((pid,),) = await two.ask("SELECT pg_backend_pid()", {})
                    assert not waiting.done()
                assert await waiting == int(pid)
            await pool.close()

        asyncio.run(used())

    def test_one_that_the_server_closed_meanwhile_is_replaced(self, pool, settings):
        async def used():
            first = await self.backend(pool)
            with psycopg.connect(settings.database_url) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
            assert await self.backend(pool) != first
            await pool.close()

        asyncio.run(used())

    def test_one_that_was_idle_for_long_is_asked_first(self, pool, monkeypatch):
        async def used():
            first = await self.backend(pool)
            monkeypatch.setattr(prepared, "ASKED_AFTER_S", 0)
            assert await self.backend(pool) == first
            _, connection = pool._idle[0]
            connection._loop.remove_reader(connection._socket)
            with socket.socket(fileno=os.dup(connection._socket)) as line:
                line.shutdown(socket.SHUT_RDWR)  # as a network that has forgotten it
            connection._loop.add_reader(connection._socket, connection._readable)
            assert await self.backend(pool) != first
            await pool.close()

        asyncio.run(used())

    def test_one_that_failed_is_not_kept_and_leaves_its_place(self, pool):
        async def used():
            for _ in range(3):
                async with pool.connection() as connection:
                    with pytest.raises(psycopg.errors.DivisionByZero):
                        await connection.ask("SELECT 1 / 0", {})
            assert not pool._idle
            assert await self.backend(pool)
            await pool.close()

        asyncio.run(used())

    def test_a_server_that_is_not_there_leaves_its_place(self):
        async def used():
            pool = Connections("postgresql://127.0.0.1:1/none", size=1, patience_s=0.05)
            for _ in range(3):
                with pytest.raises(psycopg.OperationalError, match="refused"):
                    await self.backend(pool)

        asyncio.run(used())

"""Prepared statements on connections to PostgreSQL, by libpq itself.

For what every search and every booking asks. Around a statement psycopg makes a cursor, adapts
values and awaits a generator, which takes three times the CPU of all this (docs/adr/0036);
connecting is psycopg's.
"""

import asyncio
import re
import select
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from functools import cache
from typing import Any, Self

import psycopg
from psycopg import pq

Value = int | str | date | Sequence[int]  # a datetime is a date, and must be aware
Row = tuple[Any, ...]  # bytes, and None for NULL
Question = tuple[str, Mapping[str, Value]]  # a statement, and what stands for its `%(name)s`
ASKED_AFTER_S = 10.0  # of idleness, whether it still answers
_PARAMETER = re.compile(r"%\((\w+)\)s")
_BEGIN: Question = ("BEGIN", {})
_COMMIT: Question = ("COMMIT", {})


class Prepared:
    """One connection, for one user at a time; what went wrong once is closed."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._libpq = connection.pgconn
        self._libpq.enter_pipeline_mode()
        self._connection = connection  # which would close itself when forgotten
        self._names: dict[str, bytes] = {}
        self._begin = False
        self._results: list[pq.abc.PGresult] = []
        self._answered: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = self._libpq.socket
        self._loop.add_reader(self._socket, self._readable)
        self.closed = False

    @classmethod
    async def open(cls, url: str, **parameters: Any) -> Self:
        """Connect, with libpq's parameters beside those in the URL.

        Raises:
            psycopg.OperationalError: it cannot.
        """
        return cls(await psycopg.AsyncConnection.connect(url, autocommit=True, **parameters))

    async def ask(self, statement: str, values: Mapping[str, Value]) -> list[Row]:
        """The rows, as PostgreSQL writes values; a name's value stands for `%(name)s`.

        Raises:
            psycopg.Error: PostgreSQL refused, or is gone. Then, and after a cancellation, which may
                come at any time, the connection is closed.
        """
        (rows,) = await self.ask_all((statement, values))
        return rows

    async def ask_all(self, *questions: Question) -> list[list[Row]]:
        """The rows of each, in one round trip, and one transaction if none is open.

        Raises:
            psycopg.Error: as `ask` does; nothing is done then.
        """
        if self._begin:
            self._begin = False
            return (await self.ask_all(_BEGIN, *questions))[1:]
        try:
            asked = self._send(questions)
            self._results = []
            self._answered = self._loop.create_future()
            await self._answered
            for result in self._results:
                _check(result)
        except BaseException:
            self.close()
            raise
        return [_rows(each) for each, of in zip(self._results, asked, strict=True) if of]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[list[Question]]:
        """What is asked in the block is done at its end, or not at all.

        What the block appends to the list is asked with the end, in its round trip.

        Raises:
            psycopg.Error: it is not done, or that is not known.
        """
        last: list[Question] = []
        self._begin = True
        try:
            yield last
            if last or not self._begin:  # else nothing was asked
                await self.ask_all(*last, _COMMIT)
        except Exception:
            if not self.closed and not self._begin:
                await self.ask("ROLLBACK", {})
            raise
        except BaseException:  # cancelled: the server takes back what it has
            self.close()
            raise
        finally:
            self._begin = False

    def ended(self) -> bool:
        """Whether it is closed, as it is when the server said goodbye a moment ago."""
        if not self.closed:
            word = select.poll()
            word.register(self._socket, select.POLLIN)
            if word.poll(0):  # nothing was asked
                self.close()
        return self.closed

    def close(self) -> None:
        """Close the connection, if it is open; the server ends what it was doing by itself."""
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._libpq.finish()

    def _send(self, questions: Sequence[Question]) -> list[bool]:
        """Send them; of each result that will come, whether it is an answer."""
        asked = []
        for statement, values in questions:
            text, names = _positional(statement)
            if statement not in self._names:
                name = self._names[statement] = f"s{len(self._names)}".encode()
                self._libpq.send_prepare(name, text)
                asked.append(False)
            given = [_written(values[each]) for each in names]
            self._libpq.send_query_prepared(self._names[statement], given)
            asked.append(True)
        self._libpq.pipeline_sync()
        if self._libpq.flush() != 0:  # questions are smaller than any buffer
            msg = "the server does not take what it is sent"
            raise psycopg.OperationalError(msg)
        return asked

    def _readable(self) -> None:
        """Take what came: of an answer, or that the server closed an idle connection."""
        waiting = self._answered if self._answered and not self._answered.done() else None
        try:
            self._libpq.consume_input()
            while waiting and not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is None:  # there is no more of one question
                    continue
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    waiting.set_result(None)
                    return
                self._results.append(result)
        except psycopg.Error as error:
            self.close()
            if waiting:
                waiting.set_exception(error)


class Connections:
    """At most `size` connections for who holds one for a few questions."""

    def __init__(self, url: str, *, size: int, patience_s: float, **parameters: Any) -> None:
        self._open: Callable[[], Any] = lambda: Prepared.open(url, **parameters)
        self._free = asyncio.Semaphore(size)
        self._patience_s = patience_s
        self._idle: list[tuple[float, Prepared]] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Prepared]:
        """One that answered a moment ago.

        Raises:
            psycopg.OperationalError: none can be had, or none was free for `patience_s`.
        """
        await self._wait()
        connection = None
        try:
            connection = await self._living() or await self._open()
            yield connection
        finally:
            self._free.release()
            if connection is not None and not connection.closed:
                self._idle.append((time.monotonic(), connection))

    async def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError as error:
            msg = f"no connection became free within {self._patience_s:g} s"
            raise psycopg.OperationalError(msg) from error

    async def _living(self) -> Prepared | None:
        """The idle one that was used last, if any is left.

        One that the server closed is known to be. It is asked where a network may have forgotten
        it, as a pool's ping does each time.
        """
        while self._idle:
            since, connection = self._idle.pop()
            if connection.ended():
                continue
            if time.monotonic() - since > ASKED_AFTER_S:
                with suppress(psycopg.Error):
                    await connection.ask("SELECT 1", {})
            if not connection.closed:
                return connection
        return None


def _rows(result: pq.abc.PGresult) -> list[Row]:
    columns = range(result.nfields)
    return [
        tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)
    ]


def _check(result: pq.abc.PGresult) -> None:
    """Raise what PostgreSQL refused."""
    if result.status == pq.ExecStatus.FATAL_ERROR:
        state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
        with suppress(KeyError):
            raise psycopg.errors.lookup(state.decode())(result.get_error_message())
        raise psycopg.DatabaseError(result.get_error_message())


@cache
def _positional(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement as libpq takes it, and which value is its first parameter, its second."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(statement)))
    text = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    return text.encode(), names


def _written(value: Value) -> bytes:
    """The value as PostgreSQL reads it."""
    if isinstance(value, date):
        return value.isoformat().encode()
    if isinstance(value, int | str):
        return str(value).encode()
    return b"{%b}" % ",".join(map(str, value)).encode()

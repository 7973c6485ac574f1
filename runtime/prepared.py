"""Prepared statements on one connection to PostgreSQL, by libpq itself.

For what every search asks. Around a statement psycopg makes a cursor, adapts values and awaits a
generator, which takes three times the CPU of all this (docs/adr/0036); connecting is psycopg's.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Self

import psycopg
from psycopg import pq

Value = int | str | date | Sequence[int]  # a datetime is a date, and must be aware
Row = tuple[Any, ...]  # bytes, and None for NULL
_PARAMETER = re.compile(r"%\((\w+)\)s")


class Prepared:
    """One connection, for one question at a time; what went wrong once is closed."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._libpq = connection.pgconn
        self._connection = connection  # which would close itself when forgotten
        self._names: dict[str, bytes] = {}
        self._result: pq.abc.PGresult | None = None
        self._answered: asyncio.Future[pq.abc.PGresult] | None = None
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
        try:
            text, names = _positional(statement)
            if statement not in self._names:
                name = f"s{len(self._names)}".encode()
                await self._round(lambda: self._libpq.send_prepare(name, text))
                self._names[statement] = name
            given = [_written(values[each]) for each in names]
            name = self._names[statement]
            result = await self._round(lambda: self._libpq.send_query_prepared(name, given))
        except BaseException:
            self.close()
            raise
        columns = range(result.nfields)
        return [
            tuple(result.get_value(row, column) for column in columns)
            for row in range(result.ntuples)
        ]

    def close(self) -> None:
        """Close the connection, if it is open; the server ends what it was doing by itself."""
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._libpq.finish()

    async def _round(self, send: Callable[[], None]) -> pq.abc.PGresult:
        """Send something and wait for its result."""
        self._answered = self._loop.create_future()
        send()
        if self._libpq.flush() != 0:  # a question is smaller than any buffer
            msg = "the server does not take what it is sent"
            raise psycopg.OperationalError(msg)
        result = await self._answered
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise psycopg.DatabaseError(result.get_error_message())
        return result

    def _readable(self) -> None:
        """Take what came: of an answer, or that the server closed an idle connection."""
        waiting = self._answered if self._answered and not self._answered.done() else None
        try:
            self._libpq.consume_input()
            while waiting and not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is None:  # there is no more: the one before it is the answer
                    assert self._result
                    waiting.set_result(self._result)
                    return
                self._result = result
        except psycopg.Error as error:
            self.close()
            if waiting:
                waiting.set_exception(error)


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

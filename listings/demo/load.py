"""Writes the demo marketplace by COPY, a batch of vehicles with all that hangs on it at a time."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime
from queue import SimpleQueue
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from listings.demo.generate import Ids, Marketplace
from listings.demo.people import PEOPLE, people
from listings.demo.rows import AccountRow, Batch
from models import Role

# Two, as the server's checks of foreign keys and of double bookings are most of the work.
_WRITERS = 2
_WITHOUT_IDS = frozenset({"reviews", "bookings"})


class Table(NamedTuple):
    """Rows for a table, each with a value for each column."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


class NotEmptyError(RuntimeError):
    """The database already has vehicles: the demo is never added to them."""


def seed(
    conn: psycopg.Connection[Any],
    *,
    vehicles: int,
    seed: int,
    today: date | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, int]:
    """Fill an empty marketplace; how many rows each table got.

    Each batch is one transaction, so a killed run leaves whole vehicles. `progress` is told how
    many vehicles each batch brought.

    Args:
        conn: an autocommitting connection.
        vehicles: how many, at least 1; everything else is in proportion.
        seed: the same seed and day give the same rows.
        today: the day that ages, reviews and bookings are relative to; by default the current one.
        progress: called after each commit.

    Raises:
        NotEmptyError: there are vehicles already.
    """
    today = today or datetime.now(UTC).date()
    marketplace = Marketplace(vehicles=vehicles, seed=seed, today=today)
    counts: Counter[str] = Counter()
    with conn.transaction():
        # The first batch commits with its accounts: of two runs at once the second waits here,
        # then finds vehicles.
        ids = _open(conn, marketplace, counts)
        batches = marketplace.batches(ids)
        done = _write(conn, _numbered(conn, next(batches), counts))
    progress(done)
    with ExitStack() as stack:
        writers = SimpleQueue[psycopg.Connection[Any]]()
        for _ in range(_WRITERS):
            writers.put(stack.enter_context(_another(conn)))
        pool = stack.enter_context(ThreadPoolExecutor(_WRITERS))
        writing: deque[Future[int]] = deque()
        for batch in batches:
            if len(writing) > _WRITERS:
                progress(writing.popleft().result())
            writing.append(pool.submit(_commit, writers, _numbered(conn, batch, counts)))
        for written in writing:
            progress(written.result())
    for table in ("accounts", *Batch._fields):
        conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return dict(counts)


def _open(conn: psycopg.Connection[Any], marketplace: Marketplace, counts: Counter[str]) -> Ids:
    """Keep other writers out until the commit, take ids and write the accounts."""
    conn.execute("LOCK TABLE accounts, vehicles IN SHARE ROW EXCLUSIVE MODE")
    if conn.execute("SELECT EXISTS (SELECT FROM vehicles)").fetchone() == (True,):
        raise NotEmptyError(
            "there are vehicles already, and the demo is never added to them: "
            "seed an empty database, or pass --if-empty to leave this one as it is"
        )
    for person in PEOPLE:
        conn.execute(
            "INSERT INTO accounts (display_name, role, source_key, created_at) "
            "VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (source_key) DO NOTHING",
            [person.display_name, person.role, person.source_key, marketplace.opened_at],
        )
    known = people(conn)
    ids = Ids(
        renter=known[Role.RENTER],
        host=known[Role.HOST],
        # Under the lock nobody else draws, so they follow each other.
        first_account=_draw_ids(conn, "accounts", max(1, marketplace.account_count))[0],
        first_vehicle=_draw_ids(conn, "vehicles", marketplace.vehicles)[0],
    )
    accounts = marketplace.accounts(ids)
    _copy(conn, "accounts", Table(AccountRow._fields, accounts))
    counts["accounts"] = len(PEOPLE) + len(accounts)
    return ids


def _numbered(
    conn: psycopg.Connection[Any], batch: Batch, counts: Counter[str]
) -> dict[str, Table]:
    """The tables of a batch, ids drawn for rows that have none.

    In the order of the batches: left to the COPY, ids would depend on which writer is faster.
    """
    tables = {}
    for name in Batch._fields:
        rows: Sequence[NamedTuple] = getattr(batch, name)
        counts[name] += len(rows)
        if not rows:
            continue
        tables[name] = Table(rows[0]._fields, rows)
        if name in _WITHOUT_IDS:
            ids = _draw_ids(conn, name, len(rows))
            tables[name] = Table(
                ("id", *rows[0]._fields),
                [(number, *row) for number, row in zip(ids, rows, strict=True)],
            )
    return tables


def _draw_ids(conn: psycopg.Connection[Any], table: str, count: int) -> list[int]:
    """`count` ids that the table's identity will not give to anybody else, ascending."""
    row = conn.execute(
        "SELECT array_agg(nextval(seq)) "
        "FROM pg_get_serial_sequence(%s, 'id') AS seq, generate_series(1, %s)",
        [table, count],
    ).fetchone()
    assert row is not None
    return list(row[0])


def _another(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    return psycopg.connect(conn.info.dsn, password=conn.info.password, autocommit=True)


def _commit(writers: SimpleQueue[psycopg.Connection[Any]], tables: dict[str, Table]) -> int:
    conn = writers.get()
    try:
        with conn.transaction():
            return _write(conn, tables)
    finally:
        writers.put(conn)


def _write(conn: psycopg.Connection[Any], tables: dict[str, Table]) -> int:
    """Write a batch in its order, parents first; how many vehicles."""
    for name, table in tables.items():
        _copy(conn, name, table)
    return len(tables["vehicles"].rows)


def _copy(conn: psycopg.Connection[Any], name: str, table: Table) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in table.rows:
            copy.write_row(row)

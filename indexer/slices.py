"""Filling a build: slices of the ids, filled by any number of threads and processes at once.

A slice is a row, leased to one filler and moved on with every page that the index took. So whoever
is killed loses a page at most: the lease ends, and another filler goes on from the last page.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from indexer import bulk, search_table
from indexer.documents import Connection, Document, next_version, read_page
from indexer.drain import backoff
from indexer.letters import bury
from search.postgres.columns import TABLE

PAGE = 1_000  # documents read and sent at once: about 1.5 MB
SLICES = 16
TRIES = 8  # of a page that the server could not take, over about half a minute
LEASE_S = 20  # renewed with every page; a page that takes longer is done twice, which is harmless

_FREE = f"""
    (s.leased_until IS NULL
     OR s.leased_until < clock_timestamp()
     OR s.leased_until > clock_timestamp() + interval '{2 * LEASE_S} seconds')
"""
# "=", not IN: that one may be planned as a join, which asks for a free slice once per slice and so
# leases them all, and nobody fills those that this filler does not.
_LEASE = f"""
    UPDATE index_build_slices
    SET leased_until = clock_timestamp() + interval '{LEASE_S} seconds'
    WHERE (build_id, number) = (
        SELECT s.build_id, s.number
        FROM index_build_slices AS s JOIN index_builds AS b ON b.id = s.build_id
        WHERE s.build_id = %s AND b.state = 'building' AND s.done_to < s.last_id AND {_FREE}
        ORDER BY s.number LIMIT 1
        FOR UPDATE OF s SKIP LOCKED
    )
    RETURNING number, done_to, last_id
"""  # noqa: S608 - constants only
_MOVE = f"""
    UPDATE index_build_slices
    SET done_to = %s, sent = sent + %s,
        leased_until = clock_timestamp() + interval '{LEASE_S} seconds'
    WHERE build_id = %s AND number = %s AND done_to = %s
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Slice:
    """A leased part of a build: ids above `done_to`, up to `last_id`."""

    number: int
    done_to: int
    last_id: int


class Throttle:
    """At most so many vehicles a second over all threads that share it; None: no limit."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._lock = threading.Lock()
        self._free_at = 0.0
        # So that a wait is about a second at most.
        self.page = PAGE if per_second is None else max(1, min(PAGE, int(per_second)))

    def wait(self, vehicles: int) -> None:
        """Wait for the turn of so many vehicles."""
        if self._per_second is None:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._free_at)
            self._free_at = turn + vehicles / self._per_second
        time.sleep(turn - now)


def plan(connection: Connection, build_id: int) -> None:
    """Cut the ids into slices of about as many vehicles, unless that is done.

    After the build's row is committed: what is listed later is fed to it by the drain.
    """
    connection.execute(
        """
        INSERT INTO index_build_slices (build_id, number, done_to, last_id, expected)
        SELECT %s, number, coalesce(lag(last_id) OVER (ORDER BY number), 0), last_id, expected
        FROM (
            SELECT number, max(id) AS last_id, count(*) AS expected
            FROM (
                SELECT id, ntile(%s) OVER (ORDER BY id) AS number
                FROM vehicles WHERE status = 'listed'
            ) AS numbered GROUP BY number
        ) AS slices
        ON CONFLICT DO NOTHING
        """,
        [build_id, SLICES],
    )


def progress(connection: Connection, build_id: int) -> tuple[int, int, bool]:
    """Documents sent so far, those expected, and whether all slices are done."""
    row: Any = connection.execute(
        "SELECT coalesce(sum(sent), 0), coalesce(sum(expected), 0),"
        " coalesce(bool_and(done_to >= last_id), true)"
        " FROM index_build_slices WHERE build_id = %s",
        [build_id],
    ).fetchone()
    return int(row[0]), int(row[1]), bool(row[2])


def fill(
    connection: Connection,
    client: Elasticsearch,
    build_id: int,
    index: str,
    *,
    throttle: Throttle,
    stop: Callable[[], bool],
) -> None:
    """Take slice after slice until none is free or `stop()`.

    Raises:
        BuildStoppedError, OverloadedError: the index did not take a page.
    """
    while not stop():
        row = connection.execute(_LEASE, [build_id]).fetchone()
        if row is None:
            return
        _fill_slice(connection, client, build_id, index, Slice(*row), throttle, stop)


def _fill_slice(
    connection: Connection,
    client: Elasticsearch,
    build_id: int,
    index: str,
    part: Slice,
    throttle: Throttle,
    stop: Callable[[], bool],
) -> None:
    done_to = part.done_to
    while done_to < part.last_id and not stop():
        throttle.wait(throttle.page)
        # Each page with a version taken before it was read, in a snapshot of its own: one held over
        # the whole slice would keep dead rows of the dirty log alive and slow every claim down.
        version = next_version(connection)
        documents = read_page(connection, done_to, throttle.page, part.last_id)
        if documents:
            # The search table is mended by the same reading.
            bury(connection, TABLE, search_table.mend(connection, documents, version), version)
            bury(connection, index, _send(client, index, documents, version), version)
        whole = len(documents) == throttle.page
        moved_to = documents[-1].vehicle_id if whole else part.last_id
        moved = connection.execute(
            _MOVE, [moved_to, len(documents), build_id, part.number, done_to]
        )
        if not moved.rowcount:  # this page took longer than the lease: another filler is at it
            return
        done_to = moved_to
    connection.execute(
        "UPDATE index_build_slices SET leased_until = NULL WHERE build_id = %s AND number = %s"
        " AND done_to = %s",
        [build_id, part.number, done_to],
    )


def _send(
    client: Elasticsearch, index: str, documents: list[Document], version: int
) -> list[bulk.Refused]:
    refused: list[bulk.Refused] = []
    for attempt in range(1, TRIES + 1):
        try:
            outcome = bulk.send(client, index, documents, version)
        except bulk.OverloadedError:
            if attempt == TRIES:
                raise
        else:
            refused += outcome.refused
            if not outcome.later:
                break
            if attempt == TRIES:
                raise bulk.OverloadedError(outcome.reason)
            documents = outcome.later
        time.sleep(backoff(attempt))
    return refused

"""The drain: dirty rows become documents in every live build, in an order that loses nothing.

A batch: lease rows and commit; take a version; read the documents in a new snapshot; read the list
of live builds; write the search table, then all of them; refresh what searches read; only then
delete the rows. Taking the version after reading, or the builds before, leaves wrong documents
behind. A row that is gone is therefore searchable or in the dead letters; a retry starts over with
a new version. Without Elasticsearch the table alone is fed.
"""

import random
import time
from dataclasses import dataclass

import structlog
from elasticsearch import ApiError, Elasticsearch, TransportError

from indexer import builds, bulk, lag, restored, search_table
from indexer.documents import Connection, Document, next_version, read
from indexer.letters import bury, settle
from models import BuildState
from search.postgres.columns import TABLE

log = structlog.get_logger(__name__)

BATCH = 500  # dirty rows to begin with; halved for each time that the oldest was put back
# Rows that a batch comes to when batches are slow, or quick and full. Not fewer: on a busy machine
# batches of 60 did 130 rows a second, of 500 did 490, since a refresh costs the same for both.
LEAST, MOST = 250, 2_000
SLOW_S, QUICK_S = 3.0, 1.0  # the lease is 10 s, and a batch is lag for whoever comes next
LEASE_S = 10  # also the longest that a batch may wait for Elasticsearch, so that leases hold
POLL_S = 0.1
LONGEST_RUN_S = 50.0  # then the next hint takes over: one task never holds a worker for ever

# The database's clock alone decides; a lease that ends impossibly late was written under a clock
# that has since been set back, and counts as expired.
_FREE = f"""
    (leased_until IS NULL
     OR leased_until < clock_timestamp()
     OR leased_until > clock_timestamp() + interval '{2 * LEASE_S} seconds')
"""


def _leasing(which: str, *, attempts: int) -> str:
    # An array, not IN: that one may be planned as a join, which picks anew for each row of the log.
    return f"""
        UPDATE search_dirty
        SET leased_until = clock_timestamp() + interval '{LEASE_S} seconds',
            attempts = attempts + {attempts}
        WHERE id = ANY (ARRAY(
            SELECT id FROM search_dirty WHERE {which}
            ORDER BY id
            LIMIT (
                SELECT %s >> least(attempts, 3) FROM search_dirty WHERE {which}
                ORDER BY id LIMIT 1
            )
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING id, vehicle_id, attempts
    """  # noqa: S608 - constants only


_LEASE = _leasing(_FREE, attempts=1)
# No index is tried: the rows are still taken by whole batches once it is back.
_LEASE_UNTRIED = _leasing("leased_until IS NULL", attempts=0)


@dataclass(frozen=True, slots=True)
class Batch:
    """Leased rows, each with the vehicle that it speaks of; `attempts` of the most tried one."""

    rows: dict[int, int]
    attempts: int

    @property
    def vehicles(self) -> list[int]:
        """The vehicles, each once."""
        return sorted(set(self.rows.values()))


def drain(
    connection: Connection, client: Elasticsearch | None, *, longest: float = LONGEST_RUN_S
) -> int:
    """Work until nothing is dirty, for `longest` seconds at most; the number of rows done.

    Whatever cannot be written now ends the run: its rows come back after their backoff. What
    nobody has tried yet still reaches the search table, which answers meanwhile; not so where the
    database was restored: each version given brings it nearer to the index's, and once past them
    nothing would tell of what the index misses.
    """
    done, size = 0, BATCH
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        batch = lease(connection, size)
        if not batch.rows:
            return done
        began = time.monotonic()
        # Checked once a run: a database is not put back under an open connection.
        finished = _work(connection, client, batch, deadline, check=done == 0)
        size = paced(size, len(batch.rows), time.monotonic() - began)
        done += finished
        if finished < len(batch.rows):
            return done
        if finished < BATCH // 8:
            time.sleep(POLL_S)
    return done


def paced(size: int, rows: int, seconds: float) -> int:
    """The size of the next batch, after one of `rows` rows that took so long."""
    if seconds > SLOW_S:
        return max(LEAST, size // 2)
    if seconds < QUICK_S and rows >= size:
        return min(MOST, size * 2)
    return size


def lease(connection: Connection, size: int = BATCH, *, untried: bool = False) -> Batch:
    """The oldest rows that nobody is at work on, or if `untried` ever was; committed at once."""
    rows = connection.execute(_LEASE_UNTRIED if untried else _LEASE, [size]).fetchall()
    return Batch(
        rows={row[0]: row[1] for row in rows},
        attempts=max((row[2] for row in rows), default=0),
    )


def _work(
    connection: Connection,
    client: Elasticsearch | None,
    batch: Batch,
    deadline: float,
    *,
    check: bool,
) -> int:
    """Index a batch; the number of its rows that are done, the others wait for their backoff."""
    restored_since = fed = False
    try:
        if check and client is not None and (serving := builds.serving(connection)):
            _check(connection, client, serving)
        fed = True  # the table comes first: what fails from here on fails behind it
        later = index(connection, client, batch.vehicles)
    except bulk.BuildStoppedError as error:
        log.exception("the serving index takes nothing: somebody must act", error=str(error))
        later = set(batch.vehicles)
        restored_since = isinstance(error, restored.IndexAheadError)
    except (bulk.OverloadedError, ApiError, TransportError) as error:
        log.warning("batch put back", error=str(error), rows=len(batch.rows))
        later = set(batch.vehicles)
    put_back = [row for row, vehicle in batch.rows.items() if vehicle in later]
    if put_back:
        _put_back(connection, put_back, backoff(batch.attempts), fed=fed)
        if not restored_since:
            _feed_table(connection, deadline)
    finished = batch.rows.keys() - put_back
    lag.done(connection, finished)
    return len(finished)


def _put_back(connection: Connection, rows: list[int], seconds: float, *, fed: bool) -> None:
    connection.execute(
        "UPDATE search_dirty SET leased_until = clock_timestamp() + make_interval(secs => %s),"
        " fed = fed OR %s WHERE id = ANY(%s)",
        [seconds, fed, rows],
    )


def _feed_table(connection: Connection, deadline: float) -> None:
    """Write what nobody has tried yet to the search table alone; the rows stay, and are due.

    Each batch takes the oldest rows. While an index takes nothing they are the same few again and
    again: what was written after them would not reach the table before the index is back.
    """
    while time.monotonic() < deadline:
        batch = lease(connection, untried=True)
        if not batch.rows:
            return
        version = next_version(connection)
        _write_table(connection, read(connection, batch.vehicles), version)
        _put_back(connection, list(batch.rows), 0, fed=True)


def _write_table(connection: Connection, documents: list[Document], version: int) -> None:
    bury(connection, TABLE, search_table.write(connection, documents, version), version)


def _check(connection: Connection, client: Elasticsearch, serving: builds.Build) -> None:
    try:
        restored.check(connection, client, serving.index_name)
    except restored.IndexAheadError as error:
        builds.failing(connection, serving, str(error))
        raise
    except (ApiError, TransportError):
        # It does not answer: the search table is fed all the same, and the next run looks again.
        log.warning("versions not compared", index=serving.index_name)


def backoff(attempts: int) -> float:
    """Seconds, doubling from 1 up to the lease's length, with jitter so that workers spread."""
    longest: float = min(0.5 * 2 ** min(attempts, 10), LEASE_S)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - jitter


def index(connection: Connection, client: Elasticsearch | None, vehicles: list[int]) -> set[int]:
    """Bring the search table and every live build up to date; the vehicles to be tried again.

    A build that does not serve never keeps the serving one from being written and refreshed, and
    no row waits longer than minutes for it.

    Raises:
        BuildStoppedError, OverloadedError: the serving build could not take any of them.
    """
    version = next_version(connection)
    documents = read(connection, vehicles)
    later: set[int] = set()
    live = builds.live(connection)  # the serving one first
    _write_table(connection, documents, version)
    if client is None:
        _leave(connection, live)
        return later
    for build in live:
        try:
            outcome = _send(connection, client, build, documents, version)
        except (bulk.BuildStoppedError, bulk.OverloadedError) as error:
            if build.state == BuildState.SERVING:
                builds.failing(connection, build, str(error))
                raise
            if isinstance(error, bulk.BuildStoppedError) and builds.stop(
                connection, build, str(error)
            ):
                continue
            outcome = bulk.Outcome(later=documents, reason=str(error))
        bury(connection, build.index_name, outcome.refused, version)
        if outcome.later and not builds.failing(connection, build, outcome.reason):
            later |= {document.vehicle_id for document in outcome.later}
            log.warning("put back", index=build.index_name, error=outcome.reason, n=len(later))
        elif build.failing_since and not outcome.later:
            builds.recovered(connection, build)
    builds.refresh(connection, client)
    settle(connection, [vehicle for vehicle in vehicles if vehicle not in later], version)
    return later


def _send(
    connection: Connection,
    client: Elasticsearch,
    build: builds.Build,
    documents: list[Document],
    version: int,
) -> bulk.Outcome:
    try:
        outcome = bulk.send(client, build.index_name, documents, version)
    except bulk.UnknownFieldError:
        if build.state == BuildState.BUILDING:  # made from this code's mapping: it must know them
            raise
        # The view has gone on and this index was made before: it must not stand still until the
        # next one is there (docs/adr/0027).
        builds.accept_unknown_fields(client, build)
        outcome = bulk.send(client, build.index_name, documents, version)
    if outcome.newest > version:
        restored.compare(connection, build.index_name, outcome.newest)
    return outcome


def _leave(connection: Connection, live: list[builds.Build]) -> None:
    """Stop what nobody feeds: once Elasticsearch is configured again, a reindex is due."""
    for build in live:
        log.error("build stopped: no Elasticsearch is configured", index=build.index_name)
        connection.execute(
            "UPDATE index_builds SET state = 'stopped', detail = 'no Elasticsearch was configured'"
            " WHERE id = %s",
            [build.id],
        )

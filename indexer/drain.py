"""The drain: dirty rows become documents in every live build, in an order that loses nothing.

A batch: lease rows and commit; take a version; read the documents in a new snapshot; read the list
of live builds; write to all of them; refresh the serving one; only then delete the rows. Taking the
version after reading, or the builds before, leaves wrong documents behind. A row that is gone is
therefore searchable or in the dead letters; a retry starts over with a new version.
"""

import random
import time
from dataclasses import dataclass

import structlog
from elasticsearch import ApiError, Elasticsearch, TransportError

from indexer import builds, bulk
from indexer.documents import Connection, Document, next_version, read
from models import BuildState

log = structlog.get_logger(__name__)

BATCH = 500  # dirty rows
LEASE_S = 10
POLL_S = 0.1
LONGEST_RUN_S = 50.0  # then the next hint takes over: one task never holds a worker for ever

# The database's clock alone decides; a lease that ends impossibly late was written under a clock
# that has since been set back, and counts as expired.
_LEASE = f"""
    UPDATE search_dirty
    SET leased_until = clock_timestamp() + interval '{LEASE_S} seconds', attempts = attempts + 1
    WHERE id IN (
        SELECT id FROM search_dirty
        WHERE leased_until IS NULL
            OR leased_until < clock_timestamp()
            OR leased_until > clock_timestamp() + interval '{2 * LEASE_S} seconds'
        ORDER BY id LIMIT %s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, vehicle_id, attempts
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Batch:
    """Leased rows and the vehicles that they speak of."""

    rows: list[int]
    vehicles: list[int]
    attempts: int


def drain(connection: Connection, client: Elasticsearch, *, longest: float = LONGEST_RUN_S) -> int:
    """Work until nothing is dirty; the number of rows done.

    A server that cannot take a batch ends the run: its rows come back after their backoff.
    """
    done = 0
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        if not builds.live(connection):
            return done  # nothing to feed yet: the rows wait for the first build
        batch = lease(connection)
        if not batch.rows:
            return done
        if not _work(connection, client, batch):
            return done
        done += len(batch.rows)
        if len(batch.rows) < BATCH:
            time.sleep(POLL_S)
    return done


def lease(connection: Connection, size: int = BATCH) -> Batch:
    """Up to `size` rows, oldest first, that nobody else is at work on; committed at once."""
    rows = connection.execute(_LEASE, [size]).fetchall()
    return Batch(
        rows=[row[0] for row in rows],
        vehicles=sorted({row[1] for row in rows}),
        attempts=max((row[2] for row in rows), default=0),
    )


def _work(connection: Connection, client: Elasticsearch, batch: Batch) -> bool:
    try:
        index(connection, client, batch.vehicles)
    except (bulk.BuildStoppedError, bulk.OverloadedError, ApiError, TransportError) as error:
        wait = _backoff(batch.attempts)
        log.warning("batch put back", error=str(error), rows=len(batch.rows), wait_s=wait)
        connection.execute(
            "UPDATE search_dirty SET leased_until = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = ANY(%s)",
            [wait, batch.rows],
        )
        return False
    connection.execute("DELETE FROM search_dirty WHERE id = ANY(%s)", [batch.rows])
    return True


def _backoff(attempts: int) -> float:
    """Seconds, doubling from 0.5 up to the lease's length, with jitter so that workers spread."""
    longest: float = min(0.5 * 2 ** min(attempts, 10), LEASE_S)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - jitter


def index(connection: Connection, client: Elasticsearch, vehicles: list[int]) -> None:
    """Bring every live build up to date with these vehicles, and make it searchable.

    Raises:
        BuildStoppedError, OverloadedError: the serving build could not take it.
    """
    version = next_version(connection)
    documents = read(connection, vehicles)
    for build in builds.live(connection):
        try:
            refused = bulk.send(client, build.index_name, documents, version)
        except bulk.BuildStoppedError as error:
            if build.state == BuildState.SERVING:
                raise
            builds.stop(connection, build, str(error))
            log.warning("build stopped", index=build.index_name, error=str(error))
            continue
        bury(connection, build.index_name, refused, version)
        if build.state == BuildState.SERVING:
            client.indices.refresh(index=build.index_name)


def bury(
    connection: Connection, index_name: str, refused: list[bulk.Refused], version: int
) -> None:
    """Keep what an index refused, with the reason; show the vehicle to nobody is not our choice."""
    for dead in refused:
        document: Document = dead.document
        connection.execute(
            "INSERT INTO index_dead_letters (index_name, vehicle_id, version, error, document)"
            " VALUES (%s, %s, %s, %s, %s::jsonb)",
            [index_name, document.vehicle_id, version, dead.error, document.source.decode()],
        )
        log.error("dead letter", index=index_name, vehicle_id=document.vehicle_id, error=dead.error)

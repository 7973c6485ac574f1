"""`rides reindex`: a new index beside the old one, filled while both are fed, then swapped in."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from elasticsearch import Elasticsearch

from indexer import builds, bulk, restored, search_table
from indexer.builds import Build
from indexer.documents import Connection, Document, next_version, read_page
from indexer.drain import backoff, bury
from models import BuildState
from search.mapping import INDEX_SETTINGS, MAPPING_HASH
from search.postgres.columns import TABLE

PAGE = 500  # documents read and sent at once: about 1 MB
SENDERS = 2  # bulks under way while the next page is read
TRIES = 8  # of a page that the server could not take, over about half a minute
CHECKS = 5  # of the new index: under writes, one may fall between two counts
_LOCK = 0x72696465  # "ride": one rebuild at a time per database

Progress = Callable[[int, int], None]
"""Called with the documents sent so far and the number that is expected."""


class RebuildError(RuntimeError):
    """The rebuild did not go through; searches still read what they read before."""


def needed(connection: Connection, client: Elasticsearch, alias: str) -> str | None:
    """Why a reindex is due, or None: no index is live, or its mapping is not today's."""
    build = builds.serving(connection)
    if build is None:
        return "no index is live"
    if not client.indices.exists_alias(name=alias, index=build.index_name):
        return f"searches do not read {build.index_name}: the alias {alias} is not on it"
    if build.mapping_hash != MAPPING_HASH:
        return f"{build.index_name} has mapping {build.mapping_hash}, the code {MAPPING_HASH}"
    if restored.newest_version(client, build.index_name) > restored.last_version(connection):
        return f"{build.index_name} is ahead of the database, which was restored"
    return None


def rebuild(
    connection: Connection, client: Elasticsearch, alias: str, on_progress: Progress
) -> Build:
    """Build a new index from all vehicles and let searches read it; the build.

    From its first moment the drain feeds it too, so nothing that is written meanwhile is missed.

    Raises:
        RebuildError: another rebuild is running, the new index took no more documents, or it does
            not hold what the database lists; then nothing was swapped.
    """
    with _alone(connection):
        for leftover in builds.builds(connection, [BuildState.BUILDING]):
            builds.drop(connection, client, leftover, "its rebuild was interrupted")
        previous = builds.serving(connection)
        restored.catch_up(connection, client, builds.known(connection, client, alias))
        build = builds.create(connection, client, alias)
        try:
            sent = _fill(connection, client, build, on_progress)
            client.indices.put_settings(
                index=build.index_name,
                settings={"refresh_interval": INDEX_SETTINGS["refresh_interval"]},
            )
            _verify(connection, client, build)
        except BaseException as error:
            # What is wrong may be the connection itself: then the next rebuild clears up.
            with suppress(psycopg.Error):
                builds.drop(connection, client, build, f"rebuild failed: {error!r}")
            raise
        connection.execute("UPDATE index_builds SET documents = %s WHERE id = %s", [sent, build.id])
        if not builds.swap(connection, client, alias, build):
            msg = (
                f"{build.index_name} stopped taking documents while it was built: "
                "`rides index status` says why"
            )
            raise RebuildError(msg)
        for older in builds.builds(connection, [BuildState.STANDBY, BuildState.STOPPED]):
            if previous is None or older.id != previous.id:
                builds.drop(connection, client, older, f"superseded by {build.index_name}")
    return build


def refill(connection: Connection, on_progress: Progress) -> int:
    """What a rebuild is without Elasticsearch: the search table, written anew; how many vehicles.

    Raises:
        RebuildError: another rebuild is running.
    """
    with _alone(connection):
        return search_table.refill(
            connection,
            on_progress,
            lambda refused, version: bury(connection, TABLE, refused, version),
        )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    row: Any = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
    if not row[0]:
        msg = "another `rides reindex` is running on this database: wait for it or stop it"
        raise RebuildError(msg)
    try:
        yield
    finally:
        if not connection.closed:  # else the lock went with it
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _fill(
    connection: Connection, client: Elasticsearch, build: Build, on_progress: Progress
) -> int:
    """Stream all vehicles by id; pages are read while earlier ones are sent.

    The search table takes first what it lacks of each page: it is mended by the same reading.
    """
    row: Any = connection.execute(
        "SELECT count(*) FROM vehicles WHERE status = 'listed'"
    ).fetchone()
    total, sent = row[0], 0
    on_progress(0, total)
    with ThreadPoolExecutor(SENDERS, "bulk") as pool:
        under_way: set[Future[tuple[int, int, list[bulk.Refused]]]] = set()
        for version, documents in _pages(connection):
            bury(connection, TABLE, search_table.mend(connection, documents, version), version)
            under_way.add(pool.submit(_send, client, build.index_name, documents, version))
            if len(under_way) > SENDERS:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                sent += _collect(connection, build, done)
                on_progress(sent, total)
        sent += _collect(connection, build, under_way)
    search_table.sweep(connection)
    on_progress(sent, max(total, sent))
    return sent


def _pages(connection: Connection) -> Iterator[tuple[int, list[Document]]]:
    """Each page with a version taken before it was read, in a snapshot of its own.

    One snapshot held over the whole stream would keep dead rows of the dirty log alive and slow
    every claim down.
    """
    last = 0
    while True:
        version = next_version(connection)
        documents = read_page(connection, last, PAGE)
        if not documents:
            return
        yield version, documents
        last = documents[-1].vehicle_id


def _send(
    client: Elasticsearch, index: str, documents: list[Document], version: int
) -> tuple[int, int, list[bulk.Refused]]:
    sent, refused = len(documents), []
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
    return sent, version, refused


def _collect(
    connection: Connection,
    build: Build,
    done: set[Future[tuple[int, int, list[bulk.Refused]]]],
) -> int:
    sent = 0
    for future in done:
        try:
            count, version, refused = future.result()
        except (bulk.BuildStoppedError, bulk.OverloadedError) as error:
            msg = f"{build.index_name} did not take its documents: {error}"
            raise RebuildError(msg) from error
        bury(connection, build.index_name, refused, version)
        sent += count
    return sent


def _verify(connection: Connection, client: Elasticsearch, build: Build) -> None:
    """Refuse a build whose number of visible documents cannot be right.

    What is dirty at this moment may be counted on one side only; everything else must agree, less
    what the index refused.
    """
    for _ in range(CHECKS):
        client.indices.refresh(index=build.index_name)
        visible = builds.count_visible(client, build)
        row: Any = connection.execute(
            """
            SELECT (SELECT count(*) FROM vehicles WHERE status = 'listed'),
                   (SELECT count(DISTINCT vehicle_id) FROM search_dirty),
                   (SELECT count(DISTINCT vehicle_id) FROM index_dead_letters WHERE index_name = %s)
            """,
            [build.index_name],
        ).fetchone()
        listed, dirty, dead = row
        if abs(listed - dead - visible) <= dirty:
            return
        time.sleep(0.2)
    msg = (
        f"{build.index_name} shows {visible} vehicles where the database lists {listed} "
        f"({dead} refused, {dirty} changing): not swapped"
    )
    raise RebuildError(msg)

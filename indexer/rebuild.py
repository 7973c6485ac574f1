"""`rides reindex`: a new index beside the old one, both fed; filled, checked, swapped in."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from elasticsearch import Elasticsearch

from indexer import builds, bulk, compare, letters, medians, restored, search_table, slices
from indexer.builds import Build
from indexer.bulk import FEED
from indexer.compare import Finding
from indexer.documents import Connection, next_version, read
from indexer.slices import Throttle
from indexer.stores import Index, Truth
from models import BuildState
from models.session import another
from search.mapping import INDEX_SETTINGS, MAPPING_HASH
from search.postgres.columns import TABLE

FILLERS = 3  # threads: one reads documents while another's are sent, and a third's reach the disk
TICK_S = 0.2  # between two looks at the progress
SUMMON_S = 5  # that a helper works before it is called again
_LOCK = 0x72696465  # "ride": one rebuild at a time per database
_SNAPSHOT = "SELECT pg_current_snapshot()::text"
_FORGET = """
    DELETE FROM search_dirty WHERE id IN (
        SELECT id FROM search_dirty AS dirty
        WHERE pg_visible_in_snapshot(xid, %s::pg_snapshot) AND NOT EXISTS (
            SELECT FROM search_dirty AS leased
            WHERE leased.vehicle_id = dirty.vehicle_id AND leased.leased_until IS NOT NULL
        )
        FOR UPDATE SKIP LOCKED
    )
"""

Progress = Callable[[int, int], None]
"""Called with the documents sent so far and the number that is expected."""


class RebuildError(RuntimeError):
    """The rebuild did not go through; searches still read what they read before."""


class BusyError(RebuildError):
    """Another process is rebuilding, rolling back or pruning on this database."""


class NoStandbyError(RebuildError):
    """There is no earlier build to roll back to."""


class UnfaithfulError(RebuildError):
    """The build does not hold what the database says; `findings` says where."""

    def __init__(self, index: str, findings: list[Finding], changing: int) -> None:
        self.index, self.findings, self.changing = index, findings, changing
        kinds = [finding.kind for finding in findings]
        counts = [f"{kinds.count(kind)} {kind}" for kind in compare.Kind if kind in kinds]
        counts += [f"{changing} could not be checked"] if changing else []
        first = ", ".join(str(finding.vehicle_id) for finding in findings[:10])
        super().__init__(
            f"{index} does not hold what the database says: {', '.join(counts)}"
            + (f" (vehicles {first}{', …' if len(findings) > 10 else ''})" if first else "")  # noqa: PLR2004 - as many as are named
        )


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
    connection: Connection,
    client: Elasticsearch,
    alias: str,
    on_progress: Progress,
    *,
    on_check: compare.Progress = lambda _checked: None,
    max_rate: float | None = None,
    summon: Callable[[Build], None] | None = None,
) -> Build:
    """Build a new index from all vehicles and let searches read it; the build.

    From its first moment the drain feeds it too, so nothing that is written meanwhile is missed.
    What was interrupted goes on from the last page that the index took. `max_rate` is in vehicles a
    second. `summon` is called every `SUMMON_S` seconds while there is something to fill, to ask
    others for help.

    Raises:
        RebuildError: another rebuild is running, the new index took no more documents, or it does
            not hold what the database lists (`UnfaithfulError`); then nothing was swapped. What
            speaks against the new index removes it; after anything else it can be gone on with.
    """
    with alone(connection):
        medians.recompute(connection)
        previous = builds.serving(connection)
        restored.catch_up(connection, client, builds.known(connection, client, alias))
        build = _resumed(connection, client)
        first, snapshot = not builds.live(connection), _snapshot(connection)
        build = build or builds.create(connection, client, alias)
        slices.plan(connection, build.id)
        try:
            sent = _fill(connection, client, build, on_progress, Throttle(max_rate), summon)
            client.indices.put_settings(
                index=build.index_name,
                settings={"refresh_interval": INDEX_SETTINGS["refresh_interval"]},
            )
            verify(connection, client, build, on_check)
        except (bulk.BuildStoppedError, UnfaithfulError) as error:
            builds.drop(connection, client, build, f"rebuild failed: {error}")
            raise _as_rebuild_error(build, error) from error
        except bulk.OverloadedError as error:
            raise _as_rebuild_error(build, error) from error
        connection.execute("UPDATE index_builds SET documents = %s WHERE id = %s", [sent, build.id])
        _swap(connection, client, alias, build)
        if first:
            _forget_dirty(connection, snapshot)
        builds.forget_slices(connection, build)
        for older in builds.builds(connection, builds.REMOVABLE):
            if previous is None or older.id != previous.id:
                builds.drop(connection, client, older, f"superseded by {build.index_name}")
    return build


def _as_rebuild_error(build: Build, error: Exception) -> RebuildError:
    if isinstance(error, RebuildError):
        return error
    hint = (
        ""
        if isinstance(error, bulk.BuildStoppedError)
        else ". `rides reindex` goes on from here, `rides index prune` gives it up"
    )
    return RebuildError(f"{build.index_name} did not take its documents: {error}{hint}")


def _swap(connection: Connection, client: Elasticsearch, alias: str, build: Build) -> None:
    if not builds.swap(connection, client, alias, build):
        msg = (
            f"{build.index_name} stopped taking documents meanwhile: `rides index status` says why"
        )
        raise RebuildError(msg)


def interrupted(connection: Connection, client: Elasticsearch) -> Build | None:
    """The build of the code's mapping that can be gone on with after an interruption."""
    for build in builds.builds(connection, [BuildState.BUILDING]):
        name = build.index_name
        if build.mapping_hash == MAPPING_HASH and client.indices.exists_alias(
            index=name, name=name + FEED
        ):
            return build
    return None


def _resumed(connection: Connection, client: Elasticsearch) -> Build | None:
    build = interrupted(connection, client)
    for other in builds.builds(connection, [BuildState.BUILDING]):
        if build is None or other.id != build.id:
            builds.drop(connection, client, other, "its rebuild was interrupted")
    if build is not None:
        # Whoever held them went with the lock that this process has now.
        connection.execute(
            "UPDATE index_build_slices SET leased_until = NULL WHERE build_id = %s", [build.id]
        )
    return build


def rollback(
    connection: Connection,
    client: Elasticsearch,
    alias: str,
    on_check: compare.Progress = lambda _checked: None,
) -> Build:
    """Let searches read the previous build again, which was fed all the time; the build.

    Raises:
        RebuildError: no build is on standby (`NoStandbyError`), or it does not hold what the
            database says (`UnfaithfulError`); then nothing was swapped.
    """
    with alone(connection):
        standby = builds.builds(connection, [BuildState.STANDBY])
        if not standby:
            msg = "no build is on standby: only the one before the last `rides reindex` is kept fed"
            raise NoStandbyError(msg)
        target = max(standby, key=lambda build: (build.swapped_at is not None, build.swapped_at))
        verify(connection, client, target, on_check)
        _swap(connection, client, alias, target)
    return target


def prune(connection: Connection, client: Elasticsearch, *, standby: bool) -> list[Build]:
    """Remove builds that nobody needs: failed and abandoned ones, with `standby` also that one.

    Raises:
        BusyError: a rebuild is running.
    """
    with alone(connection):
        states = [BuildState.BUILDING, BuildState.STOPPED, BuildState.STALE]
        removed = builds.builds(connection, [*states, BuildState.STANDBY] if standby else states)
        for build in removed:
            builds.drop(connection, client, build, build.detail or "pruned")
    return removed


def refill(connection: Connection, on_progress: Progress) -> int:
    """What a rebuild is without Elasticsearch: the search table, written anew; how many vehicles.

    Raises:
        RebuildError: another rebuild is running.
    """
    with alone(connection):
        medians.recompute(connection)
        snapshot = _snapshot(connection)
        sent = search_table.refill(
            connection,
            on_progress,
            lambda refused, version: letters.bury(connection, TABLE, refused, version),
        )
        if not builds.live(connection):
            _forget_dirty(connection, snapshot)
    return sent


def _snapshot(connection: Connection) -> str:
    """Which transactions can be read from now on."""
    row: Any = connection.execute(_SNAPSHOT).fetchone()
    return str(row[0])


def _forget_dirty(connection: Connection, snapshot: str) -> None:
    """Take what the snapshot shows as dirty for done: all that is fed was made of it since.

    Without this the drain would do all of a first import again, while searches are said to be as
    old as that. Vehicles that it is at work on, or was, are left to it with all their rows: it may
    still write what it read before, where the search table held what is true already and so was
    not written. Only a later row mends that.
    """
    if connection.execute(_FORGET, [snapshot]).rowcount:
        connection.execute("VACUUM search_dirty")  # searches look for its first row


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Hold the lock of rebuilds, while the connection lasts.

    Raises:
        BusyError: somebody else does.
    """
    row: Any = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
    if not row[0]:
        msg = "another `rides reindex` is running on this database: wait for it or stop it"
        raise BusyError(msg)
    try:
        yield
    finally:
        if not connection.closed:  # else the lock went with it
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _fill(
    connection: Connection,
    client: Elasticsearch,
    build: Build,
    on_progress: Progress,
    throttle: Throttle,
    summon: Callable[[Build], None] | None,
) -> int:
    """Fill every slice, here and by whoever is summoned; the number of documents sent."""
    stop = threading.Event()

    def fill() -> None:
        with another(connection) as own:
            slices.fill(
                own, client, build.id, build.index_name, throttle=throttle, stop=stop.is_set
            )

    sent, expected, done = slices.progress(connection, build.id)
    on_progress(sent, expected)
    ticks = 0
    with ThreadPoolExecutor(FILLERS, "fill") as pool:
        try:
            while not done:
                under_way = {pool.submit(fill) for _ in range(FILLERS)}
                while under_way:
                    if summon and ticks % round(SUMMON_S / TICK_S) == 0:
                        summon(build)
                    ticks += 1
                    finished, under_way = wait(under_way, timeout=TICK_S)
                    for each in finished:
                        each.result()
                    sent, expected, done = slices.progress(connection, build.id)
                    on_progress(sent, max(expected, sent))
                if builds.state(connection, build) != BuildState.BUILDING:
                    break  # the drain stopped it: the swap will say so
                if not done:
                    time.sleep(TICK_S)  # what is left is leased to others
        finally:
            stop.set()
    search_table.sweep(connection)
    return sent


def verify(
    connection: Connection,
    client: Elasticsearch,
    build: Build,
    on_check: compare.Progress = lambda _checked: None,
) -> None:
    """Hold every vehicle of a build against the truth, both ways, by id and content hash.

    What the index has refused is in the dead letters, and not held against it. What is dirty is
    written to this build at once: it must not depend on whether the others take it.

    Raises:
        UnfaithfulError: not one difference may remain.
    """
    name, truth = build.index_name, Truth()
    store = Index(client, name)
    client.indices.refresh(index=name)
    on_check(0)
    suspects = compare.every(connection, truth, [store], on_check).by_store[name]
    suspects -= letters.refused_by(connection, name, suspects)

    def feed(vehicles: list[int]) -> None:
        for start in range(0, len(vehicles), slices.PAGE):
            version = next_version(connection)
            documents = read(connection, vehicles[start : start + slices.PAGE])
            outcome = bulk.send(client, name, documents, version)
            letters.bury(connection, name, outcome.refused, version)

    findings, changing = compare.settle(connection, truth, store, suspects, feed=feed)
    refused = letters.refused_by(connection, name, suspects)
    findings = [finding for finding in findings if finding.vehicle_id not in refused]
    changing -= refused
    if findings or changing:
        raise UnfaithfulError(name, findings, len(changing))

"""What an operator wants to know at a glance: builds, queue, lag, and what somebody must act on."""

from dataclasses import asdict, dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from indexer import builds, lag, restored
from indexer.builds import Build
from indexer.documents import Connection
from models import LIVE_STATES, BuildState
from search.mapping import MAPPING_HASH

RECENT_MIN = 5  # minutes that the lag is shown for
OLD_MS = 60_000  # age of the index that somebody must look at
KINDS = ("missing", "stale", "extra", "differing")
_ALL = [*LIVE_STATES, BuildState.STOPPED, BuildState.STALE]


@dataclass(frozen=True, slots=True)
class Facts:
    """What PostgreSQL alone knows of the index; ages in milliseconds."""

    builds: list[Build]
    dirty_rows: int
    retrying_rows: int  # of them, tried before
    index_age_ms: int
    dead_letters: int
    lag: lag.Lag  # of all changes ever
    audits: list[dict[str, Any]]  # the newest whole audit of each store

    def alarms(self) -> list[str]:
        """What is wrong, each with its fix."""
        return [*self._of_builds(), *self._of_queue(), *self._of_audits()]

    def _of_builds(self) -> list[str]:
        alarms = []
        for build in self.builds:
            if build.state in {BuildState.STOPPED, BuildState.STALE}:
                alarms.append(
                    f"{build.index_name} is {build.state} and not fed any more: "
                    "`rides index prune` removes it."
                )
            elif build.failing_since:
                alarms.append(
                    f"{build.index_name} ({build.state}) has taken nothing since "
                    f"{build.failing_since:%H:%M:%S} UTC: {build.detail}."
                )
            elif build.state == BuildState.SERVING and build.mapping_hash != MAPPING_HASH:
                alarms.append("The code has another mapping: run `rides reindex`.")
        return alarms

    def _of_queue(self) -> list[str]:
        if self.index_age_ms < OLD_MS:
            return []
        waited = f"The oldest change has waited {self.index_age_ms // 1000} s"
        return [f"{waited}: is a worker running? (`celery -A indexer.tasks worker -B`)"]

    def _of_audits(self) -> list[str]:
        alarms = []
        for audit in self.audits:
            found = sum(audit[kind] for kind in KINDS)
            if found and not audit["repaired"]:
                alarms.append(
                    f"The last audit found {found} differences in {audit['store']}: "
                    "run `rides audit --repair`."
                )
        return alarms


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the index; ages in milliseconds, lags in seconds.

    `alarms` say what is wrong and name the fix.
    """

    alias: str
    builds: list[dict[str, Any]]
    mapping_current: bool
    dirty_rows: int
    retrying_rows: int
    index_age_ms: int
    lag: dict[str, Any]
    dead_letters: int
    table_rows: int  # vehicles that PostgreSQL finds by itself
    audits: list[dict[str, Any]]
    alarms: list[str]


def facts(connection: Connection) -> Facts:
    """What is known without asking Elasticsearch."""
    row: Any = connection.execute(
        """
        SELECT (SELECT count(*) FROM search_dirty),
               (SELECT count(*) FROM search_dirty WHERE attempts > 1),
               (SELECT greatest(extract(EPOCH FROM clock_timestamp() - at) * 1000, 0)::bigint
                FROM search_dirty ORDER BY id LIMIT 1),
               (SELECT count(*) FROM index_dead_letters)
        """
    ).fetchone()
    return Facts(
        builds=builds.builds(connection, _ALL),
        dirty_rows=row[0],
        retrying_rows=row[1],
        index_age_ms=row[2] or 0,
        dead_letters=row[3],
        lag=lag.measured(connection),
        audits=_audits(connection),
    )


def read(connection: Connection, client: Elasticsearch | None, alias: str) -> Status:
    """The state now; what Elasticsearch cannot say of a build is None."""
    known = facts(connection)
    current = builds.serving(connection)
    alarms = known.alarms()
    if client is not None and current is not None and not current.failing_since:
        try:
            restored.check(connection, client, current.index_name)
        except restored.IndexAheadError as error:
            alarms.append(f"{error}.")
        except ApiError as error:
            alarms.append(f"{current.index_name} cannot be read: {error}: run `rides reindex`.")
    row: Any = connection.execute(
        "SELECT count(*) FROM vehicle_search_view WHERE NOT hidden"
    ).fetchone()
    return Status(
        alias=alias,
        builds=[asdict(build) | _sizes(client, build) for build in known.builds],
        mapping_current=bool(current and current.mapping_hash == MAPPING_HASH),
        dirty_rows=known.dirty_rows,
        retrying_rows=known.retrying_rows,
        index_age_ms=known.index_age_ms,
        lag=lag.percentiles(lag.measured(connection, RECENT_MIN)),
        dead_letters=known.dead_letters,
        table_rows=row[0],
        audits=known.audits,
        alarms=alarms,
    )


def _sizes(client: Elasticsearch | None, build: Build) -> dict[str, Any]:
    if client is None:
        return {"documents": None, "bytes": None}
    try:
        stats = client.indices.stats(index=build.index_name, metric="store")
        return {
            "documents": builds.count_visible(client, build),
            "bytes": stats["_all"]["primaries"]["store"]["size_in_bytes"],
        }
    except ApiError:  # gone or closed
        return {"documents": None, "bytes": None}


def _audits(connection: Connection) -> list[dict[str, Any]]:
    cursor = connection.execute(
        """
        SELECT DISTINCT ON (store) store, started_at, finished_at, checked, missing, stale, extra,
            differing, pending, repaired
        FROM index_audits
        WHERE NOT partial AND store NOT IN (
            SELECT index_name FROM index_builds WHERE state = 'dropped'
        )
        ORDER BY store, id DESC
        """
    )
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]

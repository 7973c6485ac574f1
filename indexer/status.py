"""What an operator wants to know at a glance: builds, queue, lag, and what somebody must act on."""

from dataclasses import asdict, dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from indexer import builds, lag, restored
from indexer.documents import Connection
from models import LIVE_STATES, BuildState
from search.mapping import MAPPING_HASH

RECENT_MIN = 5  # minutes that the lag is shown for


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the index; ages in milliseconds, lags in seconds.

    `alarms` say what is wrong and name the fix.
    """

    alias: str
    builds: list[dict[str, Any]]
    mapping_current: bool
    dirty_rows: int
    retrying_rows: int  # of them, tried before
    index_age_ms: int
    lag: dict[str, Any]
    dead_letters: int
    table_rows: int  # vehicles that PostgreSQL finds by itself
    audit: list[dict[str, Any]]  # the newest result of each store
    alarms: list[str]


def read(connection: Connection, client: Elasticsearch | None, alias: str) -> Status:
    """The state now; what Elasticsearch cannot say of a build is None."""
    current = builds.serving(connection)
    row: Any = connection.execute(
        """
        SELECT (SELECT count(*) FROM search_dirty),
               (SELECT count(*) FROM search_dirty WHERE attempts > 1),
               (SELECT greatest(extract(EPOCH FROM clock_timestamp() - at) * 1000, 0)::bigint
                FROM search_dirty ORDER BY id LIMIT 1),
               (SELECT count(*) FROM index_dead_letters),
               (SELECT count(*) FROM vehicle_search_view WHERE NOT hidden)
        """
    ).fetchone()
    shown = [
        asdict(build) | _sizes(client, build)
        for build in builds.builds(connection, [*LIVE_STATES, BuildState.STOPPED, BuildState.STALE])
    ]
    audits = audited(connection)
    return Status(
        alias=alias,
        builds=shown,
        mapping_current=bool(current and current.mapping_hash == MAPPING_HASH),
        dirty_rows=row[0],
        retrying_rows=row[1],
        index_age_ms=row[2] or 0,
        lag=lag.percentiles(lag.measured(connection, RECENT_MIN)),
        dead_letters=row[3],
        table_rows=row[4],
        audit=audits,
        alarms=_alarms(connection, client, current, shown, audits),
    )


def _sizes(client: Elasticsearch | None, build: builds.Build) -> dict[str, Any]:
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


def audited(connection: Connection) -> list[dict[str, Any]]:
    """The newest whole audit of each store, without its list of findings."""
    cursor = connection.execute(
        """
        SELECT DISTINCT ON (store) store, started_at, finished_at, checked, missing, stale, extra,
            differing, pending, repaired
        FROM index_audits WHERE NOT partial ORDER BY store, id DESC
        """
    )
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _alarms(
    connection: Connection,
    client: Elasticsearch | None,
    current: builds.Build | None,
    shown: list[dict[str, Any]],
    audits: list[dict[str, Any]],
) -> list[str]:
    alarms = []
    if current and current.mapping_hash != MAPPING_HASH:
        alarms.append("The code has another mapping: run `rides reindex`.")
    if current and client is not None:
        try:
            restored.check(connection, client, current.index_name)
        except restored.IndexAheadError as error:
            alarms.append(f"{error}.")
        except ApiError as error:
            alarms.append(f"{current.index_name} cannot be read: {error}")
    alarms += [
        f"{build['index_name']} is {build['state']} and not fed any more: "
        "`rides index prune` removes it."
        for build in shown
        if build["state"] in {BuildState.STOPPED, BuildState.STALE}
    ]
    for audit in audits:
        found = sum(audit[kind] for kind in ("missing", "stale", "extra", "differing"))
        if found and not audit["repaired"]:
            alarms.append(
                f"The last audit found {found} differences in {audit['store']}: "
                "run `rides audit --repair`."
            )
    return alarms

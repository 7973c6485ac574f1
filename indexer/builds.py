"""Index builds: which indices exist, which are fed, which one serves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import structlog
from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from indexer.bulk import FEED
from indexer.documents import Connection
from models import LIVE_STATES, BuildState
from search.mapping import INDEX_SETTINGS, MAPPING_HASH, MAPPINGS

log = structlog.get_logger(__name__)


PATIENCE_S = 300  # that a build which does not serve may fail before it is given up


@dataclass(frozen=True, slots=True)
class Build:
    """One row of `index_builds`; the index is named ALIAS-<id>."""

    id: int
    index_name: str
    state: str
    mapping_hash: str
    created_at: datetime
    swapped_at: datetime | None
    detail: str | None
    failing_since: datetime | None


_COLUMNS = "id, index_name, state, mapping_hash, created_at, swapped_at, detail, failing_since"
# Of no use once another build serves.
REMOVABLE = (BuildState.STANDBY, BuildState.STOPPED, BuildState.STALE)


def builds(connection: Connection, states: Sequence[str] = tuple(BuildState)) -> list[Build]:
    """The builds in these states, the serving one first, then the newest."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM index_builds WHERE state = ANY(%s)"  # noqa: S608 - constant text
        " ORDER BY state = 'serving' DESC, id DESC",
        [list(states)],
    )
    return [Build(*row) for row in rows]


def live(connection: Connection) -> list[Build]:
    """The builds that every batch must be written to."""
    return builds(connection, LIVE_STATES)


def serving(connection: Connection) -> Build | None:
    """The build that searches read, if there is one."""
    return next(iter(builds(connection, [BuildState.SERVING])), None)


def create(connection: Connection, client: Elasticsearch, alias: str) -> Build:
    """Create the next index from the current mapping; from its row on, every batch feeds it."""
    while True:
        row: Any = connection.execute(
            "SELECT nextval(pg_get_serial_sequence('index_builds', 'id'))"
        ).fetchone()
        name = f"{alias}-{row[0]}"
        # A database that was restored or made anew may count from where an index still stands.
        if not client.indices.exists(index=name):
            break
    client.indices.create(
        index=name,
        settings=INDEX_SETTINGS | {"refresh_interval": "-1"},
        mappings=MAPPINGS,
        aliases={name + FEED: {}},
    )
    connection.execute(
        "INSERT INTO index_builds (id, index_name, mapping_hash) VALUES (%s, %s, %s)",
        [row[0], name, MAPPING_HASH],
    )
    return next(build for build in live(connection) if build.id == row[0])


def swap(connection: Connection, client: Elasticsearch, alias: str, build: Build) -> bool:
    """Let searches read `build`; the previous build stays fed. False: it was stopped meanwhile.

    The row changes first, then what was written before is refreshed, then the alias moves in one
    call. So no search misses a write whose dirty row is gone, and a crash in between leaves the
    alias on an index that is still fed.
    """
    with connection.transaction():
        connection.execute("UPDATE index_builds SET state = 'standby' WHERE state = 'serving'")
        changed = connection.execute(
            "UPDATE index_builds SET state = 'serving', swapped_at = clock_timestamp()"
            " WHERE id = %s AND state IN ('building', 'standby')",
            [build.id],
        )
        if not changed.rowcount:
            raise psycopg.Rollback
    if not changed.rowcount:
        return False
    client.indices.refresh(index=build.index_name)
    actions: list[dict[str, Any]] = [
        {"remove": {"index": name, "alias": alias}}
        for name in _holders(client, alias)
        if name != build.index_name
    ]
    actions.append({"add": {"index": build.index_name, "alias": alias}})
    client.indices.update_aliases(actions=actions)
    return True


def known(connection: Connection, client: Elasticsearch, alias: str) -> set[str]:
    """The indices that are fed or read: by their rows, or by the alias alone."""
    return {build.index_name for build in live(connection)} | set(_holders(client, alias))


def _holders(client: Elasticsearch, alias: str) -> list[str]:
    try:
        return list(client.indices.get_alias(name=alias))
    except NotFoundError:
        return []


def refresh(connection: Connection, client: Elasticsearch) -> None:
    """Make what was written before searchable, in the index that searches read.

    While a swap is under way that is the serving build or still the one that has the alias.
    """
    build = serving(connection)
    if build is None:
        return
    alias = build.index_name.rpartition("-")[0]
    client.indices.refresh(index=[build.index_name, alias], ignore_unavailable=True)


def drop(connection: Connection, client: Elasticsearch, build: Build, detail: str) -> None:
    """Take a build out of feeding, then remove its index: in this order nobody writes to it.

    Where Elasticsearch does not answer, the build stays stopped, and the next rebuild removes it.
    """
    connection.execute(
        "UPDATE index_builds SET state = 'stopped', detail = %s WHERE id = %s", [detail, build.id]
    )
    try:
        client.indices.delete(index=build.index_name, ignore_unavailable=True)
    except (ApiError, TransportError) as error:
        log.warning("index not removed", index=build.index_name, error=str(error))
        return
    connection.execute("UPDATE index_builds SET state = 'dropped' WHERE id = %s", [build.id])
    connection.execute("DELETE FROM index_dead_letters WHERE index_name = %s", [build.index_name])
    forget_slices(connection, build)


def forget_slices(connection: Connection, build: Build) -> None:
    """Nobody has to fill them any more."""
    connection.execute("DELETE FROM index_build_slices WHERE build_id = %s", [build.id])


def state(connection: Connection, build: Build) -> str:
    """The state that a build is in by now."""
    row: Any = connection.execute(
        "SELECT state FROM index_builds WHERE id = %s", [build.id]
    ).fetchone()
    return str(row[0])


def mapping_changes(client: Elasticsearch, build: Build) -> list[str]:
    """What the code's mapping and analysis have that the index has not, and the other way round."""
    if build.mapping_hash == MAPPING_HASH:
        return []
    held = client.indices.get(index=build.index_name)[build.index_name]
    theirs, ours = held["mappings"].get("properties", {}), MAPPINGS["properties"]
    changes = [f"new field {name}" for name in sorted(ours.keys() - theirs.keys())]
    changes += [f"field {name} is gone" for name in sorted(theirs.keys() - ours.keys())]
    changes += [
        f"field {name} changed"
        for name in sorted(ours.keys() & theirs.keys())
        if ours[name] != theirs[name]
    ]
    for part in ("analysis", "similarity"):
        if held["settings"]["index"].get(part) != INDEX_SETTINGS[part]:
            changes.append(f"{part} changed")
    return changes or ["settings changed, or the form of documents"]


def stop(connection: Connection, build: Build, detail: str) -> bool:
    """Stop feeding a build that does not serve; False: by now it serves or is gone."""
    changed = connection.execute(
        "UPDATE index_builds SET state = 'stopped', detail = %s"
        " WHERE id = %s AND state IN ('building', 'standby')",
        [detail, build.id],
    )
    if changed.rowcount:
        log.error("build stopped", index=build.index_name, error=detail)
    return bool(changed.rowcount)


def failing(connection: Connection, build: Build, detail: str) -> bool:
    """Note that a build did not take a batch; True: it is given up, since it has failed too long.

    The serving one never is.
    """
    row: Any = connection.execute(
        f"""
        UPDATE index_builds
        SET failing_since = coalesce(failing_since, clock_timestamp()), detail = %s,
            state = CASE WHEN state <> 'serving'
                AND failing_since < clock_timestamp() - interval '{PATIENCE_S} seconds'
                THEN 'stale' ELSE state END
        WHERE id = %s AND state IN ('building', 'serving', 'standby')
        RETURNING state
        """,  # noqa: S608 - constants only
        [detail, build.id],
    ).fetchone()
    if row and row[0] == BuildState.STALE:
        log.error("build is stale: it is not fed any more", index=build.index_name, error=detail)
        return True
    return False


def recovered(connection: Connection, build: Build) -> None:
    """Note that a build takes batches again."""
    connection.execute(
        "UPDATE index_builds SET failing_since = NULL, detail = NULL WHERE id = %s", [build.id]
    )


def accept_unknown_fields(client: Elasticsearch, build: Build) -> None:
    """Let an index take documents with fields that it does not know, and not search them."""
    log.warning("unknown fields are not searchable: a reindex is due", index=build.index_name)
    client.indices.put_mapping(index=build.index_name, dynamic="false")


def count_visible(client: Elasticsearch, build: Build) -> int:
    """How many vehicles a search can find in a build, as of its last refresh."""
    visible = {"bool": {"must_not": {"term": {"hidden": True}}}}
    return int(client.count(index=build.index_name, query=visible)["count"])

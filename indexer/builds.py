"""Index builds: which indices exist, which are fed, which one serves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from indexer.documents import Connection
from models import LIVE_STATES, BuildState
from search.mapping import INDEX_SETTINGS, MAPPING_HASH, MAPPINGS

# So that a bulk into an index that was removed fails instead of bringing it back, untyped. The
# pattern is that of every alias: builds are named ALIAS-<n>.
_NO_AUTO_CREATE = "action.auto_create_index"


@dataclass(frozen=True, slots=True)
class Build:
    """One row of `index_builds`."""

    id: int
    index_name: str
    state: str
    mapping_hash: str
    created_at: datetime
    swapped_at: datetime | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """What an operator wants to know at a glance; ages in milliseconds."""

    alias: str
    builds: list[dict[str, Any]]
    mapping_current: bool
    dirty_rows: int
    index_age_ms: int
    dead_letters: int


_COLUMNS = "id, index_name, state, mapping_hash, created_at, swapped_at, detail"


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
    client.cluster.put_settings(persistent={_NO_AUTO_CREATE: f"-{alias}-*,-vehicles-*,+*"})
    while True:
        row: Any = connection.execute(
            "SELECT nextval(pg_get_serial_sequence('index_builds', 'id'))"
        ).fetchone()
        name = f"{alias}-{row[0]}"
        # A database that was restored or made anew may count from where an index still stands.
        if not client.indices.exists(index=name):
            break
    client.indices.create(
        index=name, settings=INDEX_SETTINGS | {"refresh_interval": "-1"}, mappings=MAPPINGS
    )
    connection.execute(
        "INSERT INTO index_builds (id, index_name, mapping_hash) VALUES (%s, %s, %s)",
        [row[0], name, MAPPING_HASH],
    )
    return next(build for build in live(connection) if build.id == row[0])


def swap(connection: Connection, client: Elasticsearch, alias: str, build: Build) -> None:
    """Let searches read `build`: the alias moves in one call; the previous build stays fed."""
    try:
        holders = list(client.indices.get_alias(name=alias))
    except NotFoundError:
        holders = []
    actions: list[dict[str, Any]] = [
        {"remove": {"index": name, "alias": alias}} for name in holders if name != build.index_name
    ]
    actions.append({"add": {"index": build.index_name, "alias": alias}})
    client.indices.update_aliases(actions=actions)
    with connection.transaction():
        connection.execute(
            "UPDATE index_builds SET state = 'standby' WHERE state = 'serving' AND id <> %s",
            [build.id],
        )
        connection.execute(
            "UPDATE index_builds SET state = 'serving', swapped_at = now() WHERE id = %s",
            [build.id],
        )


def drop(connection: Connection, client: Elasticsearch, build: Build, detail: str) -> None:
    """Take a build out of feeding, then remove its index: in this order nobody writes to it."""
    connection.execute(
        "UPDATE index_builds SET state = 'dropped', detail = %s WHERE id = %s", [detail, build.id]
    )
    client.indices.delete(index=build.index_name, ignore_unavailable=True)


def stop(connection: Connection, build: Build, detail: str) -> None:
    """Stop feeding a build that does not serve: it must not hold up those that do."""
    connection.execute(
        "UPDATE index_builds SET state = 'stopped', detail = %s"
        " WHERE id = %s AND state <> 'serving'",
        [detail, build.id],
    )


def count_visible(client: Elasticsearch, build: Build) -> int:
    """How many vehicles a search can find in a build, as of its last refresh."""
    visible = {"bool": {"must_not": {"term": {"hidden": True}}}}
    return int(client.count(index=build.index_name, query=visible)["count"])


def status(connection: Connection, client: Elasticsearch, alias: str) -> Status:
    """Builds with their documents and bytes, the queue and its age, the dead letters."""
    shown = []
    for build in builds(connection, [*LIVE_STATES, BuildState.STOPPED]):
        try:
            documents: int | None = count_visible(client, build)
            stats = client.indices.stats(index=build.index_name, metric="store")
            size: int | None = stats["_all"]["primaries"]["store"]["size_in_bytes"]
        except NotFoundError:
            documents, size = None, None
        shown.append(asdict(build) | {"documents": documents, "bytes": size})
    current = serving(connection)
    row: Any = connection.execute(
        """
        SELECT (SELECT count(*) FROM search_dirty),
               (SELECT coalesce(extract(EPOCH FROM clock_timestamp() - at) * 1000, 0)::bigint
                FROM search_dirty ORDER BY id LIMIT 1),
               (SELECT count(*) FROM index_dead_letters)
        """
    ).fetchone()
    return Status(
        alias=alias,
        builds=shown,
        mapping_current=bool(current and current.mapping_hash == MAPPING_HASH),
        dirty_rows=row[0],
        index_age_ms=row[1] or 0,
        dead_letters=row[2],
    )

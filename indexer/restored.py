"""A database that was put back to an earlier state, under an index that remembers a later one.

Versions come from a sequence in PostgreSQL. After a restore (or a failover to a replica that was
behind) it counts from an earlier number again, so the index takes every later write for an old one:
it answers "conflict", which otherwise means that all is well. docs/adr/0025 says why it is noticed
by the index's newest documents and its conflicts.
"""

from collections.abc import Iterable
from typing import Any

import structlog
from elasticsearch import ApiError, Elasticsearch

from indexer import bulk
from indexer.documents import Connection, move_version

log = structlog.get_logger(__name__)

NEWEST = (
    100  # documents looked at: the last written, of which the batches under way are out of order
)
_PAGE = 5_000


class IndexAheadError(bulk.BuildStoppedError):
    """An index holds versions that this database has not given yet; the message names the fix."""


def last_version(connection: Connection) -> int:
    """The highest version that the database has given to a batch."""
    row: Any = connection.execute(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM document_version"
    ).fetchone()
    return int(row[0])


def newest_version(client: Elasticsearch, index: str) -> int:
    """The highest version among the documents that the index wrote last, as of its last refresh."""
    return max(_versions(client, index, sort=[{"_seq_no": "desc"}], size=NEWEST), default=0)


def check(connection: Connection, client: Elasticsearch, index: str) -> None:
    """Look whether the index is ahead of the database; one request.

    Raises:
        IndexAheadError: it is.
    """
    # The index first: what it holds by then was given a version before.
    compare(connection, index, newest_version(client, index))


def compare(connection: Connection, index: str, version: int) -> None:
    """Hold a version that the index has against those that the database has given.

    Raises:
        IndexAheadError: the database has not given it.
    """
    last = last_version(connection)
    if version > last:
        msg = (
            f"{index} holds version {version} and the database has only given {last}: it was "
            "restored from a backup, or a replica that was behind took over (or somebody wrote to "
            "the index by hand). Nothing is indexed until `rides reindex` has made a new index "
            "from what the database says now"
        )
        raise IndexAheadError(msg)


def catch_up(connection: Connection, client: Elasticsearch, indices: Iterable[str]) -> int | None:
    """Move the sequence past every version that these indices hold; None: it is past them.

    Returns the sequence's new value.
    """
    highest = 0
    for index in indices:
        try:
            client.indices.refresh(index=index)
            if newest_version(client, index) > last_version(connection):
                highest = max(highest, _highest_version(client, index))
        except ApiError as error:  # gone or closed: nothing is written to it either
            log.warning("versions not read", index=index, error=str(error))
    if highest <= last_version(connection):
        return None
    move_version(connection, highest)
    log.warning("the index was ahead of the database: versions go on from there", version=highest)
    return highest


def _highest_version(client: Elasticsearch, index: str) -> int:
    """The highest version of all documents: `_version` can be read but not aggregated."""
    highest, after = 0, 0
    while True:
        hits = _hits(
            client,
            index,
            sort=[{"id": "asc"}],
            size=_PAGE,
            query={"range": {"id": {"gt": after}}},
        )
        if not hits:
            return highest
        highest = max(highest, *(hit["_version"] for hit in hits))
        after = hits[-1]["sort"][0]


def _versions(client: Elasticsearch, index: str, **body: Any) -> list[int]:
    return [hit["_version"] for hit in _hits(client, index, **body)]


def _hits(client: Elasticsearch, index: str, **body: Any) -> list[Any]:
    answer = client.search(
        index=index,
        source=False,
        stored_fields="_none_",
        version=True,
        track_total_hits=False,
        **body,
    )
    hits: list[Any] = answer["hits"]["hits"]
    return hits

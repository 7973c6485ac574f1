"""The table from which PostgreSQL answers searches, fed like one more index build, and first.

It is there with or without Elasticsearch, and cannot be away when the dirty log is not.
"""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from indexer.bulk import Refused
from indexer.documents import Connection, Document, next_version, read, read_page
from search.mapping import MAPPING_HASH
from search.postgres import columns

PAGE = 500  # documents written at once
_FEED = columns.feed()
# Unlike `vehicles`, these were not met while all vehicles were read: they may be gone.
_LEFT = f"SELECT id FROM {columns.TABLE} WHERE NOT hidden AND version < %s ORDER BY id"  # noqa: S608


def write(connection: Connection, documents: Sequence[Document], version: int) -> list[Refused]:
    """Write the documents, all with this version; those come back that the table cannot hold."""
    try:
        connection.execute(
            _FEED,
            {
                "ids": [document.vehicle_id for document in documents],
                "documents": [document.source.decode() for document in documents],
                "version": version,
                "hash": MAPPING_HASH,
            },
        )
    except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
        if len(documents) == 1:
            return [Refused(documents[0], str(error))]
        half = len(documents) // 2
        return [
            *write(connection, documents[:half], version),
            *write(connection, documents[half:], version),
        ]
    return []


def refill(
    connection: Connection,
    on_progress: Callable[[int, int], None],
    bury: Callable[[list[Refused], int], None],
) -> int:
    """Write all vehicles anew; how many. Searches go on meanwhile, and so does the drain."""
    row: Any = connection.execute(
        "SELECT count(*) FROM vehicles WHERE status = 'listed'"
    ).fetchone()
    first = version = next_version(connection)
    last = sent = 0
    on_progress(0, row[0])
    while documents := read_page(connection, last, PAGE):
        bury(write(connection, documents, version), version)
        last = documents[-1].vehicle_id
        sent += len(documents)
        on_progress(sent, max(row[0], sent))
        version = next_version(connection)
    sweep(connection, first)
    return sent


def sweep(connection: Connection, first: int) -> None:
    """Look again at what no batch from version `first` on has written: hide what is gone."""
    left = [row[0] for row in connection.execute(_LEFT, [first]).fetchall()]
    for start in range(0, len(left), PAGE):
        version = next_version(connection)
        write(connection, read(connection, left[start : start + PAGE]), version)


def needed(connection: Connection) -> str | None:
    """Why the table must be filled, or None: it lacks vehicles or was written by other code."""
    row: Any = connection.execute(
        f"""
        SELECT count(*) FROM vehicles AS v
        LEFT JOIN {columns.TABLE} AS t ON t.id = v.id AND t.mapping_hash = %s
        WHERE v.status = 'listed' AND t.id IS NULL
        """,  # noqa: S608 - constants only
        [MAPPING_HASH],
    ).fetchone()
    return f"{row[0]} vehicles are not searchable, or not by this code" if row[0] else None

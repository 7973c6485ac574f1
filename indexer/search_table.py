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
_LEARN, _FEED = columns.learn(), columns.feed()
# Searches read `hidden` of the narrow table, the documents' table has one as well: a row that only
# one of them hides is neither held nor gone.
_SAME = f"""
    SELECT id, content_hash FROM {columns.ROWS}
    WHERE id = ANY(%s) AND {columns.OURS}
        AND NOT {columns.DOCUMENTS}.hidden AND NOT narrow.hidden
"""  # noqa: S608 - constants only
_LEFT = f"""
    SELECT id FROM {columns.ROWS} LEFT JOIN vehicles AS v USING (id)
    WHERE NOT ({columns.DOCUMENTS}.hidden AND narrow.hidden) AND v.status IS DISTINCT FROM 'listed'
    ORDER BY id
"""  # noqa: S608 - constants only


def write(connection: Connection, documents: Sequence[Document], version: int) -> list[Refused]:
    """Write the documents, all with this version; those come back that the table cannot hold."""
    given = (b"[%b]" % b",".join(document.source for document in documents)).decode()
    try:
        connection.execute(_LEARN, {"documents": given})
        connection.execute(_FEED, {"documents": given, "version": version, "hash": MAPPING_HASH})
    except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
        if len(documents) == 1:
            return [Refused(documents[0], str(error))]
        half = len(documents) // 2
        return [
            *write(connection, documents[:half], version),
            *write(connection, documents[half:], version),
        ]
    return []


def mend(connection: Connection, documents: Sequence[Document], version: int) -> list[Refused]:
    """Write those of the documents that the table does not hold yet: often none of them.

    Making the words of all 100,000 would take longer than the index does.
    """
    ids = [document.vehicle_id for document in documents]
    held: dict[int, str] = dict(connection.execute(_SAME, [ids, MAPPING_HASH]).fetchall())
    changed = [each for each in documents if held.get(each.vehicle_id) != each.content_hash]
    return write(connection, changed, version) if changed else []


def refill(
    connection: Connection,
    on_progress: Callable[[int, int], None],
    bury: Callable[[list[Refused], int], None],
) -> int:
    """Compare all vehicles and write what differs; how many there are. Searches go on meanwhile."""
    row: Any = connection.execute(
        "SELECT count(*) FROM vehicles WHERE status = 'listed'"
    ).fetchone()
    last = sent = 0
    on_progress(0, row[0])
    version = next_version(connection)
    while documents := read_page(connection, last, PAGE):
        bury(mend(connection, documents, version), version)
        last = documents[-1].vehicle_id
        sent += len(documents)
        on_progress(sent, max(row[0], sent))
        version = next_version(connection)
    sweep(connection)
    return sent


def sweep(connection: Connection) -> None:
    """Hide what is no longer listed and yet was left: nothing else would look at it again."""
    left = [row[0] for row in connection.execute(_LEFT).fetchall()]
    for start in range(0, len(left), PAGE):
        version = next_version(connection)
        write(connection, read(connection, left[start : start + PAGE]), version)


def needed(connection: Connection) -> str | None:
    """Why the table must be filled, or None: it lacks vehicles or was written by other code."""
    row: Any = connection.execute(
        f"""
        SELECT count(*) FROM vehicles AS v
        LEFT JOIN {columns.DOCUMENTS} ON {columns.DOCUMENTS}.id = v.id AND {columns.OURS}
        WHERE v.status = 'listed' AND {columns.DOCUMENTS}.id IS NULL
        """,  # noqa: S608 - constants only
        [MAPPING_HASH],
    ).fetchone()
    return f"{row[0]} vehicles are not searchable, or not by this code" if row[0] else None

"""Documents as PostgreSQL states them, ready to be sent without being parsed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg.rows import TupleRow

from search.mapping import FORM

Connection = psycopg.Connection[TupleRow]

# Text and hash come from the very statement that reads the document, so they cannot differ;
# OFFSET 0 keeps the planner from building the document twice.
TEXT = f"{FORM}(d)::text"
_READ = f"""
    SELECT id, document, md5(document)
    FROM (
        SELECT d.id, {TEXT} AS document FROM vehicle_documents AS d
        WHERE {{condition}} OFFSET 0
    ) AS documents
"""  # noqa: S608 - constants only
_BY_ID = _READ.format(condition="d.id = ANY(%s)")
_PAGE = _READ.format(condition="d.id > %s AND d.id <= %s ORDER BY d.id LIMIT %s")
HIGHEST_ID = 2**63 - 1
# After a crash, on a replica and in a backup a sequence is up to 32 ahead of what `nextval` has
# given, and as many lost batches would go unnoticed; what `setval` sets is exact (docs/adr/0028).
# The lock ("vers") keeps others out between the two, or a version would be given twice.
_NEXT = """
    WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock(x'76657273'::int))
    SELECT setval('document_version', nextval('document_version')) FROM alone
"""
_MOVE = """
    WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock(x'76657273'::int))
    SELECT setval('document_version', greatest(%s, (SELECT last_value FROM document_version)))
    FROM alone
"""


@dataclass(frozen=True, slots=True)
class Document:
    """One vehicle as it is to be indexed; `source` is JSON with its content hash inside."""

    vehicle_id: int
    source: bytes
    content_hash: str | None = None

    @classmethod
    def of(cls, vehicle_id: int, text: str, content_hash: str) -> "Document":
        """The document that the view states as `text`."""
        source = f'{text[:-1]}, "content_hash": "{content_hash}"}}'.encode()
        return cls(vehicle_id, source, content_hash)

    @classmethod
    def hidden(cls, vehicle_id: int) -> "Document":
        """What stands in for a vehicle that must not be found."""
        return cls(vehicle_id, orjson.dumps({"id": vehicle_id, "hidden": True}))


def read(connection: Connection, ids: Sequence[int]) -> list[Document]:
    """The documents of `ids` in a snapshot of their own; hidden ones for those not in the view."""
    found = {row[0]: Document.of(*row) for row in connection.execute(_BY_ID, [list(ids)])}
    return [found.get(vehicle_id) or Document.hidden(vehicle_id) for vehicle_id in ids]


def read_page(
    connection: Connection, after: int, size: int, last: int = HIGHEST_ID
) -> list[Document]:
    """Up to `size` documents of the vehicles that can be found, by id, after `after` to `last`."""
    return [Document.of(*row) for row in connection.execute(_PAGE, [after, last, size])]


def operations(documents: Iterable[Document], version: int) -> bytes:
    """A bulk body: external versions, so that a late write never overwrites a newer one."""
    return b"".join(
        b'{"index":{"_id":"%d","version":%d,"version_type":"external"}}\n%b\n'
        % (document.vehicle_id, version, document.source)
        for document in documents
    )


def next_version(connection: Connection) -> int:
    """A version later than that of every batch that took one before."""
    row: Any = connection.execute(_NEXT).fetchone()
    return int(row[0])


def move_version(connection: Connection, past: int) -> None:
    """Have the next version be higher than `past`, and than every one before."""
    connection.execute(_MOVE, [past])

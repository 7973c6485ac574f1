"""Dead letters: documents that an index refused for what they are; kept, shown, tried again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from indexer.bulk import Refused
from indexer.documents import Connection

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """The last refusal of a vehicle by an index; `document` is what was refused."""

    id: int
    index_name: str
    vehicle_id: int
    version: int
    at: datetime
    error: str
    document: dict[str, Any] | None = None


def bury(connection: Connection, index_name: str, refused: list[Refused], version: int) -> None:
    """Keep what an index refused, with the reason; what the index held before stays in it."""
    for dead in refused:
        vehicle = dead.document.vehicle_id
        connection.execute(
            """
            INSERT INTO index_dead_letters AS old (index_name, vehicle_id, version, error, document)
            VALUES (%s, %s, %s, %s, %s::jsonb)
            ON CONFLICT (index_name, vehicle_id) DO UPDATE
            SET version = excluded.version, error = excluded.error,
                document = excluded.document, at = now()
            WHERE old.version < excluded.version
            """,
            [index_name, vehicle, version, dead.error, dead.document.source.decode()],
        )
        log.error("dead letter", index=index_name, vehicle_id=vehicle, error=dead.error)


def settle(connection: Connection, vehicles: Sequence[int], version: int) -> None:
    """Forget earlier refusals of vehicles that every store has taken by now, or has refused anew.

    A newer refusal has this version or a later one, so it stays.
    """
    connection.execute(
        "DELETE FROM index_dead_letters WHERE vehicle_id = ANY(%s) AND version < %s",
        [list(vehicles), version],
    )


def refused_by(connection: Connection, index_name: str, vehicles: Iterable[int]) -> set[int]:
    """Those of the vehicles that an index has refused."""
    rows = connection.execute(
        "SELECT vehicle_id FROM index_dead_letters WHERE index_name = %s AND vehicle_id = ANY(%s)",
        [index_name, list(vehicles)],
    )
    return {row[0] for row in rows}


def listed(connection: Connection, limit: int) -> list[Letter]:
    """The newest letters, without their documents."""
    rows = connection.execute(
        "SELECT id, index_name, vehicle_id, version, at, error FROM index_dead_letters"
        " ORDER BY at DESC, id DESC LIMIT %s",
        [limit],
    )
    return [Letter(*row) for row in rows]


def count(connection: Connection, index_name: str | None = None) -> int:
    """How many letters there are, of one index or of all."""
    row: Any = connection.execute(
        "SELECT count(*) FROM index_dead_letters"
        " WHERE %(name)s::text IS NULL OR index_name = %(name)s",
        {"name": index_name},
    ).fetchone()
    return int(row[0])


def letter(connection: Connection, letter_id: int) -> Letter | None:
    """One letter with its document."""
    row: Any = connection.execute(
        "SELECT id, index_name, vehicle_id, version, at, error, document"
        " FROM index_dead_letters WHERE id = %s",
        [letter_id],
    ).fetchone()
    return Letter(*row) if row else None


def replay(connection: Connection, letter_ids: Sequence[int] | None) -> int:
    """Have the vehicles of these letters (None: of all) indexed again; how many vehicles.

    The letters stay until the index has taken them: a refusal cannot get lost in between. What is
    indexed is what the database says by then, never the document in the letter.
    """
    return connection.execute(
        "INSERT INTO search_dirty (vehicle_id) SELECT DISTINCT vehicle_id FROM index_dead_letters"
        " WHERE %(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s)",
        {"ids": None if letter_ids is None else list(letter_ids)},
    ).rowcount


def drop(connection: Connection, letter_ids: Sequence[int] | None) -> int:
    """Forget these letters (None: all); how many there were."""
    return connection.execute(
        "DELETE FROM index_dead_letters WHERE %(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s)",
        {"ids": None if letter_ids is None else list(letter_ids)},
    ).rowcount

"""`rides audit`: every vehicle of every store held against the database, both ways, and mended.

By id and content, never by version alone: a version says nothing of what went past the triggers.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from elasticsearch import ApiError, Elasticsearch

from indexer import builds, compare, letters
from indexer.compare import Finding, Kind
from indexer.documents import Connection, next_version
from indexer.stores import Index, Store, Table, Truth
from models import BuildState

log = structlog.get_logger(__name__)

KEPT_FINDINGS = 100  # in the database; the command shows all
KEPT = "90 days"
_LOCK = 0x61756469  # "audi": one audit at a time per database


class AuditError(RuntimeError):
    """The audit did not take place; the message says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """One store, compared; `pending` were changing all the time, `refused` are in dead letters."""

    store: str
    started_at: datetime
    checked: int
    findings: list[Finding]
    pending: int
    refused: int
    repaired: bool
    partial: bool

    def count(self, kind: Kind) -> int:
        """How many findings are of this kind."""
        return Counter(finding.kind for finding in self.findings)[kind]


def audit(
    connection: Connection,
    client: Elasticsearch | None,
    *,
    repair: bool = False,
    sample: int | None = None,
    deep: bool = False,
    patience: float = compare.PATIENCE_S,
    on_progress: compare.Progress = lambda _checked: None,
) -> list[Result]:
    """Compare the search table and every fed index with the database; a result for each.

    `sample` vehicles at random instead of all; `deep` compares parsed documents instead of hashes.
    What is wrong is marked dirty by `repair`, so that the drain writes it anew everywhere. What is
    dirty already gets `patience` seconds to become right.

    Raises:
        AuditError: another audit is running, or an index cannot be read.
    """
    with _alone(connection):
        row: Any = connection.execute("SELECT clock_timestamp()").fetchone()
        truth, stores = Truth(deep), _stores(connection, client, deep=deep)
        try:
            suspects = (
                compare.every(connection, truth, stores, on_progress)
                if sample is None
                else compare.some(connection, truth, stores, _sampled(connection, sample))
            )
            results = [
                _settled(connection, truth, store, suspects, row[0], patience, repair, sample)
                for store in stores
            ]
        except ApiError as error:
            msg = f"an index cannot be read: {error}: `rides index status` shows which"
            raise AuditError(msg) from error
        if repair:
            mark_dirty(connection, [each for result in results for each in result.findings])
        for result in results:
            _keep(connection, result)
    return results


def mark_dirty(connection: Connection, findings: Sequence[Finding]) -> None:
    """Have the drain write these vehicles anew, to every store."""
    # Past the version that a delete or update by hand gave the document: one more than it had.
    next_version(connection)
    connection.execute(
        "INSERT INTO search_dirty (vehicle_id) SELECT unnest(%s::bigint[])",
        [sorted({finding.vehicle_id for finding in findings})],
    )


def _stores(
    connection: Connection, client: Elasticsearch | None, *, deep: bool
) -> list[Table | Index]:
    stores: list[Table | Index] = [Table(deep)]
    if client is None:
        return stores
    for build in builds.builds(connection, [BuildState.SERVING, BuildState.STANDBY]):
        try:
            client.indices.refresh(index=build.index_name)
        except ApiError as error:
            msg = f"{build.index_name} cannot be read: {error}: `rides index status` says more"
            raise AuditError(msg) from error
        stores.append(Index(client, build.index_name, deep))
    return stores


def _sampled(connection: Connection, sample: int) -> list[int]:
    """Vehicles at random, also such as must not be found."""
    rows = connection.execute("SELECT id FROM vehicles ORDER BY random() LIMIT %s", [sample])
    return [row[0] for row in rows]


def _settled(
    connection: Connection,
    truth: Truth,
    store: Store,
    suspects: compare.Suspects,
    started_at: datetime,
    patience: float,
    repair: bool,
    sample: int | None,
) -> Result:
    mine = suspects.by_store[store.name]
    refused = letters.refused_by(connection, store.name, mine)
    findings, pending = compare.settle(connection, truth, store, mine - refused, patience=patience)
    for finding in findings[:KEPT_FINDINGS]:
        log.error("audit", **asdict(finding))
    return Result(
        store=store.name,
        started_at=started_at,
        checked=suspects.checked,
        findings=findings,
        pending=len(pending),
        refused=len(refused),
        repaired=repair and bool(findings),
        partial=sample is not None,
    )


def _keep(connection: Connection, result: Result) -> None:
    findings = [asdict(finding) for finding in result.findings[:KEPT_FINDINGS]]
    connection.execute(
        """
        INSERT INTO index_audits (store, started_at, finished_at, checked, missing, stale, extra,
            differing, pending, repaired, partial, findings)
        VALUES (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)
        """,
        [
            result.store,
            result.started_at,
            result.checked,
            *(result.count(kind) for kind in Kind),
            result.pending,
            result.repaired,
            result.partial,
            orjson.dumps(findings).decode(),
        ],
    )
    connection.execute(f"DELETE FROM index_audits WHERE finished_at < now() - interval '{KEPT}'")  # noqa: S608 - constant


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    row: Any = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
    if not row[0]:
        msg = "another `rides audit` is running on this database"
        raise AuditError(msg)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])

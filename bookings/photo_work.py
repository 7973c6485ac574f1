"""What the photo worker does: look at uploads, publish them, remove what is not needed any more.

The rows of `photo_uploads` are the state; a message only hints that there may be work. Each step
can be done again: keys come from the content, and a photo is published by the statement that takes
its row out of `uploaded`. Whoever dies in the middle leaves a lease that runs out.
"""

import time
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
import structlog
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from bookings import pictures
from bookings.photos import folder, raw_key
from bookings.pictures import RefusedPictureError, Variant
from runtime.cdn import Cdn
from runtime.object_store import (
    NoSuchObjectError,
    ObjectStore,
    StoreUnavailableError,
    TooLargeError,
)

log = structlog.get_logger(__name__)

# More than one photo takes, its retries with the store included: two never work on the same one.
LEASE_S = 120
RETRY_S = 30  # after the store did not answer
# A picture that ended the process so often would end it again.
MOST_ATTEMPTS = 5
# An hour is longer than an address to upload to is good for.
PENDING_FOR, REFUSED_FOR = "1 hour", "7 days"
IMMUTABLE = "public, max-age=31536000, immutable"

_CLAIM = f"""
    UPDATE photo_uploads
    SET leased_until = now() + make_interval(secs => {LEASE_S}), attempts = attempts + 1
    WHERE id = (
        SELECT id FROM photo_uploads
        WHERE (leased_until IS NULL OR leased_until < now()) AND (
            state IN ('uploaded', 'published', 'removed')
            OR (state = 'pending' AND changed_at < now() - interval '{PENDING_FOR}')
            OR (state = 'refused' AND changed_at < now() - interval '{REFUSED_FOR}')
        )
        ORDER BY attempts, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, vehicle_id, state, content_type, bytes, attempts
"""  # noqa: S608 - constants only

Connection = psycopg.Connection[TupleRow]


class Claimed(NamedTuple):
    """A row that is ours until its lease runs out."""

    id: int
    vehicle_id: int
    state: str
    content_type: str
    bytes: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Worker:
    """The connection is autocommitting; each statement here stands for itself unless said."""

    connection: Connection
    store: ObjectStore
    cdn: Cdn

    def work(self, longest_s: float) -> int:
        """Do what there is to do, and begin nothing after `longest_s`; how many rows.

        Whatever else is raised has been counted as an attempt, and the row waits for its lease.
        """
        until = time.monotonic() + longest_s
        done = 0
        while time.monotonic() < until and (claimed := self._claim()) is not None:
            try:
                self._do(claimed)
            except (StoreUnavailableError, OSError) as error:
                log.warning("photo put back", photo=claimed.id, error=str(error))
                self._put_back(claimed)
            done += 1
        return done

    def _claim(self) -> Claimed | None:
        with self.connection.cursor(row_factory=class_row(Claimed)) as cursor:
            return cursor.execute(_CLAIM).fetchone()

    def _do(self, claimed: Claimed) -> None:
        match claimed.state:
            case "uploaded":
                self._look_at(claimed)
            case "pending":
                self._expire(claimed)
            case "removed":
                self._remove(claimed)
            case _:  # published, or refused long ago: only the upload itself is left
                self._forget(claimed)

    def _look_at(self, claimed: Claimed) -> None:
        if claimed.attempts > MOST_ATTEMPTS:
            self._refuse(claimed, "The file cannot be processed: try it in another format.")
            return
        try:
            found = pictures.variants(self._content(claimed), claimed.content_type)
        except RefusedPictureError as error:
            self._refuse(claimed, str(error))
            return
        for variant in found:
            self.store.write(
                key(claimed.id, variant), variant.content, pictures.STORED_TYPE, IMMUTABLE
            )
        if self._publish(claimed, found):
            self._forget(claimed)

    def _content(self, claimed: Claimed) -> bytes:
        try:
            content = self.store.read(raw_key(claimed.id), claimed.bytes)
        except NoSuchObjectError as error:
            raise RefusedPictureError("Nothing had been uploaded: start again.") from error
        except TooLargeError as error:
            raise RefusedPictureError("The file is larger than was said.") from error
        if len(content) != claimed.bytes:
            raise RefusedPictureError("The file is smaller than was said: it was cut off.")
        return content

    def _publish(self, claimed: Claimed, found: list[Variant]) -> bool:
        """Show it as the vehicle's last photo; False if it was taken away meanwhile."""
        stored = [
            {"key": key(claimed.id, each), "width": each.width, "height": each.height}
            for each in found
        ]
        with self.connection.transaction():
            # Positions are given out one at a time.
            self.connection.execute(
                "SELECT FROM vehicles WHERE id = %s FOR NO KEY UPDATE", [claimed.vehicle_id]
            )
            mine = self.connection.execute(
                "UPDATE photo_uploads SET state = 'published', changed_at = now()"
                " WHERE id = %s AND state = 'uploaded'",
                [claimed.id],
            )
            if mine.rowcount:
                self.connection.execute(
                    "INSERT INTO photos (id, vehicle_id, position, url, variants)"
                    " SELECT %s, %s, coalesce(max(position) + 1, 0), %s, %s"
                    " FROM photos WHERE vehicle_id = %s",
                    [
                        claimed.id,
                        claimed.vehicle_id,
                        key(claimed.id, pictures.card(found)),
                        Jsonb(stored),
                        claimed.vehicle_id,
                    ],
                )
        return bool(mine.rowcount)

    def _refuse(self, claimed: Claimed, reason: str) -> None:
        log.info("photo refused", photo=claimed.id, reason=reason)
        self.connection.execute(
            "UPDATE photo_uploads SET state = 'refused', reason = %s, changed_at = now()"
            " WHERE id = %s AND state = 'uploaded'",
            [reason, claimed.id],
        )
        self.store.delete([raw_key(claimed.id)])

    def _expire(self, claimed: Claimed) -> None:
        """Nobody said that it was uploaded: look, instead of losing it."""
        if self.store.size(raw_key(claimed.id)) is None:
            self._drop_row(claimed)
            return
        self.connection.execute(
            "UPDATE photo_uploads SET state = 'uploaded', leased_until = NULL, attempts = 0"
            " WHERE id = %s AND state = 'pending'",
            [claimed.id],
        )

    def _remove(self, claimed: Claimed) -> None:
        """The objects first: a CDN would fetch again what it forgot too early."""
        self.store.delete([*self.store.keys(folder(claimed.id)), raw_key(claimed.id)])
        self.cdn.invalidate([f"/{folder(claimed.id)}*"])
        self._drop_row(claimed)

    def _forget(self, claimed: Claimed) -> None:
        self.store.delete([raw_key(claimed.id)])
        state = "published" if claimed.state == "uploaded" else claimed.state
        self._drop_row(claimed._replace(state=state))

    def _drop_row(self, claimed: Claimed) -> None:
        self.connection.execute(
            "DELETE FROM photo_uploads WHERE id = %s AND state = %s", [claimed.id, claimed.state]
        )

    def _put_back(self, claimed: Claimed) -> None:
        # Not the picture's fault: the attempt does not count.
        self.connection.execute(
            "UPDATE photo_uploads SET attempts = attempts - 1,"
            " leased_until = now() + make_interval(secs => %s) WHERE id = %s",
            [RETRY_S, claimed.id],
        )


def key(photo_id: int, variant: Variant) -> str:
    """Where a variant is stored."""
    return folder(photo_id) + variant.name

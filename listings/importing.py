"""`rides import`: files in, vehicles and reviews out, and a finding for all that was not right."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import Connection

from listings import formats
from listings.catalogue import Catalogue
from listings.listing import CatalogueEntry, ImportedReview, Listing
from listings.reading import LINE, Record, Source, UnreadableError
from listings.report import Action, Note, Report
from listings.reviews import Vehicles
from listings.row import RejectedRowError, Row
from listings.store import Seen, Stored, store_listings, store_reviews

BATCH = 1000
T = TypeVar("T")
Match = tuple[ImportedReview, int]


@dataclass(slots=True)
class Result:
    """What became of one file.

    `rows == inserted + changed + unchanged + rejected` for listings and reviews, and each rejected
    row has one finding. A catalogue instead counts the vehicles that got a value in `filled`, by
    field. `error` is why the file, or the rest of it, could not be read.
    """

    file: str
    format: str = ""
    rows: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    filled: dict[str, int] = field(default_factory=dict)
    error: str | None = None


Progress = Callable[[Path, int], None]


def import_files(
    conn: Connection[Any],
    paths: Sequence[Path],
    report: Report,
    *,
    dry_run: bool = False,
    on_progress: Progress = lambda _path, _bytes: None,
) -> list[Result]:
    """Import files of any known format; listings first, then catalogues, then reviews.

    Rows are committed in batches, so an import that is broken off can simply be run again. A dry
    run does all of it, and takes it back in the end.

    Args:
        conn: an autocommitting connection.
        paths: the files, each imported once.
        report: gets every finding.
        dry_run: change nothing.
        on_progress: called with a file and how many of its bytes on disk have been read.

    Returns:
        One result per file, in the order in which they were read; first those that could not be.
    """
    results, known = [], []
    for path in dict.fromkeys(paths):
        try:
            known.append((path, formats.detect(path)))
        except (UnreadableError, OSError) as error:
            results.append(Result(str(path), error=str(error)))
    known.sort(key=lambda item: formats.STAGES.index(type(item[1].kind)))
    with conn.transaction(force_rollback=True) if dry_run else nullcontext():
        for path, format_ in known:
            results.append(_import_file(conn, path, format_, report, on_progress))
    return results


def _import_file(
    conn: Connection[Any], path: Path, format_: formats.Format, report: Report, progress: Progress
) -> Result:
    result = Result(str(path), format_.name)
    note = report.notes_on(str(path))
    with Source(path, note) as source:
        run = _Run(conn, note, result, lambda: progress(path, source.position))
        records = source.json_records() if format_.json else source.csv_records()
        try:
            match format_.kind:
                case formats.Listings(parse):
                    run.listings(_parsed(records, parse, note))
                case formats.Catalogue(parse_entry):
                    run.catalogue(_parsed(records, parse_entry, note))
                case formats.Reviews(parse_review):
                    run.reviews(_parsed(records, parse_review, note))
        except OSError as error:
            result.error = f"reading stopped: {error}"
        result.rows = source.rows
    result.rejected = report.count(str(path), Action.REJECTED)
    return result


def _parsed(records: Iterable[Record], parse: Callable[[Row], T], note: Note) -> Iterator[T]:
    """What `parse` makes of each record; a finding for those that it rejects."""
    for record in records:
        row = Row(record, note)
        try:
            parsed = parse(row)
        except RejectedRowError as rejected:
            row.note(Action.REJECTED, rejected.field, rejected.value, rejected.reason)
        else:
            yield parsed


def _batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch


@dataclass(frozen=True, slots=True)
class _Run:
    """One file on its way into the database."""

    conn: Connection[Any]
    note: Note
    result: Result
    progress: Callable[[], None]

    def listings(self, listings: Iterable[Listing]) -> None:
        seen = Seen(self.conn)
        for batch in _batches(listings):
            self._store(self._firsts(seen, batch), store_listings, lambda listing: listing.line)
            self.progress()

    def reviews(self, reviews: Iterable[ImportedReview]) -> None:
        vehicles = Vehicles(self.conn)
        seen = Seen(self.conn)
        for batch in _batches(reviews):
            matched = list(self._matched(vehicles, self._firsts(seen, batch)))
            self._store(matched, store_reviews, lambda match: match[0].line)
            self.progress()

    def catalogue(self, entries: Iterable[CatalogueEntry]) -> None:
        catalogue = Catalogue(self.conn)
        for batch in _batches(entries):
            for entry in batch:
                catalogue.add(entry)
            self.progress()
        self.result.filled = catalogue.fill()

    def _firsts(self, seen: Seen, batch: list[Any]) -> list[Any]:
        """Those of a batch whose key has not been in the file before; the first one wins."""
        firsts = seen.first_of([item.source_key for item in batch])
        for item, first in zip(batch, firsts, strict=True):
            if not first:
                reason = "the same as an earlier row"
                self.note(Action.REJECTED, item.line, LINE, item.source_key, reason)
        return [item for item, first in zip(batch, firsts, strict=True) if first]

    def _matched(self, vehicles: Vehicles, batch: Iterable[ImportedReview]) -> Iterator[Match]:
        for review in batch:
            try:
                yield review, vehicles.reviewed(review)
            except RejectedRowError as rejected:
                self.note(
                    Action.REJECTED, review.line, rejected.field, rejected.value, rejected.reason
                )

    def _store(
        self,
        batch: list[T],
        store: Callable[[Connection[Any], Sequence[T]], Stored],
        line: Callable[[T], int],
    ) -> None:
        """Write a batch; where the database refuses it, halve it until the row is found."""
        if not batch:
            return
        try:
            with self.conn.transaction():
                stored = store(self.conn, batch)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(batch) == 1:
                why = error.diag.message_primary or "for no reason that it gives"
                reason = "the database refuses it"
                self.note(Action.REJECTED, line(batch[0]), LINE, why, reason)
                return
            half = len(batch) // 2
            self._store(batch[:half], store, line)
            self._store(batch[half:], store, line)
        else:
            self.result.inserted += stored.inserted
            self.result.changed += stored.changed
            self.result.unchanged += len(batch) - stored.inserted - stored.changed

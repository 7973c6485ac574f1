"""From a file to rows: gzip or plain, CSV or JSON lines, streamed, with line numbers.

Whatever is wrong with the bytes (encoding, truncation, ragged rows, open quotes) becomes a finding
about its line, and reading goes on with the next.
"""

import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from listings.report import Action, Note

LINE = "(line)"
MAX_LINE_BYTES = 1 << 20
MAX_LINES_OF_A_RECORD = 100
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)


class UnreadableError(Exception):
    """Nothing of a file can be loaded; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Line:
    """A decoded physical line without its end; `number` counts from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A row as the file has it, and the number of the line where it starts."""

    line: int
    values: dict[str, Any]


class Source:
    """A file being read. Use it as a context manager.

    `rows` counts what was found, readable or not: each is either yielded or has one REJECTED
    finding.
    """

    def __init__(self, path: Path, note: Note) -> None:
        self._note = note
        self._raw = path.open("rb")
        zipped = self._raw.peek(2)[:2] == b"\x1f\x8b"
        self._bytes: io.BufferedIOBase = gzip.GzipFile(fileobj=self._raw) if zipped else self._raw
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bytes.close()
        self._raw.close()

    @property
    def position(self) -> int:
        """Bytes of the file on disk that have been read, for progress."""
        return self._raw.tell()

    def json_records(self) -> Iterator[Record]:
        """One record per line that holds a JSON object."""
        for line in self.lines():
            if not line.text.strip():
                continue
            self.rows += 1
            try:
                value = orjson.loads(line.text)
            except orjson.JSONDecodeError:
                self._reject(line, "not valid JSON")
                continue
            if isinstance(value, dict):
                yield Record(line.number, value)
            else:
                self._reject(line, "not a JSON object")

    def csv_records(self) -> Iterator[Record]:
        """One record per CSV row, keyed by the header; a row may span lines inside quotes."""
        lines = _Pushback(self.lines())
        header: list[str] | None = None
        while (first := lines.take()) is not None:
            if not first.text.strip():
                continue
            if header is None:
                header = [name.strip() for name in next(csv.reader([first.text]))]
                continue
            self.rows += 1
            cells = self._cells(first, lines, len(header))
            if cells is not None:
                yield Record(first.number, dict(zip(header, cells, strict=True)))

    def _cells(self, first: Line, lines: "_Pushback", width: int) -> list[str] | None:
        """The cells of the row that starts at `first`, or None and a finding.

        Where that fails over several lines, only the first is given up: the others may be rows of
        their own.
        """
        cells, more = _over_lines(first, lines)
        if cells is not None and len(cells) > width and not "".join(cells[width:]).strip():
            reason = "empty cells after the last column"
            self._note(Action.REPAIRED, first.number, LINE, first.text, reason)
            cells = cells[:width]
        if cells is not None and len(cells) == width:
            return cells
        lines.give_back(more)
        self._reject(
            first,
            "quotes or line ends that are not CSV"
            if cells is None
            else "more or fewer cells than the header has",
        )
        return None

    def lines(self) -> Iterator[Line]:
        """Every line that can be decoded; what cannot be is reported."""
        number = 0
        data = b"\n"
        while True:
            try:
                following = self._bytes.readline(MAX_LINE_BYTES)
            except _BROKEN as error:
                self.rows += 1
                self._note(
                    Action.REJECTED, number + 1, LINE, str(error), "the file is cut short from here"
                )
                return
            if not following:
                break
            data = following
            number += 1
            if len(data) == MAX_LINE_BYTES and not data.endswith(b"\n"):
                self._skip_to_line_end()
                self.rows += 1
                self._reject(Line(number, repr(data[:80])), "a line of more than 1 MiB")
                continue
            text = self._decoded(number, data)
            if text is not None:
                yield Line(number, text)
        if not data.endswith(b"\n"):
            self._note(
                Action.KEPT,
                number,
                LINE,
                repr(data[-80:]),
                "no line end: the file may be cut short",
            )

    def _decoded(self, number: int, data: bytes) -> str | None:
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        try:
            return data.decode(encoding).rstrip("\r\n")
        except UnicodeDecodeError as error:
            wrong = data[max(0, error.start - 20) : error.end + 20]
        try:
            text = data.decode("cp1252").rstrip("\r\n")
        except UnicodeDecodeError:
            self.rows += 1
            self._reject(Line(number, repr(wrong)), "neither UTF-8 nor Windows-1252")
            return None
        reason = "not UTF-8: read as Windows-1252"
        self._note(Action.REPAIRED, number, LINE, repr(wrong), reason, wrong.decode("cp1252"))
        return text

    def _skip_to_line_end(self) -> None:
        while (rest := self._bytes.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass

    def _reject(self, line: Line, reason: str) -> None:
        self._note(Action.REJECTED, line.number, LINE, line.text, reason)


class _Pushback:
    """Lines that can be given back after a look ahead."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()

    def take(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def give_back(self, lines: list[Line]) -> None:
        self._again.extendleft(reversed(lines))


def _over_lines(first: Line, lines: _Pushback) -> tuple[list[str] | None, list[Line]]:
    """The cells of a row, None if it is not CSV, and the lines after `first` that it took."""
    more: list[Line] = []
    while True:
        text = "\n".join(line.text for line in (first, *more))
        try:
            return next(csv.reader([text], strict=True)), more
        except csv.Error as error:
            open_quote = "unexpected end of data" in str(error)
        following = lines.take() if open_quote and len(more) < MAX_LINES_OF_A_RECORD else None
        if following is None:
            return None, more
        more.append(following)


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a file shows: CSV columns, or the keys of each JSON object seen."""

    columns: frozenset[str]
    objects: tuple[frozenset[str], ...]
    shown: str


def head(path: Path, *, lines: int = 100) -> Head:
    """Look at the first `lines` lines of a file, to tell its format.

    Raises:
        UnreadableError: there is no text in it.
        OSError: it cannot be opened.
    """

    def ignore(*_: object, **__: object) -> None:
        """Findings come when the file is loaded."""

    with Source(path, ignore) as source:
        seen = [line.text for line, _ in zip(source.lines(), range(lines), strict=False)]
    seen = [text for text in seen if text.strip()]
    if not seen:
        raise UnreadableError("it is empty or a broken gzip: fetch it again")
    shown = seen[0][:100]
    if "\x00" in seen[0]:
        raise UnreadableError(
            f"it begins {shown!r}, which is binary or UTF-16: if it is text, convert it with "
            "`iconv -f UTF-16 -t UTF-8`"
        )
    objects = []
    for text in seen:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            objects.append(frozenset(value))
    try:
        columns = next(csv.reader(io.StringIO(seen[0])))
    except csv.Error:
        columns = []
    return Head(frozenset(name.strip() for name in columns), tuple(objects), shown)

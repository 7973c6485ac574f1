"""What an import has to say about the values it met: one finding each, none of them silent."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol, TextIO

VALUE_LENGTH = 200


class Action(StrEnum):
    """What became of the value that a finding is about."""

    REPAIRED = "repaired"
    """Loaded as something else, which the finding gives."""
    DROPPED = "dropped"
    """Not loaded; the rest of its row was."""
    KEPT = "kept"
    """Loaded as it is, though it looks wrong."""
    REJECTED = "rejected"
    """Its whole row was not loaded. A row has at most one such finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One value of one line, and what was done about it.

    `reason` is one of few fixed sentences, so that findings can be counted by it; `value` is what
    the file says and `became` what was loaded instead, both cut to 200 characters.
    """

    file: str
    line: int
    field: str
    value: str
    reason: str
    action: Action
    became: str | None = None


class Note(Protocol):
    """How readers and parsers report: bound to a file by `Report.notes_on`."""

    def __call__(  # noqa: D102 - the class says it
        self,
        action: Action,
        line: int,
        field: str,
        value: object,
        reason: str,
        became: object = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of a file that differ only in line and value, with the first as an example."""

    first: Finding
    count: int


class Report:
    """Counts findings, keeps the first of each kind and writes all of them as JSON lines.

    Memory does not grow with the number of findings.
    """

    def __init__(self, sink: TextIO | None = None) -> None:
        self._sink = sink
        self._counts: Counter[tuple[str, Action, str, str]] = Counter()
        self._first: dict[tuple[str, Action, str, str], Finding] = {}

    def notes_on(self, file: str) -> Note:
        """A function that adds findings about `file`."""

        def note(
            action: Action,
            line: int,
            field: str,
            value: object,
            reason: str,
            became: object = None,
        ) -> None:
            after = None if became is None else str(became)[:VALUE_LENGTH]
            self.add(Finding(file, line, field, _shown(value), reason, action, after))

        return note

    def add(self, finding: Finding) -> None:
        """Count `finding` and write it out."""
        kind = (finding.file, finding.action, finding.field, finding.reason)
        self._counts[kind] += 1
        self._first.setdefault(kind, finding)
        if self._sink is not None:
            self._sink.write(json.dumps(asdict(finding), ensure_ascii=False) + "\n")

    def count(self, file: str, action: Action) -> int:
        """How many findings of `file` are of one kind; for REJECTED, that is how many rows."""
        return sum(
            n for (name, kind, _, _), n in self._counts.items() if (name, kind) == (file, action)
        )

    def groups(self) -> Iterator[Group]:
        """Files in the order they were read, then the most frequent findings first."""
        order = {file: n for n, file in enumerate(dict.fromkeys(kind[0] for kind in self._counts))}
        for kind, count in sorted(
            self._counts.items(), key=lambda item: (order[item[0][0]], -item[1], item[0])
        ):
            yield Group(self._first[kind], count)


def _shown(value: object) -> str:
    """A value as a person would look for it in the file; a lone surrogate cannot be written."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[:VALUE_LENGTH].encode("utf-8", "replace").decode()

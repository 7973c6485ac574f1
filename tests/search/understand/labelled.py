"""The hand-labelled days of `days.txt`."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

Expected = dict[str, Any]


def cases() -> Iterator[tuple[date, str, Expected]]:
    """Today, the text, and the parameters that it should become (none for "-")."""
    today = date.min
    for line in (Path(__file__).parent / "days.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("as of "):
            today = date.fromisoformat(line.split()[2])
            assert f"{today:%A}" == line.split()[3]
        elif " => " in line and not line.startswith("#"):
            text, days = line.split(" => ")
            yield today, text, _expected(days, today)


def _expected(days: str, today: date) -> Expected:
    if days == "-":
        return {}
    if ".." not in days:
        month, _, length = days.partition("x")
        said: Expected = {"month": month.strip()} if month else {}
        return said | ({"days": int(length)} if length else {})
    ends = zip(("start", "end"), days.split(".."), strict=True)
    return {
        name: day if len(day) > len("03-01") else f"{today.year}-{day}" for name, day in ends if day
    }

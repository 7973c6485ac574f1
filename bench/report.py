"""What measurements share: figures in short, promises, JSON for comparison, pictures for people."""

import json
import platform
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.markup import escape as plain

RESULTS = Path(__file__).parent / "results"
Spread = tuple[float, float, float]  # lower quartile, median, upper quartile


def write(name: str, results: dict[str, Any]) -> None:
    """Keep the results with the machine that they came from."""
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    content = {"machine": machine, "results": results}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def summary(times: list[float]) -> dict[str, float]:
    """Median, quartiles and 95th percentile."""
    quarters = statistics.quantiles(times, n=20)
    return {
        "p25": round(quarters[4], 2),
        "p50": round(statistics.median(times), 2),
        "p75": round(quarters[14], 2),
        "p95": round(quarters[18], 2),
        "n": len(times),
    }


def promise(text: str, kept: bool) -> bool:
    """Print whether it is kept; `make bench` fails if one is not."""
    style = "green" if kept else "bold red"
    Console().print(f"[{style}]{'PASS' if kept else 'FAIL'}[/]  {plain(text)}", highlight=False)
    return kept


_COLOURS = ("#8a8f98", "#4c8bc9", "#e08a2e", "#4a9d5b")
_LEFT, _WIDTH, _BAR = 190, 480, 13  # pixels


def bars(name: str, title: str, rows: Mapping[str, Mapping[str, Spread]]) -> None:
    """`results/NAME.svg`: a bar a way in each row, with a line over the quartiles."""
    ways = list(next(iter(rows.values())))
    most = max(spread[2] for each in rows.values() for spread in each.values())
    parts = [_text(10, 18, title)]
    for number, way in enumerate(ways):
        x = _LEFT + number * 120
        parts += [_box(x, 28, 10, _COLOURS[number]), _text(x + 15, 37, way)]
    y = 52
    for row, each in rows.items():
        parts.append(_text(10, y + _BAR * len(ways) / 2 + 4, row))
        for number, (low, median, high) in enumerate(each.values()):
            left, middle, right = (_LEFT + _WIDTH * value / most for value in (low, median, high))
            at = y + number * _BAR
            parts += [
                _box(_LEFT, at, middle - _LEFT, _COLOURS[number]),
                f'<path d="M{left:.0f} {at + 5}H{right:.0f}" stroke="#222"/>',
                _text(right + 5, at + 9, f"{median:.3g}"),
            ]
        y += _BAR * len(ways) + 9
    picture = "\n".join(parts)
    (RESULTS / f"{name}.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 50}" height="{y + 4}" '
        f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>\n'
        f"{picture}\n</svg>\n"
    )


def _box(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="10" fill="{colour}"/>'


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'

"""`rides index watch`: the index live in the terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from cli.indexing import servers

if TYPE_CHECKING:
    from indexer.documents import Connection
    from indexer.status import Facts

_BAR = 30  # characters of the longest bar


def watch(
    every: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between looks.")] = 1.0,
    looks: Annotated[
        int | None, typer.Option(min=1, help="End after so many; otherwise at Ctrl-C.")
    ] = None,
) -> None:
    """Show lag, queue, rate and errors until Ctrl-C."""
    from indexer import status

    console = Console()
    done_before: tuple[float, int] | None = None
    seen = 0
    with servers("watch") as site, Live(console=console, auto_refresh=False) as live:
        try:
            while looks is None or seen < looks:
                known, now = status.facts(site.connection), time.monotonic()
                rate = None
                if done_before:
                    rate = (known.lag.changes - done_before[1]) / (now - done_before[0])
                done_before = now, known.lag.changes
                live.update(_screen(site.connection, known, rate), refresh=True)
                seen += 1
                if looks is None or seen < looks:
                    time.sleep(every)
        except KeyboardInterrupt:
            return


def _screen(connection: Connection, known: Facts, rate: float | None) -> Group:
    from indexer import lag

    recent = lag.measured(connection, 1)
    shown = lag.percentiles(recent)
    figures = Table.grid(padding=(0, 2))
    for name, value in (
        ("Lag, last 1–2 minutes", _quantiles(shown)),  # noqa: RUF001 - a dash
        ("Oldest change waiting", f"{known.index_age_ms / 1000:.1f} s"),
        ("Queue", f"{known.dirty_rows:,} changes, {known.retrying_rows:,} of them tried before"),
        ("Rate", "…" if rate is None else f"{rate:,.0f} changes/s"),
        ("Dead letters", f"{known.dead_letters:,}"),
        ("Builds", ", ".join(f"{build.index_name} {build.state}" for build in known.builds)),
    ):
        figures.add_row(name, value)
    alarms = [f"[red]{escape(alarm)}[/red]" for alarm in known.alarms()]
    return Group(figures, _histogram(recent.counts), *alarms)


def _quantiles(shown: dict[str, Any]) -> str:
    if not shown["changes"]:
        return "no changes"
    return f"p50 {shown['p50_s']:.2f} s, p99 {shown['p99_s']:.2f} s of {shown['changes']:,}"


def _histogram(counts: Any) -> Table:
    """A bar for each bucket that holds something."""
    from indexer.lag import BOUNDS

    table = Table.grid(padding=(0, 2))
    most = max([*counts, 1])
    for bound, count in zip([*(f"< {b:g} s" for b in BOUNDS), "longer"], counts, strict=True):
        if count:
            table.add_row(bound, "█" * max(1, round(_BAR * count / most)), f"{count:,}")
    return table

"""`rides index …`: what an operator sees of the search index, takes back and clears up."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import structlog
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cli import exits
from cli.progress import counted
from runtime.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch

    from indexer.compare import Finding
    from indexer.documents import Connection
    from indexer.status import Status

app = typer.Typer(no_args_is_help=True, help="Look at the search index, and take it back.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
SHOWN = 20  # findings on a screen; all of them with --json


@dataclass(frozen=True, slots=True)
class Site:
    """The servers of a command; no client where no Elasticsearch is configured."""

    connection: Connection
    client: Elasticsearch | None
    alias: str

    def engine(self) -> Elasticsearch:
        """The client; ends the command where there is none."""
        if self.client is None:
            typer.secho(
                "No Elasticsearch is configured (RIDES_ELASTICSEARCH_URL): there are no builds.",
                err=True,
                fg=typer.colors.RED,
            )
            raise typer.Exit(exits.NOTHING)
        return self.client


@contextmanager
def servers(application: str) -> Iterator[Site]:
    """Both servers; what is logged meanwhile goes to standard error, beside the results."""
    from models.session import connect
    from runtime.clients import elasticsearch_if_any

    chosen = settings()
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        with (
            connect(chosen, application=application) as connection,
            elasticsearch_if_any(chosen) as client,
        ):
            yield Site(connection, client, chosen.index_alias)
    finally:
        structlog.configure(**before)


@contextmanager
def refused(console: Console, *, as_json: bool) -> Iterator[None]:
    """Say why nothing was swapped, list what differs, and exit with a code for it."""
    from indexer.rebuild import BusyError, NoStandbyError, RebuildError, UnfaithfulError

    try:
        yield
    except KeyboardInterrupt:
        console.print(
            "[red]Interrupted.[/red] `rides reindex` goes on from the last page, "
            "`rides index prune` gives it up."
        )
        raise typer.Exit(exits.INTERRUPTED) from None
    except RebuildError as error:
        console.print(f"[red]Not swapped:[/red] {escape(str(error))}", soft_wrap=True)
        findings = error.findings if isinstance(error, UnfaithfulError) else []
        if findings:
            console.print(findings_table(findings))
        if as_json:
            said = {"error": str(error), "findings": [asdict(each) for each in findings]}
            typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2))
        match error:
            case BusyError():
                code = exits.BUSY
            case UnfaithfulError():
                code = exits.DIFFERENCES
            case NoStandbyError():
                code = exits.NOTHING
            case _:
                code = exits.FAILED
        raise typer.Exit(code) from error


def findings_table(findings: list[Finding]) -> Table:
    """The first findings, for a screen."""
    table = Table(Column("Store", no_wrap=True), "Vehicle", "What", "Fields")
    for each in findings[:SHOWN]:
        table.add_row(each.store, str(each.vehicle_id), each.kind, escape(", ".join(each.fields)))
    if len(findings) > SHOWN:
        table.add_row("…", f"{len(findings) - SHOWN:,} more", "", "")
    return table


@app.command(epilog=exits.EPILOG)
def status(as_json: AsJson = False) -> None:
    """Show the builds, which one serves, how much is not searchable yet and what was refused."""
    from indexer import status as index_status

    with servers("status") as site:
        now = index_status.read(site.connection, site.client, site.alias)
    if as_json:
        typer.echo(orjson.dumps(asdict(now), option=orjson.OPT_INDENT_2))
        return
    console = Console()
    if not settings().elasticsearch_url:
        console.print("No Elasticsearch is configured: PostgreSQL answers every search.")
    elif not now.builds:
        console.print("No index yet: run `rides reindex`.")
    else:
        console.print(_builds_table(now))
        for line in now.alarms:
            console.print(f"[yellow]{escape(line)}[/yellow]", soft_wrap=True)
    console.print(f"Not searchable yet: {now.dirty_rows} changes, oldest {now.index_age_ms} ms.")
    console.print(lag_line(now.lag))
    console.print(f"PostgreSQL alone would find {now.table_rows:,} vehicles.")
    console.print(f"Dead letters: {now.dead_letters}.")


@app.command()
def medians() -> None:
    """Recompute what comparable cars cost nearby, which the ranking's `price` signal reads.

    It happens by itself every night and before a reindex. What a new median changes becomes
    searchable as any change does.
    """
    from indexer import medians as local_medians

    with servers("medians") as site:
        done = local_medians.recompute(site.connection)
    Console(stderr=True).print(
        f"{done.medians:,} medians, {done.changed:,} changed: {done.vehicles:,} vehicles to index."
    )


def lag_line(lag: dict[str, Any]) -> str:
    """The lag of the last minutes in words."""
    if not lag["changes"]:
        return "From change to searchable: no change in the last 5 minutes."
    return (
        f"From change to searchable: {lag['p50_s']:.2f} s at the median, {lag['p99_s']:.2f} s for "
        f"99 of 100 ({lag['changes']:,} changes in the last 5 minutes)."
    )


@app.command(epilog=exits.EPILOG)
def rollback(as_json: AsJson = False) -> None:
    """Let searches read the previous index again: it was fed all the time, and is checked first.

    The index that served until now stays on standby and fed, so this can be taken back, too.
    """
    from indexer import rebuild

    console = Console(stderr=True)
    with servers("rollback") as site:
        engine = site.engine()
        with refused(console, as_json=as_json), counted(console) as bar:
            task = bar.add_task("Checking", total=None)
            build = rebuild.rollback(
                site.connection,
                engine,
                site.alias,
                lambda checked: bar.update(task, completed=checked),
            )
    console.print(f"Searches read [bold]{build.index_name}[/bold] again.")
    if as_json:
        typer.echo(orjson.dumps({"index": build.index_name}))


@app.command(epilog=exits.EPILOG)
def prune(
    standby: Annotated[
        bool,
        typer.Option("--standby", help="Also the previous index: there is no rollback after it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the builds that nobody needs: failed, stale, and those of an abandoned reindex."""
    from indexer import rebuild

    console = Console(stderr=True)
    with servers("prune") as site:
        engine = site.engine()
        with refused(console, as_json=as_json):
            removed = rebuild.prune(site.connection, engine, standby=standby)
    names = [build.index_name for build in removed]
    console.print(f"Removed {', '.join(names)}." if names else "Nothing to remove.")
    if as_json:
        typer.echo(orjson.dumps({"removed": names}))


def _builds_table(now: Status) -> Table:
    table = Table(
        Column("Index", no_wrap=True),
        Column("State", no_wrap=True),
        "Vehicles",
        "Size",
        "Made",
        "Serving since",
        "Note",
    )
    for build in now.builds:
        size = "–" if build["bytes"] is None else f"{build['bytes'] / 1e6:.1f} MB"  # noqa: RUF001
        swapped, failing = build["swapped_at"], build["failing_since"]
        note = build["detail"] or ""
        table.add_row(
            build["index_name"],
            build["state"],
            "unreadable" if build["documents"] is None else f"{build['documents']:,}",
            size,
            f"{build['created_at']:%m-%d %H:%M}",
            f"{swapped:%m-%d %H:%M}" if swapped else "",
            escape(f"failing since {failing:%H:%M:%S}: {note}" if failing else note),
        )
    return table

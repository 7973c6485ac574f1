"""`rides reindex` and `rides index …`: what an operator does with the search index."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.progress import counted
from runtime.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch

    from indexer.builds import Status
    from indexer.documents import Connection

app = typer.Typer(no_args_is_help=True, help="Look at the search index.")


def reindex(
    if_needed: Annotated[
        bool,
        typer.Option(
            "--if-needed", help="Only when no index is live or its mapping is not the code's."
        ),
    ] = False,
) -> None:
    """Build a new index beside the live one and swap it in; searches go on meanwhile.

    The table from which PostgreSQL answers is mended by the same reading; where no Elasticsearch
    is configured, it alone.

    Nothing that is written during the rebuild is missed. The previous index is kept and fed; the
    one before it is removed. Exit code 1: nothing was swapped, and the message says why.
    """
    from indexer import search_table
    from indexer.rebuild import RebuildError, needed, rebuild, refill
    from search.postgres.columns import TABLE

    console = Console(stderr=True)
    with _servers("reindex") as (connection, client):
        alias = settings().index_alias
        reason: str | None = "asked for"
        if if_needed and client is None:
            reason = search_table.needed(connection)
        elif if_needed and client is not None:
            reason = needed(connection, client, alias)
        if reason is None:
            console.print("The index is live and its mapping is current: nothing to do.")
            return
        if if_needed:
            console.print(f"Reindexing because {reason}.")
        with counted(console) as progress:
            task = progress.add_task("Reindexing")

            def show(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            try:
                if client is None:
                    refill(connection, show)
                    name = TABLE
                else:
                    name = rebuild(connection, client, alias, show).index_name
            except RebuildError as error:
                progress.stop()
                console.print(f"[red]Not swapped:[/red] {escape(str(error))}")
                raise typer.Exit(1) from error
    console.print(f"Searches now read [bold]{name}[/bold].")


@contextmanager
def _servers(application: str) -> Iterator[tuple[Connection, Elasticsearch | None]]:
    """Both servers, or None for an Elasticsearch that is not configured."""
    from models.session import connect
    from runtime.clients import elasticsearch_if_any

    chosen = settings()
    with (
        connect(chosen, application=application) as connection,
        elasticsearch_if_any(chosen) as client,
    ):
        yield connection, client


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Show the builds, which one serves, how much is not searchable yet and what was refused."""
    from indexer import builds

    with _servers("status") as (connection, client):
        now = builds.status(connection, client, settings().index_alias)
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
        if not now.mapping_current:
            console.print("[yellow]The code has another mapping: run `rides reindex`.[/yellow]")
    console.print(f"Not searchable yet: {now.dirty_rows} changes, oldest {now.index_age_ms} ms.")
    console.print(f"PostgreSQL alone would find {now.table_rows:,} vehicles.")
    console.print(f"Dead letters: {now.dead_letters}.")


@app.command()
def medians() -> None:
    """Recompute what comparable cars cost nearby, which the ranking's `price` signal reads.

    It happens by itself every night and before a reindex. What a new median changes becomes
    searchable as any change does.
    """
    from indexer import medians as local_medians

    with _servers("medians") as (connection, _):
        done = local_medians.recompute(connection)
    Console(stderr=True).print(
        f"{done.medians:,} medians, {done.changed:,} changed: {done.vehicles:,} vehicles to index."
    )


def _builds_table(now: Status) -> Table:
    table = Table("Index", "State", "Vehicles", "Size", "Created", "Serving since", "Note")
    for build in now.builds:
        size = "–" if build["bytes"] is None else f"{build['bytes'] / 1e6:.1f} MB"  # noqa: RUF001
        swapped = build["swapped_at"]
        table.add_row(
            build["index_name"],
            build["state"],
            "unreadable" if build["documents"] is None else f"{build['documents']:,}",
            size,
            f"{build['created_at']:%Y-%m-%d %H:%M}",
            f"{swapped:%Y-%m-%d %H:%M}" if swapped else "",
            escape(build["detail"] or ""),
        )
    return table

"""`rides index dead-letters …`: what an index refused for what it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cli import exits
from cli.indexing import AsJson, servers

app = typer.Typer(no_args_is_help=True, help="Documents that an index refused for what they are.")
_SHOWN = 120  # characters of an error in a table
Letters = Annotated[list[int] | None, typer.Argument(help="Ids of letters, from `list`.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command("list", epilog=exits.EPILOG)
def list_letters(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest dead letters, each with the error in the index's own words."""
    from indexer import letters

    with servers("dead-letters") as site:
        found, total = letters.listed(site.connection, limit), letters.count(site.connection)
    if as_json:
        said = {"total": total, "letters": [asdict(letter) for letter in found]}
        typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2))
        return
    console = Console()
    if not found:
        console.print("No dead letters.")
        return
    table = Table("Id", Column("Index", no_wrap=True), "Vehicle", "At", "Error")
    for letter in found:
        first = letter.error if len(letter.error) <= _SHOWN else letter.error[:_SHOWN] + "…"
        table.add_row(
            str(letter.id),
            letter.index_name,
            str(letter.vehicle_id),
            f"{letter.at:%Y-%m-%d %H:%M:%S}",
            escape(first),
        )
    console.print(table)
    if total > len(found):
        console.print(f"{total - len(found):,} more: `--limit` shows them.")
    console.print("Mend the vehicle's row: it is indexed again, and its letter goes.")


@app.command(epilog=exits.EPILOG)
def show(
    letter_id: Annotated[int, typer.Argument(metavar="ID", help="From `list`.")],
    as_json: AsJson = False,
) -> None:
    """One dead letter with its whole error and the document that was refused."""
    from indexer import letters

    with servers("dead-letters") as site:
        letter = letters.letter(site.connection, letter_id)
    if letter is None:
        typer.secho(f"There is no dead letter {letter_id}.", err=True, fg=typer.colors.RED)
        raise typer.Exit(exits.NOTHING)
    if as_json:
        typer.echo(orjson.dumps(asdict(letter), option=orjson.OPT_INDENT_2))
        return
    typer.echo(
        f"Vehicle {letter.vehicle_id}, refused by {letter.index_name}"
        f" at {letter.at:%Y-%m-%d %H:%M:%S} (version {letter.version}):\n{letter.error}\n"
    )
    typer.echo(orjson.dumps(letter.document, option=orjson.OPT_INDENT_2))


@app.command(epilog=exits.EPILOG)
def replay(ids: Letters = None, every: All = False, as_json: AsJson = False) -> None:
    """Have their vehicles indexed again, as the database has them now.

    A letter goes once the index has taken its vehicle.
    """
    from indexer import letters

    chosen = _chosen(ids, every=every)
    with servers("dead-letters") as site:
        vehicles = letters.replay(site.connection, chosen)
    _done(vehicles, "vehicles", f"{vehicles} vehicles will be indexed again.", as_json=as_json)


@app.command(epilog=exits.EPILOG)
def drop(ids: Letters = None, every: All = False, as_json: AsJson = False) -> None:
    """Forget dead letters; what is wrong with their vehicles stays so."""
    from indexer import letters

    chosen = _chosen(ids, every=every)
    with servers("dead-letters") as site:
        dropped = letters.drop(site.connection, chosen)
    _done(dropped, "dropped", f"{dropped} dead letters are forgotten.", as_json=as_json)


def _chosen(ids: list[int] | None, *, every: bool) -> list[int] | None:
    """The ids, or None for all: never all because none was given."""
    if bool(ids) == every:
        msg = "give the ids of letters, or --all"
        raise typer.BadParameter(msg)
    return ids or None


def _done(count: int, name: str, text: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps({name: count}))
    else:
        typer.echo(text)
    if not count:
        raise typer.Exit(exits.NOTHING)

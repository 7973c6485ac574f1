"""`rides seed`: the demo marketplace."""

import time
from typing import Annotated

import typer
from rich.console import Console

from cli.progress import counted
from runtime.settings import settings


def seed(
    vehicles: Annotated[
        int, typer.Option(min=1, help="Vehicles; all else is in proportion.")
    ] = 5_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows, day by day.")] = 1,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Succeed and do nothing if there are vehicles.")
    ] = False,
) -> None:
    """Fill an empty database with a demo marketplace of real models on real islands.

    Hosts, features, reviews and bookings over the coming year come with the vehicles. It is never
    added to vehicles that are there already.
    """
    from listings.demo.load import NotEmptyError
    from listings.demo.load import seed as load
    from models.session import connect

    errors = Console(stderr=True)
    started = time.monotonic()
    try:
        with connect(settings(), application="seed") as connection, counted(errors) as progress:
            task = progress.add_task("Seeding", total=vehicles, visible=False)
            counts = load(
                connection,
                vehicles=vehicles,
                seed=seed,
                progress=lambda done: progress.update(task, advance=done, visible=True),
            )
    except NotEmptyError as error:
        if if_empty:
            typer.echo("There are vehicles already: nothing was seeded.")
            return
        errors.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    seconds = time.monotonic() - started
    for table, rows in counts.items():
        typer.echo(f"{rows:>10,}  {table.replace('_', ' ')}")
    typer.echo(f"in {seconds:.1f} s: {vehicles / seconds:,.0f} vehicles/s")

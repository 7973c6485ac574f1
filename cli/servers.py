"""`rides up`, `rides down` and `rides demo`: real servers on a machine without containers."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from runtime.settings import settings


def demo(
    vehicles: Annotated[
        int, typer.Option(envvar="RIDES_DEMO_VEHICLES", min=1, help="vehicles to seed")
    ] = 5000,
) -> None:
    """Start everything, fill it with an example marketplace, and serve it until Ctrl-C.

    The first start fetches Elasticsearch (130 MB) and seeds the marketplace; later ones reuse
    both. The state lies in RIDES_STATE_DIR (default `.rides`): logs in `logs/`, the URLs and
    ready-made tokens in `demo.json`. The API listens on RIDES_HOST and RIDES_PORT.

    Ctrl-C stops the API, the indexer and the servers that this command has started.
    """
    with _devstack():
        from cli.demo import run

        run(vehicles)


def up() -> None:
    """Start PostgreSQL, Valkey and Elasticsearch for development.

    They keep running after this command, until `rides down`; a second `up` finds them running.
    Their data lies in RIDES_STATE_DIR (default `.rides`). A RIDES_*_URL variable that is set
    names a server elsewhere, which is used instead of one from here.

    To lead the other commands to them, in this shell:  eval "$(rides up)"
    """
    with _devstack():
        from devstack import stack

        servers = stack.up(settings().state_dir, on_step=_note)
    # Only what a shell can evaluate goes to the standard output.
    typer.echo(f"# PostgreSQL     {servers.database_url}")
    typer.echo(f"# Valkey         {servers.redis_url}")
    typer.echo(f"# Elasticsearch  {servers.elasticsearch_url or 'missing'}")
    for variable, url in servers.environment().items():
        typer.echo(f"export {variable}={shlex.quote(url)}")
    if servers.missing is not None:
        # PostgreSQL answers searches then.
        typer.echo("export RIDES_ELASTICSEARCH_URL=''")
        raise typer.Exit(1)


def down() -> None:
    """Stop the servers that `rides up` has started; their data stays.

    Servers that a RIDES_*_URL variable named are left alone. To start afresh, remove the state
    directory afterwards.
    """
    with _devstack():
        from devstack import stack

        stopped = stack.down(settings().state_dir)
    typer.echo(f"stopped: {', '.join(stopped) or 'nothing was running'}")


def _note(line: str) -> None:
    typer.echo(line, err=True)


@contextmanager
def _devstack() -> Iterator[None]:
    """What a development server lacks, in a line; a production image has none of them at all."""
    try:
        from devstack.processes import DevstackError
    except ImportError as error:
        _note("Development servers need `pip install 'island-rides[devstack]'`.")
        raise typer.Exit(1) from error
    try:
        yield
    except DevstackError as error:
        typer.secho(str(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error

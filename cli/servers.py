"""`rides up`, `rides down` and `rides demo`: real servers on a machine without containers."""

import shlex

import typer

from cli.demo import demo
from devstack import stack
from devstack.processes import DevstackError
from runtime.settings import settings

__all__ = ["demo", "down", "up"]


def up() -> None:
    """Start PostgreSQL, Valkey and Elasticsearch for development.

    They keep running after this command, until `rides down`; a second `up` finds them running.
    Their data lies in RIDES_STATE_DIR (default `.rides`). A RIDES_*_URL variable that is set
    names a server elsewhere, which is used instead of one from here.

    To lead the other commands to them, in this shell:  eval "$(rides up)"
    """
    try:
        servers = stack.up(settings().state_dir, on_step=_note)
    except DevstackError as error:
        _note(str(error))
        raise typer.Exit(1) from error
    # Only what a shell can evaluate goes to the standard output.
    typer.echo(f"# PostgreSQL     {servers.database_url}")
    typer.echo(f"# Valkey         {servers.redis_url}")
    typer.echo(f"# Elasticsearch  {servers.elasticsearch_url or 'missing'}")
    for variable, url in servers.environment().items():
        typer.echo(f"export {variable}={shlex.quote(url)}")
    if servers.missing is not None:
        raise typer.Exit(1)


def down() -> None:
    """Stop the servers that `rides up` has started; their data stays.

    Servers that a RIDES_*_URL variable named are left alone. To start afresh, remove the state
    directory afterwards.
    """
    try:
        stopped = stack.down(settings().state_dir)
    except DevstackError as error:
        _note(str(error))
        raise typer.Exit(1) from error
    typer.echo(f"stopped: {', '.join(stopped) or 'nothing was running'}")


def _note(line: str) -> None:
    typer.echo(line, err=True)

"""The `rides` command: one line per command, each in a file of its own."""

from typing import Any

import typer
from typer.core import TyperGroup

from cli import (
    auditing,
    contract,
    exits,
    importing,
    indexing,
    letters,
    reindexing,
    seeding,
    servers,
    serving,
    tokens,
    watching,
)


class _Explained(TyperGroup):
    """Commands of which a missing server or setting is said in a line, with its fix."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            fix = _fix(error)
            if fix is None:
                raise
            typer.secho(f"{fix}\n({error})", err=True, fg=typer.colors.RED)
            raise typer.Exit(1) from error


def _fix(error: Exception) -> str | None:
    from elasticsearch import TransportError
    from psycopg.errors import OperationalError, UndefinedTable
    from pydantic import ValidationError

    match error:
        case UndefinedTable():
            return "The database has no tables yet: run `rides migrate`."
        case OperationalError():
            return "PostgreSQL (RIDES_DATABASE_URL) does not answer. `rides up` starts one."
        case TransportError():
            return "Elasticsearch (RIDES_ELASTICSEARCH_URL) does not answer. `rides up` starts one."
        case ValidationError(title="Settings"):
            return "A RIDES_* variable is wrong."
        case _:
            return None


app = typer.Typer(
    cls=_Explained,
    name="rides",
    no_args_is_help=True,
    help="Run and operate the Island Rides vehicle discovery engine.",
    epilog="Settings come from RIDES_* variables; `rides demo` needs none of them.",
    pretty_exceptions_enable=False,
)

app.command(rich_help_panel="On one machine")(servers.demo)
app.command(rich_help_panel="On one machine")(servers.up)
app.command(rich_help_panel="On one machine")(servers.down)

app.command(rich_help_panel="Data")(serving.migrate)
app.command(rich_help_panel="Data")(seeding.seed)
app.command("import", rich_help_panel="Data")(importing.import_files)

app.command(rich_help_panel="Search index", epilog=exits.EPILOG)(reindexing.reindex)
app.command(rich_help_panel="Search index", epilog=exits.EPILOG)(auditing.audit)
indexing.app.add_typer(letters.app, name="dead-letters")
indexing.app.command(epilog=exits.EPILOG)(watching.watch)
app.add_typer(indexing.app, name="index", rich_help_panel="Search index")

app.command(rich_help_panel="API")(serving.serve)
app.command(rich_help_panel="API")(tokens.token)
app.command(rich_help_panel="API")(contract.openapi)


def main() -> None:
    """The console script."""
    app()

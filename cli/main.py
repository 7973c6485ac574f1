"""The `rides` command: one line per command, each in a file of its own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from pydantic import ValidationError


class _Explained(TyperGroup):
    """Commands of which a missing server or setting is said in a line, with its fix."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            explained = _explained(error)
            if explained is None:
                raise
            typer.secho(explained, err=True, fg=typer.colors.RED)
            raise typer.Exit(1) from error


# Of what PostgreSQL says when it is reached, but lets nobody in.
_REFUSALS = ("authentication failed", "does not exist", "pg_hba.conf")


def _explained(error: BaseException) -> str | None:
    """What to do about it, and what was said; None for what is no matter of the surroundings."""
    from elasticsearch import TransportError
    from psycopg.errors import OperationalError, UndefinedColumn, UndefinedFunction, UndefinedTable
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

    from runtime.settings import MissingSecretError

    match error:
        case MissingSecretError():
            return str(error)
        case ValidationError(title="Settings"):
            return "\n".join(_wrong_settings(error))
        case DBAPIError(orig=BaseException() as said):
            return _explained(said)
        case UndefinedTable():
            fix = "The database has no tables yet: run `rides migrate`."
        case UndefinedColumn() | UndefinedFunction():
            fix = "The database is older than this code: run `rides migrate`."
        case OperationalError() if any(each in str(error) for each in _REFUSALS):
            fix = "PostgreSQL refuses RIDES_DATABASE_URL: check its user, password and database."
        case OperationalError():
            fix = "PostgreSQL (RIDES_DATABASE_URL) does not answer. `rides up` starts one."
        case TransportError():
            fix = "Elasticsearch (RIDES_ELASTICSEARCH_URL) does not answer. `rides up` starts one."
        case _:
            return None
    return f"{fix}\n({error})"


def _wrong_settings(error: "ValidationError") -> Iterator[str]:
    """Each by its variable, without its value, which may be a secret."""
    for each in error.errors(include_input=False, include_url=False):
        name = "RIDES_" + "__".join(map(str, each["loc"])).upper()
        message = each["msg"].removeprefix("Value error, ")
        yield f"{name}: {message}" if each["loc"] else message


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

"""The `rides` command: one line per command, each in a file of its own."""

import sys

import typer

from cli import importing, indexing, seeding, servers, serving, tokens

app = typer.Typer(
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

app.command(rich_help_panel="Search index")(indexing.reindex)
app.add_typer(indexing.app, name="index", rich_help_panel="Search index")

app.command(rich_help_panel="API")(serving.serve)
app.command(rich_help_panel="API")(tokens.token)


def main() -> None:
    """The console script; what a server or the environment lacks is said with its fix."""
    try:
        app()
    except Exception as error:
        fix = _fix(error)
        if fix is None:
            raise
        typer.secho(f"{fix}\n({error})", err=True, fg=typer.colors.RED)
        sys.exit(1)


def _fix(error: Exception) -> str | None:
    from elastic_transport import ConnectionError as ElasticsearchConnectionError
    from psycopg.errors import OperationalError, UndefinedTable
    from pydantic import ValidationError

    match error:
        case UndefinedTable():
            return "The database has no tables yet: run `rides migrate`."
        case OperationalError():
            return 'PostgreSQL does not answer: see RIDES_DATABASE_URL, or run eval "$(rides up)".'
        case ElasticsearchConnectionError():
            return "Elasticsearch does not answer: see RIDES_ELASTICSEARCH_URL, or `rides up`."
        case ValidationError(title="Settings"):
            return "A RIDES_* variable is wrong."
        case _:
            return None

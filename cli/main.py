"""The `rides` command: one line per command, each in a file of its own."""

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
    """The console script."""
    app()

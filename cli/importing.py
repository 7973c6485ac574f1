"""`rides import`: listing files, catalogues and reviews into the marketplace."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from runtime.settings import settings

if TYPE_CHECKING:
    from listings.importing import Result
    from listings.report import Report


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="CSV or JSON lines, plain or gzip"),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, then take it back.")
    ] = False,
    report_file: Annotated[
        typer.FileTextWrite | None,
        typer.Option(
            "--report",
            help="Write every finding to this file, as JSON lines.",
            encoding="utf-8",
            lazy=False,
        ),
    ] = None,
) -> None:
    """Load listings, fill them from catalogues and hang reviews on them.

    The format of a file is told by what is in it. Listings are loaded first, then catalogues, then
    reviews, whatever the order of the files. A second run changes nothing. Rows that cannot be
    loaded are reported and do not fail the command; a file that cannot be read does.
    """
    from listings import importing
    from listings.report import Report
    from models.session import connect

    output, errors = Console(), Console(stderr=True)
    with ExitStack() as stack:
        report = Report(report_file)
        connection = stack.enter_context(connect(settings(), application="import"))
        progress = stack.enter_context(_progress(errors))
        tasks = {
            path: progress.add_task(escape(path.name), total=path.stat().st_size) for path in files
        }
        results = importing.import_files(
            connection,
            files,
            report,
            dry_run=dry_run,
            on_progress=lambda path, read: progress.update(tasks[path], completed=read),
        )
    output.print(_summary(results, dry_run))
    for table in _findings(report):
        output.print(table)
    for result in results:
        if result.error is not None:
            errors.print(f"{result.file}: {result.error}", style="red", markup=False)
    if any(result.error is not None for result in results):
        raise typer.Exit(1)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _summary(results: "list[Result]", dry_run: bool) -> Table:
    table = Table(title="Dry run: nothing was changed" if dry_run else "Imported")
    for heading in ("file", "format"):
        table.add_column(heading)
    for heading in ("rows", "new", "changed", "unchanged", "rejected", "filled"):
        table.add_column(heading, justify="right")
    for result in results:
        filled = ", ".join(f"{field} {n:,}" for field, n in result.filled.items())
        counts = (
            result.rows, result.inserted, result.changed, result.unchanged, result.rejected
        )  # fmt: skip
        table.add_row(
            escape(result.file), result.format or "unknown", *(f"{n:,}" for n in counts), filled
        )
    return table


def _findings(report: "Report") -> Iterator[Table]:
    """A table per file: the most frequent findings, with the first of each as an example."""
    for file, groups in groupby(report.groups(), key=lambda group: group.first.file):
        table = Table(title=escape(file), title_justify="left")
        table.add_column("times", justify="right")
        for heading in ("what", "field", "reason", "first line", "example"):
            table.add_column(heading)
        for group in groups:
            first = group.first
            example = first.value if first.became is None else f"{first.value} → {first.became}"
            table.add_row(
                f"{group.count:,}", first.action, escape(first.field), escape(first.reason),
                str(first.line), escape(example[:60]),
            )  # fmt: skip
        yield table

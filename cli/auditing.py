"""`rides audit`: is what can be found what the database says?"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cli import exits
from cli.indexing import findings_table, servers
from cli.progress import counted

if TYPE_CHECKING:
    from indexer.audit import Result


def audit(
    repair: Annotated[
        bool, typer.Option("--repair", help="Mark what is wrong dirty: the drain writes it anew.")
    ] = False,
    sample: Annotated[
        int | None, typer.Option(min=1, help="So many vehicles at random instead of all.")
    ] = None,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Compare parsed documents, field by field, instead of content hashes."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, for machines.")
    ] = False,
) -> None:
    """Hold every vehicle of every index, and of PostgreSQL's search table, against the database.

    Both ways, in the order of ids: missing (listed, not found), stale (found with another content),
    extra (found, not listed) and, with --deep, differing (another content behind the right hash).
    What is changing just now is looked at again once it is not. Exit code 0 also where --repair
    has marked everything that was wrong.
    """
    from indexer import audit as auditing

    console = Console(stderr=True)
    started = time.monotonic()
    with servers("audit") as site, counted(console) as bar:
        row: Any = site.connection.execute(
            "SELECT count(*) FROM vehicles WHERE status = 'listed'"
        ).fetchone()
        task = bar.add_task("Comparing", total=sample or row[0])
        try:
            results = auditing.audit(
                site.connection,
                site.client,
                repair=repair,
                sample=sample,
                deep=deep,
                on_progress=lambda checked: bar.update(task, completed=checked),
            )
        except auditing.AuditError as error:
            bar.stop()
            console.print(f"[red]No audit:[/red] {escape(str(error))}", soft_wrap=True)
            raise typer.Exit(exits.FAILED) from error
        bar.update(task, completed=results[0].checked, total=results[0].checked)
    _say(results, time.monotonic() - started, as_json=as_json)
    if any(result.findings for result in results) and not repair:
        raise typer.Exit(exits.DIFFERENCES)


def _say(results: list[Result], seconds: float, *, as_json: bool) -> None:
    if as_json:
        said = {
            "seconds": round(seconds, 1),
            "vehicles_per_second": round(results[0].checked / seconds),
            "stores": [_counts(result) | asdict(result) for result in results],
        }
        typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2))
        return
    console = Console()
    shown = [_counts(r) | {"changing": r.pending, "refused": r.refused} for r in results]
    # What is rarely anything is only shown then.
    names = ["missing", "stale", "extra"]
    names += [
        name for name in ("differing", "changing", "refused") if any(row[name] for row in shown)
    ]
    table = Table(Column("Store", no_wrap=True), "Vehicles", *map(str.capitalize, names))
    for result, row in zip(results, shown, strict=True):
        table.add_row(result.store, f"{result.checked:,}", *(f"{row[name]:,}" for name in names))
    console.print(table)
    findings = [finding for result in results for finding in result.findings]
    if findings:
        console.print(findings_table(findings))
    vehicles = len({finding.vehicle_id for finding in findings})
    if any(result.repaired for result in results):
        console.print(f"{vehicles:,} vehicles are marked dirty: the drain writes them anew.")
    elif findings:
        console.print(f"{vehicles:,} vehicles are wrong: `rides audit --repair` mends them.")
    rate = results[0].checked / seconds
    console.print(f"Compared in {seconds:.1f} s: {rate:,.0f} vehicles/s.")


def _counts(result: Result) -> dict[str, int]:
    from indexer.compare import Kind

    return {str(kind): result.count(kind) for kind in Kind}

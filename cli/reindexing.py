"""`rides reindex`: a new index beside the live one, at noon, and nobody notices."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from cli.indexing import refused, servers
from cli.progress import counted

if TYPE_CHECKING:
    from rich.progress import Progress

    from cli.indexing import Site
    from indexer.builds import Build


@dataclass(frozen=True, slots=True)
class _Options:
    max_rate: int | None
    celery: int
    as_json: bool


def reindex(
    if_needed: Annotated[
        bool,
        typer.Option(
            "--if-needed",
            help="Only when no index is live, its mapping is not the code's, or the database was "
            "restored.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    max_rate: Annotated[
        int | None, typer.Option(min=1, help="Vehicles a second at most, to spare the servers.")
    ] = None,
    celery: Annotated[
        int,
        typer.Option(
            min=0,
            max=32,
            help="Ask so many Celery tasks to help (workers of the queue indexer-slow).",
        ),
    ] = 0,
    local: Annotated[
        bool, typer.Option("--local", help="Fill from this process alone; the default.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, for machines.")
    ] = False,
) -> None:
    """Build a new index beside the live one and swap it in; searches go on meanwhile.

    The table from which PostgreSQL answers is mended by the same reading; where no Elasticsearch
    is configured, it alone.

    Nothing that is written during the rebuild is missed. Before the swap every vehicle is compared
    with the database, by id and content: not one difference may remain. The previous index is kept
    and fed for `rides index rollback`; the one before it is removed. After a crash or Ctrl-C the
    same command goes on from the last page; `rides index prune` gives it up.
    """
    if local and celery:
        msg = "--local and --celery exclude each other"
        raise typer.BadParameter(msg)
    console = Console(stderr=True)
    with servers("reindex") as site:
        reason = _reason(site, if_needed=if_needed)
        if reason is None:
            console.print("The index is live and its mapping is current: nothing to do.")
            if as_json:
                typer.echo(orjson.dumps({"needed": False}))
            return
        if if_needed:
            console.print(f"Reindexing because {reason}.")
        for line in _changes(site):
            console.print(f"The mapping of the code is another one: {line}.", markup=False)
        if dry_run:
            _say_what_would_be_done(site, console, as_json=as_json)
            return
        result = _run(site, console, _Options(max_rate, celery, as_json))
    console.print(f"Searches now read [bold]{result['index']}[/bold].")
    console.print(_took(result))
    if result["dead_letters"]:
        console.print(
            f"{result['dead_letters']} vehicles were refused: `rides index dead-letters list`."
        )
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2))


def _took(result: dict[str, Any]) -> str:
    checking = result["seconds_checking"]
    tail = f", {checking:.1f} s of them to check each" if checking else ""
    return f"{result['vehicles']:,} vehicles in {result['seconds']:.1f} s{tail}."


def _reason(site: Site, *, if_needed: bool) -> str | None:
    from indexer import rebuild, search_table

    if not if_needed:
        return "asked for"
    if site.client is None:
        return search_table.needed(site.connection)
    return rebuild.needed(site.connection, site.client, site.alias)


def _changes(site: Site) -> list[str]:
    from elasticsearch import ApiError

    from indexer import builds

    current = builds.serving(site.connection)
    if site.client is None or current is None:
        return []
    try:
        return builds.mapping_changes(site.client, current)
    except ApiError:  # the index is gone: that is why there is a reindex
        return []


def _run(site: Site, console: Console, options: _Options) -> dict[str, Any]:
    from indexer import letters, rebuild
    from search.postgres.columns import TABLE

    started = time.monotonic()
    resumed = site.client and rebuild.interrupted(site.connection, site.client)
    with refused(console, as_json=options.as_json), counted(console) as bar:
        fill = bar.add_task("Going on" if resumed else "Reindexing")
        sent = [0]
        check = _Check(bar, sent)

        def show(done: int, total: int) -> None:
            sent[0] = done
            bar.update(fill, completed=done, total=total)

        if site.client is None:
            rebuild.refill(site.connection, show)
            name = TABLE
        else:
            name = rebuild.rebuild(
                site.connection,
                site.client,
                site.alias,
                show,
                on_check=check,
                max_rate=options.max_rate and options.max_rate / (1 + options.celery),
                summon=_summoner(options) if options.celery else None,
            ).index_name
    ended = time.monotonic()
    seconds = ended - started
    return {
        "needed": True,
        "index": name,
        "resumed": bool(resumed),
        "vehicles": sent[0],
        "seconds": round(seconds, 1),
        "seconds_checking": round(ended - check.began, 1) if check.began else 0,
        "vehicles_per_second": round(sent[0] / seconds),
        "dead_letters": letters.count(site.connection, name),
    }


class _Check:
    """The bar of the check, and when it began."""

    def __init__(self, bar: Progress, sent: list[int]) -> None:
        self._bar, self._sent = bar, sent
        self._task: Any = None
        self.began: float | None = None

    def __call__(self, checked: int) -> None:
        if self.began is None:
            self.began = time.monotonic()
            self._task = self._bar.add_task("Checking", total=self._sent[0])
        self._bar.update(self._task, completed=checked)


def _summoner(options: _Options) -> Any:
    from indexer import tasks
    from indexer.rebuild import SUMMON_S

    rate = options.max_rate and options.max_rate / (1 + options.celery)

    def summon(build: Build) -> None:
        for _ in range(options.celery):
            tasks.fill.apply_async((build.id, rate), expires=SUMMON_S)

    return summon


def _say_what_would_be_done(site: Site, console: Console, *, as_json: bool) -> None:
    from indexer import builds, rebuild, slices
    from models import BuildState

    row: Any = site.connection.execute(
        "SELECT count(*) FROM vehicles WHERE status = 'listed'"
    ).fetchone()
    left = site.client and rebuild.interrupted(site.connection, site.client)
    serving = builds.serving(site.connection)
    removed = builds.builds(site.connection, builds.REMOVABLE)
    removed += [
        build
        for build in builds.builds(site.connection, [BuildState.BUILDING])
        if not left or build.id != left.id
    ]
    outlook = {
        "vehicles": row[0],
        "resumes": left.index_name if left else None,
        "already_sent": slices.progress(site.connection, left.id)[0] if left else 0,
        "kept_on_standby": serving.index_name if serving else None,
        "removes": [build.index_name for build in removed],
        "mapping_changes": _changes(site),
    }
    if as_json:
        typer.echo(orjson.dumps(outlook, option=orjson.OPT_INDENT_2))
        return
    if left:
        console.print(
            f"Would go on with {left.index_name}: {outlook['already_sent']:,} of {row[0]:,} "
            "vehicles are in it."
        )
    else:
        console.print(f"Would make a new index of {row[0]:,} vehicles.")
    if serving:
        console.print(f"Would keep {serving.index_name} on standby, for `rides index rollback`.")
    if removed:
        console.print(f"Would remove {escape(', '.join(outlook['removes']))}.")

"""`rides reindex` and `rides index status`, as an operator runs them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import exits, indexing
from cli.main import app
from indexer import builds, rebuild
from tests.indexer.site import Site
from tests.indexer.test_bulk import TOO_LONG

Run = Callable[..., Result]


@pytest.fixture
def run(site: Site, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `rides …` on the site's servers, on a wide terminal."""
    monkeypatch.setattr(indexing, "settings", lambda: site.settings)
    return lambda *arguments: CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def status(run: Run) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("index", "status", "--json").stdout)
    return answer


def test_reindex_makes_the_first_index(site: Site, run: Run) -> None:
    vehicle = site.store()
    result = run("reindex")
    assert result.exit_code == 0, result.output
    assert f"Searches now read {site.serving().index_name}." in result.stderr
    assert result.stdout == ""
    assert site.found() == [vehicle]


def test_reindex_if_needed_says_why_and_then_does_nothing(
    site: Site,
    run: Run,
) -> None:
    assert "Reindexing because no index is live." in run("reindex", "--if-needed").stderr
    again = run("reindex", "--if-needed")
    assert again.exit_code == 0
    assert "nothing to do" in again.stderr
    assert len(builds.builds(site.conn)) == 1
    site.conn.execute("UPDATE index_builds SET mapping_hash = 'old'")
    assert "has mapping old, the code" in run("reindex", "--if-needed").stderr
    assert len(builds.builds(site.conn)) == 2


def test_a_second_reindex_at_once_has_an_exit_code_of_its_own_and_says_why(
    site: Site, run: Run
) -> None:
    with site.another() as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [rebuild._LOCK])
        result = run("reindex")
    assert result.exit_code == exits.BUSY
    assert "Not swapped: another `rides reindex` is running" in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", [["reindex"], ["reindex", "--if-needed"], ["index", "status"]])
@pytest.mark.parametrize(
    ("setting", "url", "variable"),
    [
        ("elasticsearch_url", "http://127.0.0.1:1", "RIDES_ELASTICSEARCH_URL"),
        ("database_url", "postgresql://rides@127.0.0.1:1/rides", "RIDES_DATABASE_URL"),
    ],
)
def test_a_server_that_is_away_is_named_with_its_setting(
    live: Site,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    setting: str,
    url: str,
    variable: str,
) -> None:
    monkeypatch.setattr(
        indexing, "settings", lambda: live.settings.model_copy(update={setting: url})
    )
    result = run(*command)
    assert result.exit_code == 1
    assert f"({variable}) does not answer" in result.stderr
    assert "Traceback" not in result.output


def test_a_database_without_tables_names_the_command_that_makes_them(
    site: Site,
    run: Run,
) -> None:
    site.conn.execute("ALTER TABLE index_builds RENAME TO elsewhere")
    result = run("index", "status")
    assert result.exit_code == 1
    assert "`rides migrate`" in result.stderr


@pytest.mark.parametrize("command", [["reindex"], ["audit"]])
def test_an_older_database_names_the_command_that_brings_it_up_to_date(
    site: Site, run: Run, command: list[str]
) -> None:
    site.store()
    # As before migration 0015.
    site.conn.execute("ALTER TABLE vehicle_search_documents DROP COLUMN item_version")
    result = run(*command)
    assert result.exit_code == 1
    assert "The database is older than this code: run `rides migrate`." in result.stderr
    assert "Traceback" not in result.output


def test_status_without_an_index_names_the_command_that_makes_one(run: Run) -> None:
    result = run("index", "status")
    assert result.exit_code == 0
    assert "No index yet: run `rides reindex`." in result.stdout
    assert status(run)["builds"] == []


def test_status_shows_builds_backlog_and_dead_letters(live: Site, run: Run) -> None:
    first = live.serving()
    live.store()
    live.store(make=TOO_LONG)
    live.drain()
    second = live.rebuild()
    live.store()
    live.conn.execute("UPDATE search_dirty SET at = at - interval '2 seconds'")

    shown = run("index", "status").stdout
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in shown.splitlines()]
    assert [second.index_name, "serving", "1"] in rows
    assert [first.index_name, "standby", "1"] in rows
    assert "Not searchable yet: 1 changes, oldest 2" in shown
    assert "Dead letters: 2." in shown

    now = status(run)
    assert [(build["index_name"], build["documents"]) for build in now["builds"]] == [
        (second.index_name, 1),
        (first.index_name, 1),
    ]
    assert now["mapping_current"] is True
    assert now["dirty_rows"] == 1
    assert 2_000 <= now["index_age_ms"] < 60_000
    assert now["dead_letters"] == 2


def test_status_says_that_the_mapping_is_old(live: Site, run: Run) -> None:
    live.conn.execute("UPDATE index_builds SET mapping_hash = 'old'")
    assert "The code has another mapping: run `rides reindex`." in run("index", "status").stdout
    assert status(run)["mapping_current"] is False


@pytest.mark.parametrize("failure", ["removed", "closed"])
def test_status_survives_an_index_that_cannot_be_read(
    live: Site,
    run: Run,
    failure: str,
) -> None:
    name = live.serving().index_name
    if failure == "removed":
        live.elastic.indices.delete(index=name)
    else:
        live.elastic.indices.close(index=name)
    assert "unreadable" in run("index", "status").stdout
    assert status(run)["builds"][0]["documents"] is None


@pytest.fixture
def run_alone(site: Site, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`rides …` where no Elasticsearch is configured."""
    without = site.settings.model_copy(update={"elasticsearch_url": ""})
    monkeypatch.setattr(indexing, "settings", lambda: without)
    return run


def test_without_elasticsearch_reindex_fills_the_search_table(site: Site, run_alone: Run) -> None:
    vehicle = site.store()
    first = run_alone("reindex", "--if-needed")
    assert "1 vehicles are not searchable" in first.stderr
    assert "Searches now read vehicle_search_view." in first.stderr
    assert site.table() == [vehicle]
    assert "nothing to do" in run_alone("reindex", "--if-needed").stderr
    assert run_alone("reindex").exit_code == 0
    assert site.indices() == set()


def test_without_elasticsearch_status_says_who_answers(live: Site, run_alone: Run) -> None:
    shown = run_alone("index", "status")
    assert shown.exit_code == 0
    assert "No Elasticsearch is configured: PostgreSQL answers every search." in shown.stdout
    assert "PostgreSQL alone would find 0 vehicles." in shown.stdout
    assert status(run_alone)["builds"][0]["documents"] is None


def test_medians_says_what_it_changed(site: Site, run: Run) -> None:
    for _ in range(10):
        site.store()
    said = [run("index", "medians").stderr.strip() for _ in range(2)]
    assert said == [
        "2 medians, 2 changed: 10 vehicles to index.",
        "2 medians, 0 changed: 0 vehicles to index.",
    ]

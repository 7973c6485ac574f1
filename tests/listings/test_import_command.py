"""`rides import` as it is typed."""

import json

import pytest
import typer
from typer.testing import CliRunner

from cli import importing
from runtime.settings import settings as process_settings
from tests.listings.files import TURO_US, vehicles, write_csv

app = typer.Typer()
app.command()(importing.import_files)


@pytest.fixture
def rides_import(monkeypatch, settings):
    monkeypatch.setenv("RIDES_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("COLUMNS", "200")
    process_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])
    process_settings.cache_clear()


def test_rejected_rows_are_shown_and_do_not_fail_the_command(conn, tmp_path, rides_import):
    file = write_csv(tmp_path / "us.csv", TURO_US, TURO_US | {"rate.daily": "-5"})
    report = tmp_path / "report.jsonl"
    result = rides_import(file, "--report", report)
    assert result.exit_code == 0
    assert "not a price between 0.01 and 100,000" in result.stdout
    assert len(vehicles(conn)) == 1
    assert [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()] == [
        {
            "file": str(file),
            "line": 3,
            "field": "rate.daily",
            "value": "-5",
            "reason": "not a price between 0.01 and 100,000",
            "action": "rejected",
            "became": None,
        }
    ]


def test_dry_run_says_so_and_changes_nothing(conn, tmp_path, rides_import):
    result = rides_import("--dry-run", write_csv(tmp_path / "us.csv", TURO_US))
    assert result.exit_code == 0
    assert "nothing was changed" in result.stdout
    assert vehicles(conn) == []


def test_file_that_cannot_be_read_is_exit_code_1_and_the_others_are_loaded(
    conn, tmp_path, rides_import
):
    (tmp_path / "notes.txt").write_text("nothing of use\n")
    result = rides_import(tmp_path / "notes.txt", write_csv(tmp_path / "us.csv", TURO_US))
    assert result.exit_code == 1
    assert "none of the known formats" in result.stderr
    assert len(vehicles(conn)) == 1


@pytest.mark.parametrize(
    "arguments", [[], ["no-such-file.csv"], ["--report", "no/such/dir/r", "."]]
)
def test_wrong_use_is_exit_code_2(rides_import, arguments):
    assert rides_import(*arguments).exit_code == 2

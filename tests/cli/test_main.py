"""What `rides` says when its surroundings are wrong: what is, and what to do about it."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.engine import make_url
from typer.testing import CliRunner, Result

from cli.main import app
from runtime.settings import settings

Run = Callable[..., Result]
COMMANDS = [["migrate"], ["index", "status"], ["token", "--account", "1"]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run `rides …` with variables of its own; an empty secret is one that is not set."""

    def rides(*arguments: str, **variables: str) -> Result:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        if variables.get("RIDES_SECRET_KEY") == "":
            monkeypatch.delenv("RIDES_SECRET_KEY")
        settings.cache_clear()
        return CliRunner().invoke(app, arguments)

    yield rides
    monkeypatch.undo()
    settings.cache_clear()


def says(result: Result) -> str:
    """The error of a command that failed as it should: without a traceback."""
    assert (result.exit_code, type(result.exception)) == (1, SystemExit), result.output
    return result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_postgresql_that_is_away_is_named(run: Run, command: list[str]) -> None:
    error = says(run(*command, RIDES_DATABASE_URL="postgresql://rides@127.0.0.1:1/rides"))
    assert "PostgreSQL (RIDES_DATABASE_URL) does not answer. `rides up` starts one." in error


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("part", ["username", "database"])
def test_postgresql_that_lets_nobody_in_is_not_said_to_be_away(
    run: Run, command: list[str], part: str
) -> None:
    url = make_url(os.environ["RIDES_TEST_SERVER"]).set(**{part: "nobody"})
    error = says(run(*command, RIDES_DATABASE_URL=url.render_as_string(hide_password=False)))
    assert "PostgreSQL refuses RIDES_DATABASE_URL: check its user, password and database" in error


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("RIDES_DATABASE_URL", "mysql://host/rides", "write one such as postgresql://user:"),
        ("RIDES_DATABASE_URL", "", "write one such as postgresql://user:"),
        ("RIDES_REDIS_URL", "localhost", "write one such as redis://"),
        ("RIDES_ELASTICSEARCH_URL", "localhost:9200", "write one such as http://host:9200"),
        ("RIDES_ELASTICSEARCH_URL", "https://host", "write one such as http://host:9200"),
        ("RIDES_PORT", "abc", "should be a valid integer"),
        ("RIDES_SECRET_KEY", "mistyped", "should have at least 32"),
        ("RIDES_OIDC__GOOGLE__ISSUER", "nowhere", "should match"),
    ],
)
def test_a_wrong_setting_is_named_by_its_variable_and_its_value_kept(
    run: Run, variable: str, value: str, message: str
) -> None:
    error = says(run("index", "status", **{variable: value}))
    (line,) = [line for line in error.splitlines() if line.startswith(f"{variable}: ")]
    assert message in line
    assert value not in line or not value


@pytest.mark.parametrize("command", [["serve"], ["token", "--account", "1"]])
def test_a_missing_secret_is_told_with_a_way_to_make_one(run: Run, command: list[str]) -> None:
    error = says(run(*command, RIDES_SECRET_KEY=""))
    assert error == (
        "RIDES_SECRET_KEY is not set: make one with `openssl rand -hex 32` and export it\n"
    )


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        served = subprocess.run(
            [sys.executable, "-m", "cli", "serve"],
            env=os.environ | {"RIDES_PORT": port},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert served.returncode != 0
    assert f"('127.0.0.1', {port}): address already in use" in served.stderr
    assert "Traceback" not in served.stdout + served.stderr

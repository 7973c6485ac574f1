import pytest
import typer
from typer.testing import CliRunner

from accounts.tokens import Principal, verify_token
from cli.tokens import token
from models import Role
from runtime.settings import settings as process_settings
from tests.factory import store_account


@pytest.fixture
def run(monkeypatch, settings, conn):
    """Call `rides token` against this worker's database."""
    monkeypatch.setenv("RIDES_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("RIDES_SECRET_KEY", settings.require_secret())
    process_settings.cache_clear()
    command = typer.Typer()
    command.command()(token)
    yield lambda *arguments: CliRunner().invoke(command, arguments)
    process_settings.cache_clear()


def test_it_prints_a_token_for_the_account_with_the_role_it_has(run, settings, conn):
    account = store_account(conn, "host")
    result = run("--account", str(account))
    principal = verify_token(result.stdout.strip(), secret=settings.require_secret())
    assert principal == Principal(account, Role.HOST)


def test_an_account_that_does_not_exist_is_an_error(run):
    result = run("--account", "7")
    assert result.exit_code == 2
    assert "there is no account 7" in result.stderr
    assert result.stdout == ""

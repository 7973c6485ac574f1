"""`alembic check`, on a PostgreSQL of its own for two seconds: models and migrations must agree."""

import os
import shutil
import signal
from secrets import token_hex

from alembic import command
from alembic.config import Config

from devstack import places, postgres, processes
from runtime.settings import settings


def main() -> None:
    """Migrate an empty database and compare it with the models; exits with 1 where they differ."""
    state_dir = settings().state_dir.absolute() / "check"
    state_dir.mkdir(parents=True, exist_ok=True)
    data = places.data_dir(state_dir)
    port, password = processes.free_port(), token_hex()
    pid = postgres.start(data, port=port, password=password, durable=False)
    created = processes.creation_time(pid)
    try:
        os.environ["RIDES_DATABASE_URL"] = postgres.url(port, password)
        settings.cache_clear()
        config = Config(toml_file="pyproject.toml")
        command.upgrade(config, "head")
        command.check(config)
    finally:
        # SIGINT is PostgreSQL's fast shutdown.
        processes.end(pid, created, polite=signal.SIGINT, patience=10)
        shutil.rmtree(data)
        shutil.rmtree(state_dir)


main()

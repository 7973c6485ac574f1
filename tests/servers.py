"""The real servers that a test run uses: found, or started once by pytest's controller."""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

import docker
import psutil
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from devstack import elasticsearch, postgres, stack, valkey, versions
from devstack.processes import DevstackError, wait_until
from devstack.stack import Servers
from runtime.settings import settings

_VARIABLES = ("RIDES_DATABASE_URL", "RIDES_REDIS_URL", "RIDES_ELASTICSEARCH_URL")
_CONTAINER_SECONDS = 180

_cleanup = ExitStack()


def start() -> Servers:
    """Find or start the servers and export their URLs, for this process and its children.

    Looked for in this order: the `RIDES_*_URL` variables, all three set; what `rides up` runs; a
    container engine; the servers of `devstack`, started for this run.

    Raises:
        RuntimeError: Elasticsearch cannot be had and `CI=true`; the message names the fix.
        DevstackError: a server does not start.
    """
    try:
        servers = test_servers()
    except BaseException:
        stop()
        raise
    if servers.missing is not None:
        if os.environ.get("CI") == "true":
            stop()
            raise RuntimeError(servers.missing)
        sys.stderr.write(f"\nELASTICSEARCH TESTS ARE SKIPPED: {servers.missing}\n\n")
    os.environ.update(servers.environment())
    return servers


def stop() -> None:
    """Stop what `start` has started, and only that."""
    _cleanup.close()


def test_servers() -> Servers:
    """The servers for this run; those started here end with `stop`."""
    database, broker, engine = urls = [os.environ.get(variable) for variable in _VARIABLES]
    if database and broker and engine:
        return Servers(database, broker, engine, missing=None)
    if any(urls):
        return _own()  # honours the variables that are set
    return stack.running(settings().state_dir) or _containers() or _own()


# Pytest would otherwise collect it as a test where a test module imports it.
test_servers.__test__ = False  # type: ignore[attr-defined]


def _own() -> Servers:
    # A directory per run: two runs at once must not stop each other's servers.
    runs = settings().state_dir / "tests"
    if runs.is_dir():
        for abandoned in runs.iterdir():
            if not (abandoned.name.isdigit() and psutil.pid_exists(int(abandoned.name))):
                remove(abandoned)
    state_dir = runs / str(os.getpid())
    _cleanup.callback(remove, state_dir)
    return stack.up(state_dir, durable=False, short_lived=True, on_step=_say)


def remove(state_dir: Path) -> None:
    """Stop the servers of a state directory and remove it with their data."""
    stack.down(state_dir)
    data = (state_dir / "servers").resolve()  # may lie elsewhere, see devstack.places
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(state_dir, ignore_errors=True)


def _say(step: str) -> None:
    sys.stderr.write(f"{step}\n")


def _containers() -> Servers | None:
    if not _engine_answers():
        return None
    _say("starting containers")
    password = token_hex(16)
    database = DockerContainer(
        versions.POSTGRES_IMAGE,
        ports=[versions.POSTGRES_PORT],
        env={"POSTGRES_USER": "rides", "POSTGRES_PASSWORD": password, "POSTGRES_DB": "rides"},
        command="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        " -c max_connections=200 -c timezone=UTC",
    )
    broker = DockerContainer(versions.VALKEY_IMAGE, ports=[versions.VALKEY_PORT])
    heap = f"-Xms{elasticsearch.HEAP} -Xmx{elasticsearch.HEAP}"
    engine = DockerContainer(
        versions.ELASTICSEARCH_IMAGE,
        ports=[versions.ELASTICSEARCH_PORT],
        env=elasticsearch.SETTINGS | {"ES_JAVA_OPTS": heap},
    )
    for container in (database, broker, engine):
        _cleanup.enter_context(container)
    servers = Servers(
        f"postgresql://rides:{password}@{_address(database, versions.POSTGRES_PORT)}/rides",
        f"redis://{_address(broker, versions.VALKEY_PORT)}/0",
        f"http://{_address(engine, versions.ELASTICSEARCH_PORT)}",
        missing=None,
    )
    _await(postgres.check, servers.database_url)
    _await(valkey.check, servers.redis_url)
    _await(elasticsearch.check, str(servers.elasticsearch_url))
    return servers


def _engine_answers() -> bool:
    # Asking in vain would leave one of the library's sockets open, which is a failure here.
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return False
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except DockerException:
        return False
    finally:
        client.close()


def _address(container: DockerContainer, port: int) -> str:
    return f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}"


def _await(check: Callable[[str], str | None], url: str) -> None:
    if not wait_until(lambda: check(url) is None, timeout=_CONTAINER_SECONDS):
        raise DevstackError(f"a container does not answer: {check(url)}")

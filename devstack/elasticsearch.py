"""Elasticsearch without containers: the same server from a Maven artifact, run by a local JDK."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from elasticsearch import ApiError, Elasticsearch, TransportError

from devstack import analysis, jdk, places, processes
from devstack.processes import DevstackError
from devstack.versions import (
    ELASTICSEARCH_ARTIFACT,
    ELASTICSEARCH_SHA256,
    ELASTICSEARCH_VERSION,
    JDK_MINIMUM,
    MAVEN_COPY_GOAL,
)

SETTINGS: Final = {
    "discovery.type": "single-node",
    "xpack.security.enabled": "false",
    # A disk that is 90 % full is normal on a developer's machine.
    "cluster.routing.allocation.disk.threshold_enabled": "false",
    # A late write must not bring a pruned index build back to life, with guessed types.
    "action.auto_create_index": "-vehicles-*,+*",
}
"""What the server must be told wherever it runs; as variables of a container just the same."""

HEAP: Final = "512m"

# At boot the server attaches an agent to itself through a socket in this directory, whatever
# `java.io.tmpdir` says; where it cannot, it dies after ten seconds with an obscure message.
_ATTACH_DIR = Path("/tmp")  # noqa: S108
_BOOT_SECONDS = 180
_DOWNLOAD_SECONDS = 900
_WAYS_OUT = (
    "set RIDES_ELASTICSEARCH_URL to a running one, or use a container engine "
    "(`docker compose up -d elasticsearch`)"
)


class ElasticsearchUnavailableError(DevstackError):
    """This machine cannot have the server; the message is one line that names every way out."""


def url(port: int) -> str:
    """The URL of the server."""
    return f"http://127.0.0.1:{port}"


def install(on_step: Callable[[str], None]) -> tuple[Path, Path]:
    """The server's home, downloaded and completed with the plugin if missing, and the JDK's home.

    Raises:
        ElasticsearchUnavailableError: no JDK, no Maven, or the download failed.
        DevstackError: the artifact or the plugin is broken.
    """
    java = jdk.newest()
    if java is None:
        raise ElasticsearchUnavailableError(
            f"Elasticsearch cannot start: no JDK >= {JDK_MINIMUM} was found. Install one together "
            f"with Maven (and set JAVA_HOME if it is in an unusual place); or {_WAYS_OUT}"
        )
    cache = places.cache_dir()
    home = cache / f"elasticsearch-{ELASTICSEARCH_VERSION}-{analysis.fingerprint()}"
    with places.locked(cache / "elasticsearch.lock", timeout=_DOWNLOAD_SECONDS + 60):
        if not home.exists():
            partial = cache / "elasticsearch.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            archive = _download(partial, on_step)
            on_step("Elasticsearch: unpacking and compiling the analysis plugin (once)")
            unpacked = _unpack(archive, partial)
            analysis.install(unpacked, java, partial / "plugin.log")
            _open_to_all(unpacked)
            unpacked.rename(home)
            shutil.rmtree(partial)
    return home, java


def pid_file(data: Path) -> Path:
    """Where the server writes its pid."""
    return data / "elasticsearch" / "elasticsearch.pid"


def start(data: Path, home: Path, java: Path, *, port: int, short_lived: bool) -> int:
    """Start the server on its data under `data` and wait until it answers; its pid.

    Args:
        data: the directory of all servers' data.
        home: the server's, from `install`.
        java: the JDK's home.
        port: where it listens.
        short_lived: True for one that lives for minutes: its JVM compiles quickly, not well, which
            takes half the CPU to boot and to serve a test run (docs/adr/0044).

    Raises:
        DevstackError: it does not start; carries the last log lines and names the log file.
    """
    if not places.allows("-w", _ATTACH_DIR):
        raise DevstackError(
            f"Elasticsearch cannot start: its account may not write to {_ATTACH_DIR}, where a JVM "
            "has its attach socket. The mode is normally 1777: restore it with "
            f"`chmod 1777 {_ATTACH_DIR}`"
        )
    own = places.own_dir(data / "elasticsearch")
    shutil.rmtree(own / "tmp", ignore_errors=True)
    for part in ("data", "logs", "tmp"):
        places.own_dir(own / part)
    _configure(own, home, port=port, short_lived=short_lived)
    log = own / "logs" / "console.log"
    log.unlink(missing_ok=True)
    processes.run(
        [home / "bin" / "elasticsearch", "--daemonize", "--pidfile", pid_file(data)],
        what="Elasticsearch",
        log=log,
        timeout=_BOOT_SECONDS,
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(own),
            "ES_JAVA_HOME": str(java),
            "ES_PATH_CONF": str(own / "config"),
            "ES_TMPDIR": str(own / "tmp"),
            "CLI_JAVA_OPTS": f"-Djava.io.tmpdir={own / 'tmp'}",  # of the launcher
        },
    )
    pid = int(pid_file(data).read_text())
    with Elasticsearch(url(port), request_timeout=60) as client:
        # Its shards open now. After a crash a large one replays its log for longer than this, and
        # one that never opens is for a rebuild of the index to heal: the server is up all the same.
        client.options(ignore_status=408).cluster.health(wait_for_status="yellow", timeout="30s")
    return pid


def check(server_url: str) -> str | None:
    """What keeps the server at `server_url` from answering, or None if it answers."""
    try:
        with Elasticsearch(server_url, request_timeout=10, max_retries=0) as client:
            # Not `client.info()`: this distribution answers 405 to `GET /`.
            # Any status will do: it is red for a moment whenever an index is created.
            client.cluster.health()
    except (ApiError, TransportError, ValueError) as error:
        return str(error)
    return None


def _download(into: Path, on_step: Callable[[str], None]) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise ElasticsearchUnavailableError(
            "Elasticsearch cannot be fetched: Maven (`mvn`) was not found. "
            f"Install it; or {_WAYS_OUT}"
        )
    on_step(f"Elasticsearch: fetching {ELASTICSEARCH_VERSION} with Maven (130 MB, once)")
    log = places.cache_dir() / "maven.log"
    log.unlink(missing_ok=True)
    try:
        processes.run(
            # Without --strict-checksums: mirrors may lack the checksum files, and `_unpack`
            # compares the archive with a digest of our own.
            [maven, "--quiet", "--batch-mode", MAVEN_COPY_GOAL,
             f"-Dartifact={ELASTICSEARCH_ARTIFACT}", f"-DoutputDirectory={into}"],
            what="Maven", log=log, timeout=_DOWNLOAD_SECONDS,
            cwd=into,  # away from any project: Maven would read its pom.xml
            as_caller=True,  # the local repository and the mirror settings are the caller's
        )  # fmt: skip
    except DevstackError as error:
        raise ElasticsearchUnavailableError(
            f"Elasticsearch could not be fetched, see {log}. Repair Maven's access; or {_WAYS_OUT}"
        ) from error
    return into / f"elasticsearch-{ELASTICSEARCH_VERSION}.zip"


def _unpack(archive: Path, into: Path) -> Path:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != ELASTICSEARCH_SHA256:
        raise DevstackError(f"{archive.name} is not the expected one: its SHA-256 is {digest}")
    with zipfile.ZipFile(archive) as content:
        content.extractall(into)
    return into / f"elasticsearch-{ELASTICSEARCH_VERSION}"


def _open_to_all(home: Path) -> None:
    # The archive carries no run bits, and a strict umask would close the tree to `nobody`.
    home.chmod(0o755)
    for path in home.rglob("*"):
        runnable = path.is_dir() or path.parent == home / "bin"
        path.chmod(0o755 if runnable else 0o644)


def _configure(own: Path, home: Path, *, port: int, short_lived: bool) -> None:
    config = own / "config"
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(home / "config", config)
    settings = {
        "cluster.name": "island-rides",
        "node.name": "island-rides",
        "path.data": str(own / "data"),
        "path.logs": str(own / "logs"),
        "network.host": "127.0.0.1",
        "http.port": str(port),
        "transport.port": str(processes.free_port()),
    } | SETTINGS
    text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())
    (config / "elasticsearch.yml").write_text(text)
    options = [f"-Xms{HEAP}", f"-Xmx{HEAP}"] + ["-XX:TieredStopAtLevel=1"] * short_lived
    (config / "jvm.options.d" / "own.options").write_text("\n".join(options) + "\n")
    for path in [config, *config.rglob("*")]:
        processes.service_account().own(path)

"""Finding a JDK that can compile the analysis plugin and run Elasticsearch."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from devstack import places
from devstack.versions import JDK_MINIMUM

_INSTALLED = (
    "/usr/lib/jvm/*",
    "/opt/java/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
)


def newest() -> Path | None:
    """The home of the newest JDK that is new enough and that the service account can run.

    A JRE does not count: the plugin needs `javac`, and the server the module `jdk.jlink`.
    """
    found = [(major, home) for home in _candidates() if (major := _major(home)) is not None]
    for major, home in sorted(found, reverse=True):
        if major >= JDK_MINIMUM and places.can_reach(home / "bin" / "java"):
            return home
    return None


def _candidates() -> Iterator[Path]:
    for variable in ("ES_JAVA_HOME", "JAVA_HOME"):
        if value := os.environ.get(variable):
            yield Path(value)
    for pattern in _INSTALLED:
        yield from Path("/").glob(pattern.removeprefix("/"))
    yield from Path.home().glob(".sdkman/candidates/java/*")
    if compiler := shutil.which("javac"):
        yield Path(compiler).resolve().parent.parent


def _major(home: Path) -> int | None:
    try:
        release = (home / "release").read_text()
    except OSError:
        return None
    version = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(version[1]) if version and (home / "bin" / "javac").exists() else None

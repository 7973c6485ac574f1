"""Where the servers' binaries and data lie, such that the service account can reach them."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.processes import DevstackError, service_account

_ROOT_CACHE = Path("/var/cache/island-rides")
_ROOT_DATA = Path("/var/lib/island-rides")


def cache_dir() -> Path:
    """The cache of downloaded and compiled things: per user, for root where `nobody` can read."""
    if os.geteuid() == 0:
        return _shared(_ROOT_CACHE)
    base = os.environ.get("XDG_CACHE_HOME")
    cache = (Path(base) if base else Path.home() / ".cache") / "island-rides"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def data_dir(state_dir: Path) -> Path:
    """The servers' data directory of a state directory, made if missing.

    Normally `state_dir/servers`. Root starts servers as `nobody`, who may be unable to traverse
    the way there (a home directory is closed to others). Opening parent directories is not ours
    to do, so the data then lies under `/var/lib`, and `state_dir/servers` is a link to it. The
    name there is new each time: whoever removes the state directory expects to start afresh.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    link = state_dir / "servers"
    if not link.exists():
        link.unlink(missing_ok=True)  # a link to data that somebody has removed
        if can_reach(state_dir):
            link.mkdir(mode=0o700)
        else:
            target = tempfile.mkdtemp(prefix=f"{state_dir.name}-", dir=_shared(_ROOT_DATA))
            link.symlink_to(target)
    data = link.resolve()
    service_account().own(data)
    return data


def own_dir(path: Path) -> Path:
    """`path` as a private directory of the service account, made if missing."""
    path.mkdir(mode=0o700, exist_ok=True)
    service_account().own(path)
    return path


def _shared(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)  # ours alone, and a strict umask would close it to the service account
    return path


def write_private(path: Path, text: str) -> None:
    """Replace `path` by a file with `text` that the caller alone can read, in one step."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(path)


def can_reach(path: Path) -> bool:
    """Whether the service account can execute or traverse `path`."""
    return allows("-x", path)


def allows(test: str, path: Path) -> bool:
    """The answer of test(1), as the service account, about `path`: the kernel decides."""
    account = service_account()
    asked = subprocess.run(
        ["/usr/bin/env", "test", test, str(path)],
        check=False,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        cwd="/",
        timeout=10,
    )
    return asked.returncode == 0


def reachable_copy(tree: Path, executable: str, name: str) -> Path:
    """`tree`, or a copy in the cache where the service account cannot run `executable` in it.

    A virtual environment under root's home is closed to `nobody`.
    """
    if can_reach(tree / executable):
        return tree
    copy = cache_dir() / name
    with locked(cache_dir() / f"{name}.lock", timeout=120):
        if not copy.exists():
            partial = copy.with_name(f"{name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(tree, partial, symlinks=True)
            partial.chmod(0o755)
            partial.rename(copy)
    return copy


@contextmanager
def locked(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold an exclusive lock on the file `path`; the kernel drops it when the process dies.

    Raises:
        DevstackError: another process holds it for longer than `timeout` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise DevstackError(
                        f"another process has held {path} for over {timeout:.0f} s"
                    ) from error
                time.sleep(0.1)
        yield

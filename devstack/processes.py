"""Starting, recognising and ending server processes, and the account that they run under."""

import os
import pwd
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

# Below the range that Linux and macOS hand out to outgoing connections: a port chosen once is
# still free at the next start, and no client can sit on it between the choice and the bind.
_PORTS = range(15_000, 32_000)
_BOOT_MINUTES = 5

CANCELLED: Final[ContextVar[threading.Event]] = ContextVar("cancelled")
"""Once set, `run` ends what it runs: how a thread that starts a server is interrupted."""


class DevstackError(RuntimeError):
    """A server cannot be started or stopped; the message says which one and what to do."""


@dataclass(frozen=True)
class Account:
    """The account that servers run under.

    Elasticsearch and initdb refuse to run as root, so root starts them as `nobody`; everybody
    else starts them as themselves, which `None` stands for.
    """

    user: int | None
    group: int | None

    @property
    def extra_groups(self) -> list[int] | None:
        """Supplementary groups: none at all where the account is changed."""
        return None if self.user is None else []

    def own(self, path: Path) -> None:
        """Give `path` to the account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def service_account() -> Account:
    """The account for servers: `nobody` for root, the caller for everybody else.

    Raises:
        DevstackError: the caller is root and the machine has no account `nobody`.
    """
    if os.geteuid() != 0:
        return Account(None, None)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise DevstackError(
            "servers refuse to run as root and there is no account `nobody`: run as another user"
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    log: Path,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    as_caller: bool = False,
) -> None:
    """Run `command` to its end as the service account, its output appended to `log`.

    The command may leave a daemon behind: it gets a session of its own, so that neither Ctrl-C
    nor a closing terminal reaches it, and a file instead of a pipe, which a daemon would keep open.

    Raises:
        DevstackError: it failed, took longer than `timeout` or was cancelled; carries the log's
            last lines.
    """
    account = Account(None, None) if as_caller else service_account()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=cwd or log.parent,
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            start_new_session=True,
        )
        cancelled = CANCELLED.get(threading.Event())
        if not wait_until(
            lambda: cancelled.is_set() or process.poll() is not None, timeout=timeout
        ):
            reason = f"took longer than {timeout:.0f} s"
        elif process.returncode is None:
            reason = "was cancelled"
        elif process.returncode != 0:
            reason = f"ended with code {process.returncode}"
        else:
            return
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    raise DevstackError(f"{what} {reason}{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of `log` as the end of an error message that also names the file."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        return f" (no log at {log})"
    last = "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
    return f"; the last lines of {log}:\n{last}"


def free_port(preferred: int | None = None) -> int:
    """`preferred` if nothing listens there, else a free port of the loopback interface.

    Raises:
        DevstackError: no port is free.
    """
    candidates = random.sample(_PORTS, 200)
    for port in [preferred, *candidates] if preferred else candidates:
        with socket.socket() as probe:
            # As the servers themselves do: a connection in TIME_WAIT does not occupy the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DevstackError("no free port on 127.0.0.1")


def wait_until(answers: Callable[[], bool], *, timeout: float) -> bool:
    """Whether `answers` became true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not answers():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def creation_time(pid: int) -> float:
    """When the process started; with the pid it names a process for good, as pids come again.

    Raises:
        DevstackError: there is no such process.
    """
    try:
        return _born(psutil.Process(pid))
    except psutil.NoSuchProcess as error:
        raise DevstackError(f"process {pid} ended right after its start") from error


def _born(process: psutil.Process) -> float:
    """When it started, in seconds since boot where the system keeps that: no set clock moves it."""
    if psutil.LINUX:
        try:
            written = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            raise psutil.NoSuchProcess(process.pid) from None
        # The name, in brackets, may hold anything; the start is the 22nd field (man 5 proc).
        return int(written.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return process.create_time()


def left_behind(pid_file: Path) -> tuple[int, float] | None:
    """The live process that wrote `pid_file`, with its creation time.

    A pid alone proves nothing, since pids come again: the process must run under the service
    account and be born within the minutes before it wrote the file.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
        written = pid_file.stat().st_mtime
        process = psutil.Process(pid)
        created, born = process.create_time(), _born(process)
        owner = process.uids().effective
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    account = service_account()
    ours = owner == (os.geteuid() if account.user is None else account.user)
    return (pid, born) if ours and -1 < written - created < _BOOT_MINUTES * 60 else None


def alive(pid: int, created: float) -> bool:
    """Whether that very process still runs (a zombie does not)."""
    return _find(pid, created) is not None


def end(pid: int, created: float, *, polite: signal.Signals, patience: float) -> None:
    """End that very process: `polite` first, after `patience` seconds SIGKILL for its whole tree.

    Raises:
        DevstackError: it is still there ten seconds after SIGKILL.
    """
    process = _find(pid, created)
    if process is None:
        return
    try:
        tree = [process, *process.children(recursive=True)]
        process.send_signal(polite)
    except psutil.NoSuchProcess:
        return
    if wait_until(lambda: _find(pid, created) is None, timeout=patience):
        return
    for member in tree:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    if not wait_until(lambda: _find(pid, created) is None, timeout=10):
        raise DevstackError(f"process {pid} survives SIGKILL")


def _find(pid: int, created: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        same = abs(_born(process) - created) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None

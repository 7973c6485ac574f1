"""The three servers as one: `up`, `down` and `running`, remembered in `servers.json`."""

import json
import os
import secrets
import signal
import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path

from devstack import elasticsearch, places, postgres, processes, valkey
from devstack.elasticsearch import ElasticsearchUnavailableError
from devstack.processes import DevstackError

# Longer than a first start behind a slow line, which is what another process may be busy with.
_LOCK_SECONDS = 1200


@dataclass(frozen=True)
class Servers:
    """Where the three servers answer."""

    database_url: str
    redis_url: str
    elasticsearch_url: str | None
    """None: it cannot be had on this machine, and `missing` says why."""
    missing: str | None
    """One line that names every way to get Elasticsearch."""
    started: tuple[str, ...] = ()
    """The servers that this call of `up` has started; the others ran before."""

    def environment(self) -> dict[str, str]:
        """The `RIDES_*_URL` variables that lead a process to these servers."""
        urls = {
            "RIDES_DATABASE_URL": self.database_url,
            "RIDES_REDIS_URL": self.redis_url,
            "RIDES_ELASTICSEARCH_URL": self.elasticsearch_url,
        }
        return {variable: url for variable, url in urls.items() if url is not None}


@dataclass(frozen=True)
class _Kind:
    name: str
    variable: str
    check: Callable[[str], str | None]
    pid_file: Callable[[Path], Path]
    polite: signal.Signals
    patience: float


_POSTGRES = _Kind(
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for its clients to leave.
    "postgres", "RIDES_DATABASE_URL", postgres.check, postgres.pid_file, signal.SIGINT, 30
)  # fmt: skip
_VALKEY = _Kind(
    "valkey", "RIDES_REDIS_URL", valkey.check, valkey.pid_file, signal.SIGTERM, 10
)  # fmt: skip
_ELASTICSEARCH = _Kind(
    "elasticsearch", "RIDES_ELASTICSEARCH_URL", elasticsearch.check, elasticsearch.pid_file,
    signal.SIGTERM, 30,
)  # fmt: skip
_KINDS = (_POSTGRES, _VALKEY, _ELASTICSEARCH)


@dataclass(frozen=True)
class _Own:
    """A server that this state directory started; without a pid: once, and it is stopped."""

    url: str
    port: int
    pid: int | None
    created: float | None

    def alive(self) -> bool:
        return (
            self.pid is not None
            and self.created is not None
            and processes.alive(self.pid, self.created)
        )


@dataclass
class _State:
    """What `servers.json` holds."""

    own: dict[str, _Own] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    missing: str | None = None

    def url(self, kind: _Kind) -> str | None:
        if kind.name in self.elsewhere:
            return self.elsewhere[kind.name]
        own = self.own.get(kind.name)
        return own.url if own is not None and own.alive() else None


def up(
    state_dir: Path,
    *,
    durable: bool = True,
    short_lived: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Servers:
    """Start the servers that are not running yet, and say where all three answer.

    A `RIDES_*_URL` variable that is set names a server elsewhere, which is used instead.

    Args:
        state_dir: holds the servers' data and `servers.json`.
        durable: False for throwaway data: PostgreSQL then does not wait for the disk.
        short_lived: True for tests: Elasticsearch then compiles quickly, not well. Never where it
            is measured.
        on_step: told in one line about each step that takes long; called from several threads.

    Raises:
        DevstackError: a server does not start, or the one that a variable names does not answer;
            the servers that this call has started are stopped again.
    """
    state_dir = state_dir.absolute()
    state_dir.mkdir(parents=True, exist_ok=True)
    with places.locked(state_dir / "servers.lock", timeout=_LOCK_SECONDS):
        state = _read(state_dir)
        state.elsewhere = _elsewhere()
        boot = _Boot(state_dir, state, durable=durable, short_lived=short_lived, on_step=on_step)
        try:
            boot.all()
        except BaseException:
            _stop(state_dir, state, boot.started)
            raise
        servers = _servers(state, started=tuple(boot.started))
    if servers is None:
        raise DevstackError("a server ended right after its start: see the logs under "
                            f"{state_dir / 'servers'}")  # fmt: skip
    return servers


def down(state_dir: Path, *, only: Collection[str] | None = None) -> list[str]:
    """Stop what `up` has started in `state_dir` (of it, the names in `only`); the names stopped.

    Raises:
        DevstackError: a process survives even SIGKILL.
    """
    state_dir = state_dir.absolute()
    if not state_dir.is_dir():
        return []
    with places.locked(state_dir / "servers.lock", timeout=_LOCK_SECONDS):
        state = _read(state_dir)
        names = [name for name in state.own if only is None or name in only]
        return _stop(state_dir, state, names)


def running(state_dir: Path) -> Servers | None:
    """The servers of `state_dir` if all that it knows of still answer, else None."""
    state = _read(state_dir.absolute())
    for kind in _KINDS:
        url = state.url(kind)
        if url is not None and kind.check(url) is not None:
            return None
    return _servers(state)


class _Boot:
    """One call of `up`: brings each server to life in a thread of its own."""

    def __init__(
        self,
        state_dir: Path,
        state: _State,
        *,
        durable: bool,
        short_lived: bool,
        on_step: Callable[[str], None],
    ) -> None:
        self._state_dir = state_dir
        self._state = state
        self._durable = durable
        self._short_lived = short_lived
        self._on_step = on_step
        self._data = places.data_dir(state_dir)
        self._password = _password(self._data)
        self._guard = threading.Lock()
        self._cancelled = threading.Event()
        self.started: list[str] = []

    def all(self) -> None:
        """Bring up all three; an error of one cancels the others."""
        jobs = {
            _POSTGRES: self._postgres,
            _VALKEY: self._valkey,
            _ELASTICSEARCH: self._elasticsearch,
        }
        with ThreadPoolExecutor(len(jobs)) as pool:
            futures = [pool.submit(self._ensure, kind, start) for kind, start in jobs.items()]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:  # one failed, or Ctrl-C: leaving the block waits for the others
                self._cancelled.set()
                raise
        _write(self._state_dir, self._state)

    def _ensure(self, kind: _Kind, start: Callable[[int], tuple[str, int]]) -> None:
        if kind.name in self._state.elsewhere:
            return
        processes.CANCELLED.set(self._cancelled)  # of this thread alone
        before = self._state.own.get(kind.name)
        if before is not None and before.alive() and _answers(kind, before.url):
            return
        # Alive but mute, or left behind by an `up` that was killed before it could write it down.
        self._end_leftover(kind, before)
        port = processes.free_port(before.port if before else None)
        try:
            url, pid = start(port)
        except ElasticsearchUnavailableError as error:
            self._state.missing = str(error)
            self._on_step(str(error))
            return
        except BaseException:
            self._end_leftover(kind, None)  # it may have come up and then failed a last step
            raise
        own = _Own(url, port, pid, processes.creation_time(pid))
        with self._guard:
            self._state.own[kind.name] = own
            self.started.append(kind.name)
            _write(self._state_dir, self._state)

    def _end_leftover(self, kind: _Kind, before: _Own | None) -> None:
        found = processes.left_behind(kind.pid_file(self._data))
        if found is None and before is not None and before.pid and before.created:
            found = before.pid, before.created
        if found is not None:
            processes.end(*found, polite=kind.polite, patience=kind.patience)

    def _postgres(self, port: int) -> tuple[str, int]:
        self._on_step("PostgreSQL: starting")
        pid = postgres.start(self._data, port=port, password=self._password, durable=self._durable)
        return postgres.url(port, self._password), pid

    def _valkey(self, port: int) -> tuple[str, int]:
        self._on_step("Valkey: starting")
        pid = valkey.start(self._data, port=port, password=self._password, durable=self._durable)
        return valkey.url(port, self._password), pid

    def _elasticsearch(self, port: int) -> tuple[str, int]:
        self._state.missing = None
        home, java = elasticsearch.install(self._on_step)
        self._on_step("Elasticsearch: starting (about 15 s)")
        pid = elasticsearch.start(self._data, home, java, port=port, short_lived=self._short_lived)
        return elasticsearch.url(port), pid


def _answers(kind: _Kind, url: str) -> bool:
    # Patient: a busy server must not be taken for a broken one and restarted under its users.
    return processes.wait_until(lambda: kind.check(url) is None, timeout=30)


def _elsewhere() -> dict[str, str]:
    """Servers that the environment names, each checked.

    Raises:
        DevstackError: one does not answer; the message names the variable.
    """
    found = {kind: os.environ.get(kind.variable, "") for kind in _KINDS}
    for kind, url in found.items():
        if url and (reason := kind.check(url)) is not None:
            raise DevstackError(
                f"{kind.variable} is set, but the server there does not answer ({reason}); "
                f"start it, or unset {kind.variable} to get one here"
            )
    return {kind.name: url for kind, url in found.items() if url}


def _servers(state: _State, started: tuple[str, ...] = ()) -> Servers | None:
    database, broker, engine = (state.url(kind) for kind in _KINDS)
    if database is None or broker is None or (engine is None and state.missing is None):
        return None
    missing = state.missing if engine is None else None
    return Servers(database, broker, engine, missing, started)


def _stop(state_dir: Path, state: _State, names: Collection[str]) -> list[str]:
    stopped = []
    for kind in _KINDS:
        own = state.own.get(kind.name)
        if kind.name not in names or own is None or own.pid is None or own.created is None:
            continue
        if own.alive():
            processes.end(own.pid, own.created, polite=kind.polite, patience=kind.patience)
            stopped.append(kind.name)
        state.own[kind.name] = _Own(own.url, own.port, None, None)
    _write(state_dir, state)
    return stopped


def _password(data: Path) -> str:
    # Beside the data that it opens, so that the two are removed together.
    path = data / "password"
    if not path.exists():
        places.write_private(path, secrets.token_hex(16))
    return path.read_text()


def _read(state_dir: Path) -> _State:
    try:
        content = json.loads((state_dir / "servers.json").read_text())
    except FileNotFoundError:
        return _State()
    own = {name: _Own(**entry) for name, entry in content["own"].items()}
    return _State(own, content["elsewhere"], content["missing"])


def _write(state_dir: Path, state: _State) -> None:
    # Private, as the URLs carry a password.
    places.write_private(state_dir / "servers.json", json.dumps(asdict(state), indent=2) + "\n")

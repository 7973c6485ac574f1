"""`rides demo`: the whole marketplace in one command, and nothing left of it after Ctrl-C."""

import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlencode

import typer

from cli.mails import Mails
from devstack import places, processes, stack
from devstack.processes import DevstackError, tail, wait_until
from devstack.stack import Servers
from runtime.settings import CONSOLE, settings

_READY_SECONDS = 60
_STOP_SECONDS = 8
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RIDES = (sys.executable, "-m", "cli")


def run(vehicles: int) -> None:
    """Start everything and serve it until a signal says to end.

    Raises:
        DevstackError: something does not start, or ends by itself; the message says which.
    """
    try:
        with _interruptible():
            _run(settings().state_dir.absolute(), vehicles)
    except KeyboardInterrupt:
        typer.echo("stopped")


class _Person(NamedTuple):
    """One of the example marketplace's people, ready to sign in; `token` is good for 12 hours."""

    email: str
    password: str
    token: str


def demo_people() -> dict[str, _Person]:
    """A renter, a host and an admin by role, with new passwords."""
    from accounts.ready_made import let_sign_in
    from accounts.tokens import BY_HAND_TTL, sign_token
    from listings.demo.people import people
    from models.session import connect

    secret = settings().require_secret()
    found = {}
    with connect(settings(), application="demo") as connection:
        for role, account in people(connection).items():
            email, password = f"{role}@example.org", secrets.token_urlsafe(12)
            let_sign_in(connection, account, email=email, password=password)
            token = sign_token(account, role, secret=secret, ttl=BY_HAND_TTL)
            found[role] = _Person(email, password, token)
    return found


def _run(state_dir: Path, vehicles: int) -> None:
    # One demo per state directory; whoever holds the lock may end what a killed one left behind.
    with places.locked(state_dir / "demo.lock", timeout=1):
        _end_leftovers(state_dir)
        _require_port()
        _serve(state_dir, vehicles)


def _serve(state_dir: Path, vehicles: int) -> None:
    servers = stack.up(state_dir, on_step=typer.echo)
    children: list[_Child] = []
    try:
        _enter_environment(state_dir, servers)
        _step("migrate")
        _step("seed", "--if-empty", "--vehicles", str(vehicles))
        _step("reindex", "--if-needed")
        children.append(_Child.start("API", [*_RIDES, "serve"], state_dir / "logs" / "api.log"))
        children.append(
            _Child.start("indexer", _worker(state_dir), state_dir / "logs" / "worker.log")
        )
        _note_children(state_dir, children)
        _await_ready(children)
        people = demo_people()
        _write_down(state_dir, servers, people)
        _introduce(people)
        if servers.missing is not None:
            _warn(servers.missing)
        _supervise(children, Mails(children[-1].log))
    finally:
        with _handling(signal.SIG_IGN):
            (state_dir / "demo.json").unlink(missing_ok=True)
            for child in children:
                child.ask_to_end()
            for child in children:
                child.end()
            (state_dir / "children.json").unlink(missing_ok=True)
            stack.down(state_dir, only=servers.started)


@dataclass(frozen=True)
class _Child:
    """A process of the demo, the leader of a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, name: str, command: list[str], log: Path) -> "_Child":
        """Start `command` out of Ctrl-C's reach, its output in `log`."""
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, log)

    def require_alive(self) -> None:
        """Raise DevstackError with the last lines of the log if the process has ended."""
        if (code := self.process.poll()) is not None:
            raise DevstackError(f"the {self.name} ended with code {code}{tail(self.log)}")

    def ask_to_end(self) -> None:
        """Ask the leader alone: the worker's own children end with the work in hand."""
        if self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """Wait for the leader a while, then end whatever is left of the group."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        _kill_group(self.process)


def _note_children(state_dir: Path, children: list[_Child]) -> None:
    pids = [child.process.pid for child in children]
    noted = [(pid, processes.creation_time(pid)) for pid in pids]
    (state_dir / "children.json").write_text(json.dumps(noted))


def _end_leftovers(state_dir: Path) -> None:
    path = state_dir / "children.json"
    if path.exists():
        for pid, created in json.loads(path.read_text()):
            processes.end(pid, created, polite=signal.SIGTERM, patience=_STOP_SECONDS)
        path.unlink()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _step(*arguments: str) -> None:
    """Run a command of the same `rides` to its end, its progress bar on this terminal.

    Raises:
        DevstackError: it failed.
    """
    process = subprocess.Popen([*_RIDES, *arguments], start_new_session=True)
    try:
        code = process.wait()
    except BaseException:
        _kill_group(process)
        raise
    if code != 0:
        raise DevstackError(f"`rides {shlex.join(arguments)}` ended with code {code}, see above")


def _worker(state_dir: Path) -> list[str]:
    schedule = state_dir / "celerybeat-schedule"
    return [
        *(sys.executable, "-m", "celery", "-A", "indexer.tasks", "worker", "-B"),
        *("--loglevel", "WARNING", "--concurrency", "2", "--schedule", str(schedule)),
        *("--without-gossip", "--without-mingle"),
    ]


def _require_port() -> None:
    own = settings()
    with socket.socket(socket.AF_INET6 if ":" in own.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((own.host, own.port))
        except OSError as error:
            raise DevstackError(
                f"{own.host}:{own.port} cannot be listened on ({error.strerror}): "
                "set RIDES_PORT to a free port"
            ) from error


def _enter_environment(state_dir: Path, servers: Servers) -> None:
    """Lead this process and the children to the servers, with one secret for all."""
    # Without an Elasticsearch PostgreSQL answers searches, which an empty URL says.
    os.environ.update(
        {"RIDES_ELASTICSEARCH_URL": ""} | servers.environment(), RIDES_STATE_DIR=str(state_dir)
    )
    os.environ.setdefault("RIDES_RATE_LIMITS", "false")  # who tries it out is one network
    os.environ.setdefault("RIDES_SMTP_URL", CONSOLE)
    os.environ.setdefault("RIDES_APP_URL", _base_url())
    os.environ.setdefault("RIDES_PAYMENTS", "sandbox")
    if settings().secret_key is None:
        secret = state_dir / "secret_key"
        if not secret.exists():
            places.write_private(secret, secrets.token_hex(32))
        os.environ["RIDES_SECRET_KEY"] = secret.read_text()
    settings.cache_clear()


def _base_url() -> str:
    return f"http://{_local_host()}:{settings().port}"


def _local_host() -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings().host, settings().host)  # noqa: S104


def _get(path: str) -> tuple[int, bytes]:
    connection = HTTPConnection(_local_host(), settings().port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def _await_ready(children: list[_Child]) -> None:
    def ready() -> bool:
        for child in children:
            child.require_alive()
        return _get("/health/ready")[0] == 200  # noqa: PLR2004

    if not wait_until(ready, timeout=_READY_SECONDS):
        _, reason = _get("/health/ready")
        raise DevstackError(
            f"the API is not ready after {_READY_SECONDS} s: {reason.decode()}"
            f"{tail(children[0].log)}"
        )


def _write_down(state_dir: Path, servers: Servers, people: dict[str, _Person]) -> None:
    content = {
        "url": _base_url(),
        "databaseUrl": servers.database_url,
        "redisUrl": servers.redis_url,
        "elasticsearchUrl": servers.elasticsearch_url,
        "people": {role: person._asdict() for role, person in people.items()},
        "tokens": {role: person.token for role, person in people.items()},
    }
    places.write_private(state_dir / "demo.json", json.dumps(content, indent=2) + "\n")


def _introduce(people: dict[str, _Person]) -> None:
    """Print the address, who can sign in, and requests made from a vehicle that is really there."""
    url = _base_url()
    start = date.today() + timedelta(days=30)  # noqa: DTZ011 - any coming day will do
    days = {"start": start.isoformat(), "end": (start + timedelta(days=3)).isoformat()}
    vehicle = _any_vehicle(days)
    place = vehicle.get("location", {})
    near = {"lat": place.get("lat", 0), "lon": place.get("lon", 0), "radiusKm": 25}
    booking = json.dumps({"vehicleId": vehicle.get("id"), **days})
    text = urlencode(
        {"q": f"{vehicle.get('make', '')} with gps".strip(), "facets": "make,body"}, safe=","
    )
    typer.secho(f"\nready: {url}\n", bold=True)
    for role, person in people.items():
        typer.echo(f"{role:6}  {person.email:18}  password {person.password}")
    typer.echo()
    typer.echo(f"""# text and facets
curl -s '{url}/v1/search/vehicles?{text}'

# near a place, free on these days
curl -s '{url}/v1/search/vehicles?{urlencode({**near, **days, "sort": "distance"})}'

# hold it for 15 minutes, as a renter; docs/renting.md goes on from here
curl -s -X POST {url}/v1/bookings -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer {people["renter"].token}' -d {shlex.quote(booking)}

# sign in, as the host; docs/hosting.md goes on from here
curl -s -X POST {url}/v1/auth/login -H 'Content-Type: application/json' \\
  -d '{json.dumps({"email": people["host"].email, "password": people["host"].password})}'

# an account of your own; its mail is printed here
curl -s -X POST {url}/v1/auth/register -H 'Content-Type: application/json' \\
  -d '{{"email": "you@example.org", "password": "four words of my own", "displayName": "You"}}'

# everything else
curl -s {url}/docs

Ctrl-C stops it.""")
    sys.stdout.flush()  # into a pipe, too, the line `ready:` must arrive now


def _warn(missing: str) -> None:
    typer.secho(
        "\nNO ELASTICSEARCH: PostgreSQL answers the searches. They find the same, more slowly when "
        f"there are many vehicles.\n{missing}",
        fg=typer.colors.YELLOW,
        bold=True,
    )
    sys.stdout.flush()


def _any_vehicle(days: dict[str, str]) -> dict[str, Any]:
    status, body = _get(f"/v1/search/vehicles?{urlencode({**days, 'limit': 1})}")
    items = json.loads(body)["items"] if status == 200 else []  # noqa: PLR2004
    return dict(items[0]) if items else {}


def _supervise(children: list[_Child], mails: Mails) -> NoReturn:
    while True:
        for child in children:
            child.require_alive()
        for mail in mails.new():
            typer.echo(f"\n{mail}")
            sys.stdout.flush()
        time.sleep(0.5)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM and a closing terminal end the block like Ctrl-C.

    SIGINT is among them because a shell script starts its background jobs with it ignored. The
    first signal counts and the rest are ignored: every wait of the clean-up has a deadline, and a
    second signal in the middle of it would leave processes behind.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    with _handling(interrupt):
        yield


@contextmanager
def _handling(handler: Any) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _ENDINGS}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)

"""Booking over HTTP against the bare transaction: the same holds by the API and by pgbench.

In a copy of the marketplace, since the holds stay, and in a PostgreSQL that waits for the disk at
each commit, since no marketplace books in another. Both sides take turns of a few seconds with as
many clients, so that a ratio is of the same minute, and begin each with an empty calendar. What
pgbench runs is what no booking can do without: the vehicle's row locked, the row inserted under the
exclusion constraint with all triggers, committed; with a key, the claim before it and the answer
kept with it. It checks nothing and answers nobody.
"""

import asyncio
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import orjson
import psutil
import psycopg
import uvloop
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from accounts.tokens import BY_HAND_TTL, sign_token
from bench import report, stack
from devstack import postgres
from tests.bookings.overlaps import overlaps

CLIENTS = 16
WORKERS = psutil.cpu_count() or 1  # processes of the API, threads of pgbench
TURNS, SECONDS = 7, 6  # of each side in each case
SHARE = 0.25  # promised, of the bare transaction's rate
RENTERS = 20_000
FIRST, DAYS, LENGTH = 400, 300, 3  # from so many days ahead, on so many days, for so many days

LOCK = """
SELECT host_id, daily_rate_cents, currency, time_zone FROM vehicles
WHERE id = :vehicle AND status = 'listed' FOR NO KEY UPDATE;
"""
HOLD = f"""
INSERT INTO bookings
    (vehicle_id, renter_id, during, status, total_cents, currency, lines, expires_at)
VALUES (
    :vehicle, :renter,
    daterange(current_date + ({FIRST} + :day), current_date + ({FIRST + LENGTH} + :day)),
    'held', 16500, 'USD', '[["rental", "3 days", 15000], ["service-fee", "Service fee", 1500]]',
    now() + interval '15 minutes'
)
ON CONFLICT ON CONSTRAINT no_double_booking DO NOTHING RETURNING id;
"""
CLAIM = """
INSERT INTO idempotency_keys (account_id, route, key, fingerprint, leased_until)
VALUES (:renter, '/v1/bookings', :key, repeat('f', 64), now() + interval '60 seconds')
ON CONFLICT (account_id, route, key) DO NOTHING RETURNING token;
"""
KEEP = """
UPDATE idempotency_keys
SET status = 201, headers = '{"Location": "/v1/bookings/42"}', body = repeat('b', 600)
WHERE account_id = :renter AND route = '/v1/bookings' AND key = :key AND token = 1
AND status IS NULL RETURNING token;
"""


@dataclass(frozen=True)
class Case:
    """What the clients want."""

    vehicles: tuple[int, int]  # the first and the last of those that they choose from
    key: bool = False  # with an `Idempotency-Key`

    def script(self, renters: tuple[int, int]) -> str:
        """What each client of pgbench repeats."""
        first, last = self.vehicles
        chosen = [
            f"\\set vehicle random({first}, {last})",
            f"\\set renter random({renters[0]}, {renters[1]})",
            f"\\set day random(0, {DAYS - 1})",
            "\\set key random(1, 1000000000000)",
        ]
        keep = KEEP if self.key else ""
        claim = CLAIM if self.key else ""
        return "\n".join([*chosen, claim, "BEGIN;", LOCK, HOLD, keep, "COMMIT;"])

    def requests(self, renters: list[tuple[int, str]], random: Random) -> Iterator[bytes]:
        """What the API is sent, one by one."""
        today = datetime.now(UTC).date()
        for number in count():
            _, token = renters[number % len(renters)]
            yield _request(
                token,
                random.randint(*self.vehicles),
                today + timedelta(days=FIRST + random.randrange(DAYS)),
                f"{random.getrandbits(64):x}" if self.key else None,
            )


@dataclass
class Side:
    """What came of all turns of one side; `answers` by status, of HTTP only."""

    answered: list[float] = field(default_factory=list)  # a second, each turn
    booked: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # ms
    answers: Counter[int] = field(default_factory=Counter)
    cpu_s: float = 0

    def summary(self) -> dict[str, Any]:
        """Rates a second with their spread, ms, ms of CPU a request."""
        found = {
            "answers_per_second": _spread(self.answered),
            "bookings_per_second": _spread(self.booked),
            "ms": report.summary(self.times),
        }
        if self.answers:
            found["statuses"] = dict(self.answers)
            found["cpu_ms"] = round(self.cpu_s * 1000 / len(self.times), 2)
        return found


def measure(bench: stack.Bench) -> dict[str, Any]:
    """Bookings and answers a second and ms by case and side, ratios turn by turn, overlaps."""
    results: dict[str, Any] = {"vehicles": bench.vehicles, "workers": WORKERS, "cases": {}}
    with bench.durable_market() as market_settings:
        url = stack.copy(market_settings.database_url, f"bookings_{bench.vehicles}")
        os.environ["RIDES_DATABASE_URL"] = url
        with psycopg.connect(url, autocommit=True) as connection:
            market = Market.opened(connection)
            one, many = (market.vehicles[0],) * 2, market.vehicles
            cases = {
                "many vehicles": Case(many),
                "many vehicles, with a key": Case(many, key=True),
                "one vehicle": Case(one),
            }
            with stack.api_process(workers=WORKERS) as (address, process):
                for name, case in cases.items():
                    results["cases"][name] = market.compare(case, address, process)
    return results


@dataclass(frozen=True)
class Market:
    """The copy: its vehicles, renters of its own, and a connection that looks after both."""

    connection: psycopg.Connection[Any]
    vehicles: tuple[int, int]
    renters: list[tuple[int, str]]  # with their tokens

    @classmethod
    def opened(cls, connection: psycopg.Connection[Any]) -> "Market":
        """Every vehicle can be booked for three days, by renters who have nothing else to do."""
        connection.execute(
            "UPDATE vehicles SET status = 'listed', min_days = 1, max_days = 30, notice_days = 0"
        )
        first, last, there_are = connection.execute(
            "SELECT min(id), max(id), count(*) FROM vehicles"
        ).fetchall()[0]
        if last - first + 1 != there_are:
            raise RuntimeError("pgbench chooses vehicles by number: there must be no gap")
        renters = connection.execute(
            "INSERT INTO accounts (display_name) SELECT 'Renter' FROM generate_series(1, %s)"
            " RETURNING id",
            [RENTERS],
        ).fetchall()
        tokens = [
            (renter, sign_token(renter, "renter", secret=stack.SECRET, ttl=BY_HAND_TTL))
            for (renter,) in renters
        ]
        connection.execute("VACUUM ANALYZE")
        return cls(connection, (first, last), tokens)

    def compare(self, case: Case, address: str, process: psutil.Process) -> dict[str, Any]:
        """Both sides in turn; the first turn of each only warms up."""
        sides = {"http": Side(), "bare": Side()}
        random = Random(1)
        requests = case.requests(self.renters, random)
        pairs = 0
        for turn in range(TURNS + 1):
            for name, side in sides.items():
                before = stack.cpu(process)
                if name == "http":
                    answers, times = uvloop.run(_http(address, requests))
                else:
                    answers, times = Counter(), self._pgbench(case)
                booked = self._booked()
                pairs += overlaps(self.connection)
                self._empty()
                if turn:
                    side.answered.append(len(times) / SECONDS)
                    side.booked.append(booked / SECONDS)
                    side.times += times
                    side.answers += answers
                    side.cpu_s += stack.cpu(process) - before
        http, bare = sides["http"], sides["bare"]
        return {
            "sides": {name: side.summary() for name, side in sides.items()},
            "answers_ratio": _ratio(http.answered, bare.answered),
            "bookings_ratio": _ratio(http.booked, bare.booked),
            "overlaps": pairs,
        }

    def _pgbench(self, case: Case) -> list[float]:
        """Milliseconds of each transaction."""
        url = make_url(os.environ["RIDES_DATABASE_URL"])
        server = {
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "PGUSER": str(url.username),
            "PGPASSWORD": str(url.password),
            "PGDATABASE": str(url.database),
        }
        with tempfile.TemporaryDirectory() as directory:
            script = Path(directory, "booking.sql")
            script.write_text(case.script((self.renters[0][0], self.renters[-1][0])))
            subprocess.run(
                [postgres.program("pgbench"), "--no-vacuum", "--protocol=prepared",
                 f"--client={CLIENTS}", f"--jobs={WORKERS}", f"--time={SECONDS}",
                 "--log", f"--log-prefix={directory}/times", f"--file={script}"],
                env=os.environ | server,
                check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            # client, transaction, microseconds, …
            return [
                int(line.split()[2]) / 1000
                for log in Path(directory).glob("times.*")
                for line in log.read_text().splitlines()
            ]

    def _booked(self) -> int:
        return int(self.connection.execute(_MADE).fetchall()[0][0])

    def _empty(self) -> None:
        """The next turn finds what this one found."""
        self.connection.execute("DELETE FROM bookings WHERE lower(during) >= current_date + 365")
        self.connection.execute("DELETE FROM idempotency_keys")
        self.connection.execute("DELETE FROM search_dirty")
        self.connection.execute("VACUUM bookings, idempotency_keys, search_dirty")


_MADE = (
    "SELECT count(*) FROM bookings WHERE status = 'held' AND lower(during) >= current_date + 365"
)


async def _http(address: str, requests: Iterator[bytes]) -> tuple[Counter[int], list[float]]:
    """Answers by status and ms of each: every client asks again as soon as it is answered."""
    answers: Counter[int] = Counter()
    times: list[float] = []
    host, _, port = address.partition(":")
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + SECONDS
    clients = [
        (await loop.create_connection(lambda: _Client(requests, end, answers, times), host, port))[
            1
        ]
        for _ in range(CLIENTS)
    ]
    await asyncio.gather(*(client.done for client in clients))
    return answers, times


class _Client(asyncio.Protocol):
    """Asks again as soon as it is answered; the cheapest there is, as it takes the API's CPU."""

    def __init__(
        self, requests: Iterator[bytes], end: float, answers: Counter[int], times: list[float]
    ) -> None:
        self._requests, self._end, self._answers, self._times = requests, end, answers, times
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Go on when the answer is whole."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < int(_LENGTH.findall(head)[0]):
            return
        self._times.append((time.perf_counter() - self._begun) * 1000)
        self._answers[int(head[9:12])] += 1
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        """Fail if it is the API that ended it."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the API hung up"))

    def _ask(self) -> None:
        self._received = b""
        self._begun = time.perf_counter()
        if self._begun < self._end:
            self._transport.write(next(self._requests))
        else:
            self.done.set_result(None)
            self._transport.close()


_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")


def _request(token: str, vehicle: int, start: date, key: str | None) -> bytes:
    body = orjson.dumps(
        {"vehicleId": vehicle, "start": start, "end": start + timedelta(days=LENGTH)}
    )
    lines = [
        "POST /v1/bookings HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *([f"Idempotency-Key: {key}"] if key else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _spread(rates: list[float]) -> report.Spread:
    low, median, high = (round(rate, 1) for rate in statistics.quantiles(rates, n=4))
    return low, median, high


def _ratio(http: list[float], bare: list[float]) -> tuple[float, float, float]:
    """Of each turn to the one beside it: quartiles."""
    low, median, high = statistics.quantiles(
        [each / other for each, other in zip(http, bare, strict=True)], n=4
    )
    return round(low, 3), round(median, 3), round(high, 3)


def show(results: dict[str, Any]) -> bool:
    """A line a case and side, and the promises."""
    table = Table(
        "", "bookings/s", "answers/s", "p50 ms", "p95 ms", "API CPU", title=_title(results)
    )
    kept = []
    for name, case in results["cases"].items():
        for side, each in case["sides"].items():
            ms, cpu = each["ms"], each.get("cpu_ms")
            table.add_row(
                f"{name}: {'over HTTP' if side == 'http' else 'pgbench'}",
                *(
                    "{1} ({0}-{2})".format(*each[of])
                    for of in ("bookings_per_second", "answers_per_second")
                ),
                str(ms["p50"]),
                str(ms["p95"]),
                f"{cpu} ms" if cpu else "",
            )
        of = "answers" if name == "one vehicle" else "bookings"
        ratio = case[f"{of}_ratio"][1]
        statuses = set(case["sides"]["http"]["statuses"])
        kept += [
            report.promise(f"{name}: {ratio:.2f} >= {SHARE} of pgbench's {of}", ratio >= SHARE),
            report.promise(f"{name}: no two bookings overlap", not case["overlaps"]),
            report.promise(f"{name}: nothing but 201 and 409 ({statuses})", statuses <= {201, 409}),
        ]
    Console().print(table)
    _draw(results)
    return all(kept)


def _title(results: dict[str, Any]) -> str:
    return (
        f"{CLIENTS} clients, {results['vehicles']:,} vehicles, {results['workers']} API processes"
    )


def _draw(results: dict[str, Any]) -> None:
    report.bars(
        "bookings",
        f"The same holds by {CLIENTS} clients, answers a second",
        {
            name: {
                way: tuple(case["sides"][side]["answers_per_second"])
                for way, side in (("pgbench", "bare"), ("over HTTP", "http"))
            }
            for name, case in results["cases"].items()
        },
    )

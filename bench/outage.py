"""Elasticsearch mute, then killed, while renters search and book: errors, latencies, promises."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from accounts.tokens import sign_token
from bench import report, stack
from devstack import elasticsearch, places, processes
from tests.load import Answer, Load, since

SEARCHERS, BOOKERS = 8, 2
PHASES = ("before", "during", "after")
PHASE_S = 15.0
SLOWEST_MS, TIMES = 1500, 2.0  # promised: ms of a search; how much bookings' p95 may grow
CROWDS = (16, 64)  # renters at once while PostgreSQL alone answers: how far that goes


@dataclass
class _Crowd:
    address: str
    vehicles: list[int]
    tokens: list[str]
    first_day: date

    def load(self, searchers: int) -> Load:
        """Renters who book other days than those before them."""
        self.first_day += timedelta(days=400)
        return Load(
            self.address,
            searchers=searchers,
            tokens=self.tokens,
            vehicles=self.vehicles,
            first_day=self.first_day,
        )


def measure(bench: stack.Bench) -> dict[str, Any]:
    """By fault and phase, and by size of a crowd: searches and bookings, how many and how long."""
    database_url = bench.market().database_url
    pid, created = _own(bench)
    results: dict[str, Any] = {}
    with stack.api_process(RIDES_LOG_LEVEL="error") as (address, _):
        crowd = _Crowd(address, *_renters(database_url), datetime.now(UTC).date())
        with crowd.load(SEARCHERS) as load:
            load.stay(PHASE_S)  # caches of all three
        results["mute"] = _phases(
            crowd.load(SEARCHERS),
            lambda: os.kill(pid, signal.SIGSTOP),
            lambda: os.kill(pid, signal.SIGCONT),
        )
        results["killed"] = _phases(
            crowd.load(SEARCHERS),
            lambda: processes.end(pid, created, polite=signal.SIGKILL, patience=10),
            lambda: _restart(bench),
        )
        processes.end(*_own(bench), polite=signal.SIGKILL, patience=10)
        for searchers in CROWDS:
            with crowd.load(searchers) as load:
                load.stay(PHASE_S)
            results[f"PostgreSQL alone, {searchers} renters"] = {"during": _both(load, 0)}
        _restart(bench)
    return results


def _own(bench: stack.Bench) -> tuple[int, float]:
    """The pid and creation time of the bench's own Elasticsearch.

    Raises:
        SystemExit: it is somebody else's.
    """
    data = places.data_dir(bench.state.absolute())
    found = processes.left_behind(elasticsearch.pid_file(data))
    if found is None:
        raise SystemExit("`outage` kills Elasticsearch: unset RIDES_ELASTICSEARCH_URL for one here")
    return found


def _restart(bench: stack.Bench) -> None:
    kept = {name: os.environ.pop(name) for name in stack.VARIABLES}
    stack.servers(bench.state)  # on the port that it had
    os.environ.update(kept)


def _renters(database_url: str) -> tuple[list[int], list[str]]:
    """Vehicles that take three days, and tokens of renters."""
    with psycopg.connect(database_url) as connection:
        vehicles = connection.execute(
            "SELECT id FROM vehicles WHERE status = 'listed' AND 3 BETWEEN min_days AND max_days"
            " ORDER BY random() LIMIT 300"
        ).fetchall()
        renters = connection.execute(
            "SELECT id FROM accounts WHERE role = 'renter' ORDER BY id LIMIT %s", [BOOKERS]
        ).fetchall()
    tokens = [sign_token(renter, "renter", secret=stack.SECRET) for (renter,) in renters]
    return [vehicle for (vehicle,) in vehicles], tokens


def _phases(load: Load, fail: Callable[[], None], heal: Callable[[], None]) -> dict[str, Any]:
    with load:
        load.stay(PHASE_S)
        broken = load.stay(0)
        fail()
        load.stay(PHASE_S)
        heal()
        # It takes Elasticsearch a while to come back, and the breaker up to two seconds to notice.
        back = False
        for _ in range(60):
            load.stay(1)
            back = {each.engine for each in load.searches[-20:]} == {"elasticsearch"}
            if back:
                break
        after = load.stay(PHASE_S)
    return {
        "before": _both(load, 0, broken),
        "during": _both(load, broken, after),
        "after": _both(load, after),
        "back": back,
    }


def _both(load: Load, begin: float, end: float = float("inf")) -> dict[str, Any]:
    return {
        name: _summary([each for each in since(answers, begin) if each.begun < end])
        for name, answers in (("searches", load.searches), ("bookings", load.bookings))
    }


def _summary(answers: Sequence[Answer]) -> dict[str, Any]:
    failed = [each for each in answers if each.status not in {200, 201, 409} and not _refused(each)]
    return report.summary([each.ms for each in answers]) | {
        "max": round(max(each.ms for each in answers)),
        "failed": len(failed),
        # The next page of an order that only Elasticsearch has.
        "refused": sum(_refused(each) for each in answers),
        "postgres": sum(each.engine == "postgres" for each in answers),
    }


def _refused(answer: Answer) -> bool:
    return answer.problem == "cursor-engine-changed"


def show(results: dict[str, Any]) -> bool:
    """A line a phase and kind of request, and the promises."""
    columns = ("n", "failed", "refused", "postgres", "p50", "p95", "max")
    table = Table(*columns, "", title="Requests, answers, ms")
    for fault, phases in results.items():
        for phase in (of for of in PHASES if of in phases):
            for kind, each in phases[phase].items():
                figures = (f"{each[of]:,.0f}" for of in columns)
                table.add_row(*figures, f"{kind}: {fault}, {phase}")
    Console().print(table)
    kept = []
    for fault in ("mute", "killed"):
        phases = results[fault]
        failed = sum(each["failed"] for of in PHASES for each in phases[of].values())
        slowest = phases["during"]["searches"]["max"]
        before, during = (phases[of]["bookings"]["p95"] for of in ("before", "during"))
        kept += [
            report.promise(f"{fault}: nothing fails ({failed} did)", not failed),
            report.promise(
                f"{fault}: a search takes <= {SLOWEST_MS} ms ({slowest})", slowest <= SLOWEST_MS
            ),
            report.promise(
                f"{fault}: bookings' p95 grows <= {TIMES} times ({during / before:.2f})",
                during <= TIMES * before,
            ),
            report.promise(
                f"{fault}: Elasticsearch answers again afterwards",
                phases["back"],
            ),
        ]
    return all(kept)

"""Elasticsearch killed, mute, slow, overloaded or talking nonsense under load: no search fails.

A real server of this module's own, behind a wire that can be cut, one API process, and renters who
search, turn pages and book at the same time. Latencies are printed; `make bench` judges them.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import psycopg
import pytest
from elasticsearch import Elasticsearch

from accounts.tokens import sign_token
from bench.stack import api_process
from devstack.elasticsearch import ElasticsearchUnavailableError
from indexer.rebuild import rebuild, refill
from search.breaker import OPEN_S
from tests import factory
from tests.bookings.overlaps import overlaps
from tests.conftest import SECRET, create_database, database_name
from tests.faults import Fault, OwnElasticsearch, Wire
from tests.load import BY_RELEVANCE, LOOKUPS, SEARCHES, Load, latencies, since

pytestmark = pytest.mark.timeout(900)

ASKED = SEARCHES + LOOKUPS
SEARCHERS, BOOKERS, VEHICLES = 6, 2, 40
# How long a fault stays once the breaker has opened, in seconds; longer in `make soak`.
SOAK = "RIDES_SOAK" in os.environ
STAY_S = 30.0 if SOAK else 1.5
# Calls that may be on their way when the breaker opens, and those that open it.
CALLS_TO_OPEN = SEARCHERS + 9


@dataclass
class Site:
    """A marketplace whose Elasticsearch can be broken."""

    elastic: OwnElasticsearch
    wire: Wire
    address: str
    conn: psycopg.Connection[Any]
    vehicles: list[int]
    tokens: list[str]
    first_day: datetime

    def load(self) -> Load:
        """Renters; they book other days than those before them."""
        self.first_day += timedelta(days=400)
        return Load(
            self.address,
            asked=ASKED,
            searchers=SEARCHERS,
            tokens=self.tokens,
            vehicles=self.vehicles,
            first_day=self.first_day.date(),
        )

    def breaker(self) -> str:
        """Its state, as `/health` says."""
        answer = httpx2.get(f"http://{self.address}/health", timeout=30)
        return str(answer.json()["components"]["search"]["breaker"])


@pytest.fixture(scope="module")
def site(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        try:
            elastic = OwnElasticsearch(tmp_path_factory.mktemp("outage"))
        except ElasticsearchUnavailableError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        stack.callback(elastic.remove)
        wire = Wire(elastic.port)
        stack.callback(wire.close)
        template = database_name(os.environ["RIDES_DATABASE_URL"])
        database = create_database(f"rides_{worker}_outage", template)
        conn = stack.enter_context(psycopg.connect(database, autocommit=True))
        vehicles = [
            factory.store_vehicle(conn, features=["GPS"], daily_rate_cents=4000 + 100 * number)
            for number in range(VEHICLES)
        ]
        renters = [factory.store_account(conn) for _ in range(BOOKERS)]
        with Elasticsearch(elastic.url) as client:
            rebuild(conn, client, "vehicles", lambda done, total: None)
        refill(conn, lambda done, total: None)
        address, _ = stack.enter_context(
            api_process(
                RIDES_DATABASE_URL=database,
                RIDES_ELASTICSEARCH_URL=wire.url,
                RIDES_INDEX_ALIAS="vehicles",
                RIDES_SECRET_KEY=SECRET,
                RIDES_LOG_LEVEL="error",
            )
        )
        yield Site(
            elastic,
            wire,
            address,
            conn,
            vehicles,
            [sign_token(renter, "renter", secret=SECRET) for renter in renters],
            datetime.now(UTC),
        )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "not within 120 s"
        time.sleep(0.05)


def answered_by_elasticsearch(load: Load) -> bool:
    return [each.engine for each in load.searches[-20:]] == ["elasticsearch"] * 20


@contextmanager
def wired(site: Site, *faults: Fault) -> Iterator[None]:
    site.wire.does(*faults)
    try:
        yield
    finally:
        site.wire.does(Fault.NONE)


@contextmanager
def killed(site: Site) -> Iterator[None]:
    site.elastic.kill()
    try:
        yield
    finally:
        site.elastic.start()


Break = Callable[[Site], AbstractContextManager[None]]
ERRORS = (Fault.RESET, Fault.OVERLOADED, Fault.UNAVAILABLE, Fault.GARBAGE)
FAULTS: dict[str, Break] = {
    "mute": lambda site: site.elastic.mute(),
    "every other call late": lambda site: wired(site, Fault.LATE, Fault.NONE),
    "reset, 429, 503 and nonsense in turn": lambda site: wired(site, *ERRORS),
    "killed, then started again": killed,
}
if SOAK:
    FAULTS |= {
        fault.name.lower(): lambda site, fault=fault: wired(site, fault)  # type: ignore[misc]
        for fault in (Fault.LATE, *ERRORS)
    }


@pytest.mark.parametrize("breaking", FAULTS.values(), ids=FAULTS.keys())
def test_no_search_fails_and_bookings_go_on(site: Site, breaking: Break) -> None:
    calls_before = site.wire.calls
    with site.load() as load:
        until(lambda: answered_by_elasticsearch(load))
        calls = site.wire.calls
        broken = time.monotonic()
        with breaking(site):
            until(lambda: site.breaker() != "closed")
            opened = load.stay(STAY_S)
            until(lambda: {*ASKED} <= {each.asked for each in since(load.searches, opened)})
            calls, healed = site.wire.calls - calls, time.monotonic()
        until(lambda: answered_by_elasticsearch(load) and site.breaker() == "closed")
        well = load.stay(0.5)

    assert_unhurt(load)
    assert overlaps(site.conn) == 0
    for moment in (broken, opened, well):
        assert 201 in {each.status for each in since(load.bookings, moment)}
    # Asked once a search at most, and hardly at all while it does not answer.
    assert site.wire.calls - calls_before <= 1.1 * len(load.searches) + 10
    assert calls <= CALLS_TO_OPEN + 2 * ((healed - broken) / OPEN_S + 1)
    show(load, broken, opened, healed)


def assert_unhurt(load: Load) -> None:
    """Every search is answered, or is the next page of an order that only Elasticsearch has."""
    not_answered = [each for each in load.searches if each.status != 200]
    allowed = (BY_RELEVANCE, 400, "cursor-engine-changed")
    assert {(each.asked, each.status, each.problem) for each in not_answered} <= {allowed}
    assert all(
        each.degraded == (each.engine == "postgres") for each in load.searches if each.status == 200
    )
    taken = Counter((each.status, each.problem) for each in load.bookings)
    assert taken.keys() <= {(201, None), (409, "vehicle-unavailable")}


def show(load: Load, broken: float, opened: float, healed: float) -> None:
    """For whoever reads `pytest -s`."""
    print(f"\nbreaker open after {opened - broken:.1f} s")  # noqa: T201
    for name, answers in (("searches", load.searches), ("bookings", load.bookings)):
        for phase, begin, end in (
            ("before", 0.0, broken),
            ("during", broken, healed),
            ("after", healed, float("inf")),
        ):
            times = [each for each in answers if begin <= each.begun < end]
            print(f"{name} {phase}: {latencies(times)}")  # noqa: T201

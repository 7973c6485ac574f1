"""Read your writes: a write's answer has a token, a search that carries it waits for that write."""

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from fastapi.testclient import TestClient

from accounts.tokens import sign_token
from api import write_tokens
from api.app import create_app
from indexer import drain
from runtime.settings import Settings
from search.clusters import FEW
from search.truth import _PENDING
from tests import factory
from tests.conftest import SECRET
from tests.market import NOTHING, Market
from tests.search.test_fallback import GONE

START = datetime.now(UTC).date() + timedelta(days=30)
DATES = {"start": START.isoformat(), "end": (START + timedelta(days=3)).isoformat()}


@pytest.fixture
def headers(market: Market) -> dict[str, str]:
    renter = factory.store_account(market.conn)
    return {"Authorization": f"Bearer {sign_token(renter, 'renter', secret=SECRET)}"}


def book(market: Market, vehicle: int, headers: dict[str, str]) -> Any:
    order = {"vehicleId": vehicle, **DATES}
    answer = market.api.post("/v1/bookings", json=order, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


def test_a_search_waits_until_the_write_is_searchable(
    market: Market, headers: dict[str, str]
) -> None:
    vehicle, _ = market.store({}, {})
    token = book(market, vehicle, headers).headers["x-write-token"]
    drained = threading.Timer(0.3, market.drain)
    drained.start()
    page = market.search(**DATES, after=token)
    drained.join()
    assert page["meta"]["afterSatisfied"] is True
    # The counts, which are the index's alone, have it too.
    assert page["total"]["value"] == 1
    assert page["meta"]["indexAgeMs"] == 0


def test_cancelling_answers_with_a_token_too(market: Market, headers: dict[str, str]) -> None:
    (vehicle,) = market.store({})
    path = f"/v1/bookings/{book(market, vehicle, headers).json()['id']}/cancel"
    market.drain()
    token = market.api.post(path, headers=headers).headers["x-write-token"]
    threading.Timer(0.2, market.drain).start()
    page = market.search(**DATES, after=token)
    assert (page["meta"]["afterSatisfied"], page["total"]["value"]) == (True, 1)


def test_after_two_seconds_the_answer_says_that_it_is_not(
    market: Market, headers: dict[str, str]
) -> None:
    (vehicle,) = market.store({})
    token = book(market, vehicle, headers).headers["x-write-token"]
    page = market.search(**DATES, after=token)
    assert page["meta"]["afterSatisfied"] is False
    assert page["items"] == []  # checked all the same
    assert page["total"]["value"] == 1
    assert page["meta"]["indexAgeMs"] >= 2000 - 50


def test_later_writes_are_not_waited_for(market: Market, headers: dict[str, str]) -> None:
    first, second = market.store({}, {})
    token = book(market, first, headers).headers["x-write-token"]
    market.drain()
    book(market, second, headers)
    assert market.search(**DATES, after=token)["meta"]["afterSatisfied"] is True


def test_earlier_writes_are_waited_for(market: Market, headers: dict[str, str]) -> None:
    first, second = market.store({}, {})
    book(market, first, headers)
    token = book(market, second, headers).headers["x-write-token"]
    xid = token.partition(".")[0]
    market.conn.execute("DELETE FROM search_dirty WHERE xid = %s::xid8", [xid])
    assert market.search(after=token)["meta"]["afterSatisfied"] is False
    market.drain()
    assert market.search(after=token)["meta"]["afterSatisfied"] is True


def test_others_that_have_not_committed_hold_nothing_up(
    market: Market, headers: dict[str, str], database_url: str
) -> None:
    import psycopg

    other, mine = market.store({}, {})
    with psycopg.connect(database_url) as open_transaction:
        open_transaction.execute("UPDATE vehicles SET year = 2020 WHERE id = %s", [other])
        token = book(market, mine, headers).headers["x-write-token"]
        market.drain()
        assert market.search(after=token)["meta"]["afterSatisfied"] is True
        open_transaction.rollback()


def test_without_a_token_there_is_nothing_to_say(market: Market) -> None:
    assert market.search()["meta"]["afterSatisfied"] is None


def test_tokens_go_with_cursors(market: Market, headers: dict[str, str]) -> None:
    ids = market.store({}, {}, {})
    token = book(market, ids[0], headers).headers["x-write-token"]
    market.drain()
    page = market.search(**NOTHING, limit=1, after=token)
    assert market.walk(**NOTHING, limit=1, cursor=page["nextCursor"]) == ids[1:]


@pytest.mark.parametrize(
    ("route", "asked"),
    [("facet-values", {"facet": "make"}), ("clusters", {"bbox": "-180,-90,180,90", "zoom": 1})],
)
class TestBesideASearch:
    """What takes a search's parameters waits as a search does."""

    def ask(
        self, market: Market, route: str, asked: dict[str, Any], after: str
    ) -> tuple[bool, int]:
        params = DATES | asked | {"after": after}
        answer = market.api.get(f"/v1/search/{route}", params=params)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        counted = sum(each["count"] for each in found.get("values", found.get("clusters")))
        return found["meta"]["afterSatisfied"], counted

    def test_it_waits(
        self, market: Market, headers: dict[str, str], route: str, asked: dict[str, Any]
    ) -> None:
        # More than a map shows one by one: clusters are the index's alone, as counts are.
        vehicle, *others = market.store(*({} for _ in range(FEW + 2)))
        token = book(market, vehicle, headers).headers["x-write-token"]
        drained = threading.Timer(0.3, market.drain)
        drained.start()
        assert self.ask(market, route, asked, token) == (True, len(others))
        drained.join()

    def test_for_two_seconds(
        self, market: Market, headers: dict[str, str], route: str, asked: dict[str, Any]
    ) -> None:
        vehicle, *others = market.store(*({} for _ in range(FEW + 2)))
        token = book(market, vehicle, headers).headers["x-write-token"]
        assert self.ask(market, route, asked, token) == (False, len(others) + 1)

    def test_not_without_a_token_of_ours(
        self, market: Market, route: str, asked: dict[str, Any]
    ) -> None:
        answer = market.api.get(f"/v1/search/{route}", params=asked)
        assert answer.json()["meta"]["afterSatisfied"] is None
        answer = market.api.get(f"/v1/search/{route}", params=asked | {"after": "12.AAAA"})
        assert answer.status_code == 400
        assert answer.json()["type"].endswith(":invalid-write-token")


@pytest.fixture
def away(market: Market, settings: Settings) -> Iterator[Market]:
    """The marketplace as an API shows it whose Elasticsearch is away."""
    with TestClient(create_app(settings.model_copy(update={"elasticsearch_url": GONE}))) as api:
        yield market.through(api)


@pytest.fixture
def cut_off(away: Market) -> Market:
    """The same when that is known."""
    for _ in range(3):
        away.search()
    assert away.api.get("/health").json()["components"]["search"]["breaker"] == "open"
    return away


def drain_without_index(market: Market) -> None:
    with Elasticsearch(GONE, max_retries=0) as nobody:
        assert drain.drain(market.conn, nobody) == 0


class TestInAnOutage:
    """PostgreSQL's own table answers, so what it has is what counts."""

    def test_what_the_table_has_is_there(self, cut_off: Market, headers: dict[str, str]) -> None:
        vehicle, _ = cut_off.store({}, {})
        token = book(cut_off, vehicle, headers).headers["x-write-token"]
        drained = threading.Timer(0.3, drain_without_index, [cut_off])
        drained.start()
        page = cut_off.search(**DATES, after=token)
        drained.join()
        meta = page["meta"]
        assert (meta["engine"], meta["afterSatisfied"], page["total"]["value"]) == (
            "postgres", True, 1,
        )  # fmt: skip

    def test_what_it_lacks_is_said_to_be_missing(
        self, cut_off: Market, headers: dict[str, str]
    ) -> None:
        vehicle, _ = cut_off.store({}, {})
        token = book(cut_off, vehicle, headers).headers["x-write-token"]
        page = cut_off.search(**DATES, after=token)
        assert (page["meta"]["afterSatisfied"], page["total"]["value"]) == (False, 2)

    def test_the_index_is_not_said_to_have_what_only_the_table_has(
        self, market: Market, headers: dict[str, str]
    ) -> None:
        vehicle, _ = market.store({}, {})
        token = book(market, vehicle, headers).headers["x-write-token"]
        drain_without_index(market)
        page = market.search(**DATES, after=token)
        assert page["meta"]["engine"] == "elasticsearch"
        assert (page["meta"]["afterSatisfied"], page["total"]["value"]) == (False, 2)

    def test_the_index_is_not_denied_what_it_has(
        self, cut_off: Market, headers: dict[str, str]
    ) -> None:
        """It may be back by the time that the search is made."""
        (vehicle,) = cut_off.store({})
        token = book(cut_off, vehicle, headers).headers["x-write-token"]
        cut_off.drain()
        app: Any = cut_off.api.app
        portal = cut_off.api.portal
        assert portal
        having = portal.call(write_tokens.wait, app.state, token)
        assert having == {"elasticsearch", "postgres"}

    def test_the_first_to_find_it_away_are_answered_truly_too(
        self, away: Market, headers: dict[str, str]
    ) -> None:
        """The index is waited for, and then it is the table that answers."""
        vehicle, _ = away.store({}, {})
        token = book(away, vehicle, headers).headers["x-write-token"]
        drain_without_index(away)
        meta = away.search(**DATES, after=token)["meta"]
        assert (meta["engine"], meta["afterSatisfied"]) == ("postgres", True)


@pytest.mark.parametrize("wrong", ["A", "é", "12", "12.", ".", "12.AAAA"])
def test_a_made_up_token_is_refused(market: Market, wrong: str) -> None:
    answer = market.api.get("/v1/search/vehicles", params={"after": wrong})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(":invalid-write-token")
    assert answer.json()["errors"][0]["pointer"] == "after"


def test_a_token_with_any_character_changed_is_refused(
    market: Market, headers: dict[str, str]
) -> None:
    (vehicle,) = market.store({})
    token = book(market, vehicle, headers).headers["x-write-token"]
    for index, character in enumerate(token):
        changed = token[:index] + ("1" if character != "1" else "2") + token[index + 1 :]
        answer = market.api.get("/v1/search/vehicles", params={"after": changed})
        assert answer.status_code == 400, index


def test_the_wait_reads_a_long_log_from_its_front(market: Market) -> None:
    """The rows that a wait is for are the oldest: finding one must not read all the others."""
    market.conn.execute("INSERT INTO search_dirty (vehicle_id) SELECT generate_series(1, 50000)")
    plan = market.conn.execute(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)" + _PENDING, {"xid": str(2**62)}
    ).fetchone()
    assert plan
    root = plan[0][0]["Plan"]
    assert root["Shared Hit Blocks"] + root["Shared Read Blocks"] < 10


def test_the_age_is_the_oldest_change_s(market: Market) -> None:
    """A probe writes and looks for it: the age is never 50 ms below the lag that it sees."""
    (vehicle,) = market.store({"daily_rate_cents": 1000})
    for price in range(2000, 2010):
        market.search(**NOTHING)  # a reading from just before the write must not hide it
        written = time.monotonic()
        market.conn.execute(
            "UPDATE vehicles SET daily_rate_cents = %s WHERE id = %s", [price, vehicle]
        )
        time.sleep((price - 2000) / 50)
        asked = time.monotonic()
        page = market.search(**NOTHING)
        assert page["items"][0]["dailyRate"] != price
        assert page["meta"]["indexAgeMs"] >= (asked - written) * 1000 - 50
        market.drain()
    time.sleep(0.05)
    assert market.search(**NOTHING)["meta"]["indexAgeMs"] == 0


def test_the_age_is_true_while_the_drain_runs(market: Market, database_url: str) -> None:
    """Until a probe finds what it wrote, no answer claims to be younger than the probe's wait.

    Both are read on the test's own clock, so a slow machine makes both longer, never one.
    """
    import psycopg

    rng = random.Random(47)
    stop = threading.Event()

    def draining() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not stop.wait(rng.uniform(0, 0.3)):
                drain.drain(connection, market.elastic)

    (vehicle,) = market.store({"daily_rate_cents": 1000})
    drainer = threading.Thread(target=draining)
    drainer.start()
    waits = []
    try:
        for price in range(2000, 2030):
            market.conn.execute(
                "UPDATE vehicles SET daily_rate_cents = %s WHERE id = %s", [price, vehicle]
            )
            written = time.monotonic()
            while True:
                waited_ms = (time.monotonic() - written) * 1000
                page = market.search(**NOTHING)
                if page["items"][0]["dailyRate"] == price:
                    break
                waits.append(waited_ms)
                assert page["meta"]["indexAgeMs"] >= waited_ms - 50
                assert waited_ms < 60_000, "the drain does not run"
    finally:
        stop.set()
        drainer.join()
    assert max(waits) > 50  # or nothing was compared

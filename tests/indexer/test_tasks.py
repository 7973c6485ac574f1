"""The real Celery worker with its beat: a committed change becomes searchable by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy.engine import make_url

from devstack.processes import wait_until
from indexer import drain, tasks
from runtime.clients import celery
from runtime.settings import Settings
from tests.factory import store_booking
from tests.indexer.site import Site

SECONDS = 20


@pytest.fixture
def broker(site: Site) -> Iterator[redis.Redis]:
    """A Redis database of this worker's own, empty before and after."""
    number = 8 + int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", "0")))) % 8
    url = make_url(site.settings.redis_url).set(database=str(number))
    with redis.Redis.from_url(url.render_as_string(hide_password=False)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def worker_log(live: Site, broker: redis.Redis, tmp_path: Path) -> Iterator[Path]:
    """The log of a running worker; its whole process group ends with the test."""
    log = tmp_path / "worker.log"
    number = broker.connection_pool.connection_kwargs["db"]
    url = make_url(live.settings.redis_url).set(database=str(number))
    environment = os.environ | {
        "RIDES_DATABASE_URL": live.settings.database_url,
        "RIDES_INDEX_ALIAS": live.alias,
        "RIDES_REDIS_URL": url.render_as_string(hide_password=False),
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, "-m", "celery", "-A", "indexer.tasks", "worker", "-B"]
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [*command, "--concurrency", "1", "--without-mingle", "--loglevel", "INFO"],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield log
    finally:
        os.killpg(worker.pid, signal.SIGTERM)
        try:
            worker.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(timeout=10)


def eventually(condition: Callable[[], bool], log: Path) -> float:
    """Seconds until the condition holds."""
    started = time.monotonic()
    assert wait_until(condition, timeout=SECONDS), log.read_text()[-4000:]
    return time.monotonic() - started


def test_a_committed_change_is_searchable_by_itself_also_after_the_broker_was_wiped(
    live: Site, broker: redis.Redis, worker_log: Path
) -> None:
    first = live.store()
    eventually(lambda: live.found() == [first], worker_log)  # boots meanwhile
    # The row goes just after the change can be found.
    eventually(lambda: live.dirty() == [], worker_log)

    second = live.store()
    assert eventually(lambda: live.found() == [first, second], worker_log) < 5

    broker.flushdb()
    live.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [first])
    assert eventually(lambda: live.found() == [second], worker_log) < 5

    assert broker.llen("indexer") <= 1, "hints do not pile up"
    assert not list(worker_log.parent.glob("celerybeat*")), "beat needs no file"


def test_a_hold_that_is_over_ends_by_itself(
    live: Site, broker: redis.Redis, worker_log: Path
) -> None:
    """The clock of renting runs in the same worker."""
    days = date(2030, 5, 1), date(2030, 5, 4)
    over = datetime.now(UTC) - timedelta(seconds=1)
    store_booking(live.conn, live.store(), *days, status="held", expires_at=over)

    def expired() -> bool:
        return live.conn.execute("SELECT status FROM bookings").fetchall() == [("expired",)]

    eventually(expired, worker_log)


def test_a_hint_comes_every_second_and_outlives_clocks_that_differ() -> None:
    hint = tasks.app.conf.beat_schedule["drain"]
    assert hint["schedule"].seconds == 1
    assert 1 < hint["options"]["expires"] <= 10


def test_a_message_is_not_taken_for_lost_while_its_task_may_run() -> None:
    visibility = tasks.app.conf.broker_transport_options["visibility_timeout"]
    assert visibility >= drain.LONGEST_RUN_S + drain.LEASE_S


def test_the_task_drains_the_database_of_the_settings(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = live.store()
    monkeypatch.setattr(tasks, "settings", lambda: live.settings)
    assert tasks.drain() == 1
    assert live.found() == [vehicle]


def test_a_broker_that_is_away_is_tried_for_every_two_seconds(settings: Settings) -> None:
    """Worker and beat ask like this; by itself Celery waits 2, 4, 6 and up to 30 seconds."""
    nowhere = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    waits: list[float] = []

    def tried(_: Exception, wait: float) -> None:
        waits.append(wait)
        if len(waits) == 3:
            raise StopIteration

    with (
        celery(nowhere, "nobody").connection_for_write() as connection,
        pytest.raises(StopIteration),
    ):
        connection.ensure_connection(tried, None)
    assert waits == [2, 2, 2]

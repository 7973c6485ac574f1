"""Batches follow what the servers can take: by time, by bytes, and whatever the clocks say."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from celery.beat import Scheduler

from indexer import bulk, drain, slices, tasks
from indexer.documents import Document
from runtime.ticking import SteadyScheduler, Ticking
from tests.indexer.site import Site


@pytest.mark.parametrize(
    ("size", "rows", "seconds", "then"),
    [
        (500, 500, 0.1, 1_000),  # full and quick: more
        (500, 499, 0.1, 500),  # there was no more to do
        (500, 500, 2.0, 500),
        (1_000, 1_000, 4.0, 500),  # slow: who comes next waits for it
        (1_000, 3, 4.0, 500),
        (2_000, 2_000, 0.1, drain.MOST),
        (300, 300, 9.0, drain.LEAST),
    ],
)
def test_a_batch_grows_while_it_is_quick_and_shrinks_when_it_is_slow(
    size: int, rows: int, seconds: float, then: int
) -> None:
    assert drain.paced(size, rows, seconds) == then


def test_a_large_batch_goes_in_several_requests_and_nothing_is_left_out(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [Document(n, orjson.dumps({"id": n, "make": "Kia" * n})) for n in range(1, 30)]
    documents.append(Document(30, orjson.dumps({"id": 30, "year": "x"})))
    monkeypatch.setattr(bulk, "LARGEST_BODY", 200)
    sent: list[int] = []
    send = bulk._send
    monkeypatch.setattr(
        bulk, "_send", lambda c, i, part, v: sent.append(len(part)) or send(c, i, part, v)
    )
    outcome = bulk.send(live.elastic, live.serving().index_name, documents, 5)
    assert len(sent) > 5
    assert sum(sent) == len(documents)
    assert 0 not in sent
    assert [each.document.vehicle_id for each in outcome.refused] == [30]
    live.elastic.indices.refresh(index=live.alias)
    assert live.found() == list(range(1, 30))


def test_a_throttle_makes_the_pages_fit_its_rate() -> None:
    assert slices.Throttle(None).page == slices.PAGE
    assert slices.Throttle(20).page == 20
    assert slices.Throttle(0.5).page == 1
    waits: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", waits.append)
        throttle = slices.Throttle(100)
        for _ in range(3):
            throttle.wait(50)
    assert waits == [pytest.approx(n / 2, abs=0.2) for n in range(3)]


def test_beat_goes_on_when_the_wall_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """First the race: by the wall clock, the next hint is an hour away."""
    from celery.schedules import schedule

    an_hour_on: Any = datetime.now().astimezone() + timedelta(hours=1)
    by_the_wall = schedule(1.0, nowfun=lambda: datetime.now().astimezone())
    assert by_the_wall.remaining_estimate(an_hour_on) > timedelta(minutes=59)

    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    ticking = Ticking(1.0)
    assert ticking.is_due(an_hour_on).is_due
    assert not ticking.is_due(an_hour_on).is_due
    now += 1
    assert ticking.is_due(an_hour_on).is_due
    remade = Ticking(*ticking.__reduce__()[1])
    assert remade.seconds == 1


@pytest.mark.parametrize(("scheduler", "hints"), [(Scheduler, 1), (SteadyScheduler, 2)])
def test_beat_looks_at_its_entries_when_the_clock_is_set_back(
    monkeypatch: pytest.MonkeyPatch, scheduler: Any, hints: int, tmp_path: Path
) -> None:
    """First the gap: Celery's own beat does not even ask whether one is due for an hour."""
    sent: list[str] = []
    monkeypatch.setattr(scheduler, "producer", None)
    monkeypatch.setattr(scheduler, "apply_entry", lambda _, entry, **__: sent.append(entry.name))
    beat = scheduler(tasks.app, lazy=True, schedule_filename=str(tmp_path / "schedule"))
    beat.add(name="drain", task="indexer.drain", schedule=Ticking(0.05))
    while not sent:
        beat.tick()
        time.sleep(0.01)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr(Ticking, "now", lambda _: an_hour_ago)
    for _ in range(20):
        beat.tick()
        time.sleep(0.01)
    assert len(sent[:2]) == hints


def test_beat_says_that_it_is_alive_once_it_sent_something(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the health check of the compose file looks at."""
    schedule = tmp_path / "schedule"
    beat = SteadyScheduler(tasks.app, lazy=True, schedule_filename=str(schedule))
    monkeypatch.setattr(SteadyScheduler, "send_task", lambda *_, **__: None)
    beat.add(name="hint", task="of another program", schedule=Ticking(0.01))
    assert not schedule.exists()
    beat.apply_async(beat.schedule["hint"], producer=object())
    assert schedule.exists()


def test_what_takes_long_has_a_queue_of_its_own_and_workers_serve_both() -> None:
    conf = tasks.app.conf
    assert conf.task_routes["indexer.audit"] == conf.task_routes["indexer.fill"]
    assert [queue.name for queue in conf.task_queues] == [
        "indexer",
        "indexer-slow",
        "mail",
        "photos",
        "bookings",
    ]
    assert conf.task_default_queue == "indexer"


def test_a_task_that_hangs_is_ended_before_its_message_comes_back() -> None:
    conf = tasks.app.conf
    longest = drain.LONGEST_RUN_S + drain.LEASE_S
    assert longest < conf.task_soft_time_limit < conf.task_time_limit
    assert conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]
    assert conf.broker_connection_max_retries is None

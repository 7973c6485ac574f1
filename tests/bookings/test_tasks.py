"""The clock of renting in the worker's Celery application."""

from datetime import UTC, datetime, timedelta

import pytest

from bookings import tasks
from indexer.tasks import app
from tests.factory import store_booking, store_vehicle


@pytest.fixture(autouse=True)
def here(monkeypatch, settings):
    monkeypatch.setattr(tasks, "settings", lambda: settings)


def test_the_worker_knows_the_tasks_and_beat_calls_them_on_their_own_queue():
    assert {"bookings.tick", "bookings.tidy"} <= set(app.tasks)
    tick = app.conf.beat_schedule["renting"]
    assert (tick["task"], tick["schedule"].seconds) == ("bookings.tick", 5)
    assert tick["options"]["queue"] in {queue.name for queue in app.conf.task_queues}


def status(conn, booking):
    return conn.execute("SELECT status FROM bookings WHERE id = %s", [booking]).fetchone()[0]


def test_a_tick_expires_begins_and_completes_on_the_vehicles_calendar(conn):
    now = datetime.now(UTC)
    ahead = store_vehicle(conn, time_zone="Pacific/Kiritimati")
    behind = store_vehicle(conn, time_zone="Pacific/Pago_Pago")
    # There it is today what it will be tomorrow, or the day after, on the other side.
    today = (now + timedelta(hours=14)).date()
    begun = store_booking(conn, ahead, today, today + timedelta(days=1))
    not_yet = store_booking(conn, behind, today, today + timedelta(days=1))
    over = store_booking(conn, ahead, today - timedelta(days=2), today, status="active")
    still = store_booking(conn, behind, today - timedelta(days=2), today, status="active")
    days = today + timedelta(days=20), today + timedelta(days=22)
    stale = store_booking(conn, ahead, *days, status="held", expires_at=now)
    held = store_booking(conn, behind, *days, status="held", expires_at=now + timedelta(minutes=5))
    conn.execute("DELETE FROM search_dirty")

    assert tasks.tick() == 3
    assert [status(conn, each) for each in (begun, not_yet)] == ["active", "confirmed"]
    assert [status(conn, each) for each in (over, still)] == ["completed", "active"]
    assert [status(conn, each) for each in (stale, held)] == ["expired", "held"]
    dirty = {vehicle for (vehicle,) in conn.execute("SELECT vehicle_id FROM search_dirty")}
    assert dirty == {ahead}, "days that became free become searchable"
    assert tasks.tick() == 0


def test_old_keys_are_forgotten(conn):
    conn.execute(
        "INSERT INTO idempotency_keys (account_id, route, key, fingerprint, leased_until,"
        " created_at) VALUES (1, '/r', 'old', '', now(), now() - interval '25 hours'),"
        " (1, '/r', 'new', '', now(), now())"
    )
    assert tasks.tidy() == 1

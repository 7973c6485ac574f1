"""The photo worker as Celery runs it."""

import pytest

from bookings import photo_tasks
from bookings.photos import raw_key
from indexer.tasks import app
from runtime.object_store import open_store
from runtime.settings import settings as process_settings
from tests.bookings.pictures import picture
from tests.factory import store_vehicle


@pytest.fixture
def process(settings, tmp_path, monkeypatch):
    """This process's settings lead to the worker's database and a folder of the test's own."""
    monkeypatch.setenv("RIDES_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("RIDES_STATE_DIR", str(tmp_path))
    process_settings.cache_clear()
    photo_tasks._servers.cache_clear()
    yield process_settings()
    process_settings.cache_clear()
    photo_tasks._servers.cache_clear()


def test_the_workers_application_has_the_task_its_queue_and_its_hint():
    assert photo_tasks.TASK in app.tasks
    assert app.conf.task_routes[photo_tasks.TASK] == {"queue": photo_tasks.QUEUE}
    assert photo_tasks.QUEUE in {queue.name for queue in app.conf.task_queues}
    hint = app.conf.beat_schedule["photos"]
    assert (hint["task"], hint["schedule"].seconds) == (photo_tasks.TASK, photo_tasks.EVERY_S)


def test_the_task_does_what_there_is_to_do(conn, process):
    vehicle, content = store_vehicle(conn), picture(400, 300)
    conn.execute(
        "INSERT INTO photo_uploads (id, vehicle_id, state, content_type, bytes)"
        " VALUES (1, %s, 'uploaded', 'image/jpeg', %s)",
        [vehicle, len(content)],
    )
    open_store(process).write(raw_key(1), content, "image/jpeg", "")
    assert app.tasks[photo_tasks.TASK]() == 1
    assert conn.execute("SELECT id FROM photos").fetchall() == [(1,)]
    assert app.tasks[photo_tasks.TASK]() == 0

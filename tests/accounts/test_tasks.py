"""The real worker with its beat sends what waits, also after Valkey was killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import tasks
from devstack import places, processes, valkey
from devstack.processes import free_port, wait_until
from indexer.tasks import app
from tests import servers
from tests.factory import insert

SECONDS = 30


class OwnValkey:
    """A broker of the test's own, to kill."""

    def __init__(self, state_dir: Path) -> None:
        self._data = places.data_dir(state_dir)
        self._port = free_port()
        self.url = valkey.url(self._port, "password")
        self.start()

    def start(self) -> None:
        self._pid = valkey.start(self._data, port=self._port, password="password", durable=False)
        self._created = processes.creation_time(self._pid)

    def kill(self) -> None:
        processes.end(self._pid, self._created, polite=signal.SIGKILL, patience=10)


@pytest.fixture
def broker(tmp_path) -> Iterator[OwnValkey]:
    own = OwnValkey(tmp_path / "state")
    yield own
    own.kill()
    servers.remove(tmp_path / "state")


@pytest.fixture
def worker_log(conn, settings, postbox, broker, tmp_path) -> Iterator[Path]:
    """The log of a running worker; its whole process group ends with the test."""
    log = tmp_path / "worker.log"
    environment = os.environ | {
        "RIDES_DATABASE_URL": settings.database_url,
        "RIDES_REDIS_URL": broker.url,
        "RIDES_ELASTICSEARCH_URL": "",
        "RIDES_SMTP_URL": postbox.settings.smtp_url,
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, "-m", "celery", "-A", "indexer.tasks", "worker", "-B"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--concurrency", "1", "--without-mingle", "--loglevel", "INFO"],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield log
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def write(conn, address):
    insert(conn, "mails", {"kind": "password-changed", "recipient": address})


def test_a_mail_arrives_by_itself_and_none_is_lost_with_the_broker(
    conn, postbox, broker, worker_log
):
    def arrived(address):
        return wait_until(lambda: postbox.subjects(address) != [], timeout=SECONDS)

    write(conn, "first@example.org")
    assert arrived("first@example.org"), worker_log.read_text()[-3000:]

    broker.kill()
    write(conn, "second@example.org")
    broker.start()  # knows nothing any more
    assert arrived("second@example.org"), worker_log.read_text()[-3000:]
    assert wait_until(
        lambda: conn.execute("SELECT count(*) FROM mails").fetchone() == (0,), timeout=5
    )
    assert len(postbox.mails) == 2


def test_both_tasks_are_hinted_at_in_a_queue_that_workers_serve():
    names = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert {"accounts.post", "accounts.tidy", "indexer.drain"} <= names
    assert tasks.QUEUE in {queue.name for queue in app.conf.task_queues}
    for name in ("accounts.post", "accounts.tidy"):
        assert app.conf.task_routes[name] == {"queue": tasks.QUEUE}
        assert name in app.tasks


def test_the_tasks_work_on_the_database_of_the_settings(conn, postbox, monkeypatch):
    monkeypatch.setattr(tasks, "settings", lambda: postbox.settings)
    write(conn, "first@example.org")
    assert tasks.send_mails() == 1
    insert(
        conn,
        "registrations",
        {
            "email": "a@example.org",
            "display_name": "A",
            "password_hash": "x",
            "expires_at": "2000-01-01",
        },
    )
    assert tasks.tidy() == 1

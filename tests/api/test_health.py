from contextlib import contextmanager

import pytest
from alembic.script import ScriptDirectory

from api import index_facts
from api.index_facts import IndexFacts
from api.routes import health
from models import revisions
from tests.api.conftest import problem


class Search:
    """A search engine that answers as told."""

    configured = False

    def __init__(self, answer):
        self.answer = answer

    async def ping(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def search(app, conn, monkeypatch):
    """Say what the search engine answers; nothing that other tests left is an alarm.

    One without Elasticsearch stops the worker's build, which the next that needs it makes anew.
    """

    def answers(answer):
        monkeypatch.setitem(app.state._state, "searches", Search(answer))

    answers(answer=True)
    monkeypatch.setitem(app.state._state, "index_facts", IndexFacts(app.state.settings))
    left = conn.execute(
        "UPDATE index_builds SET state = 'dropped' WHERE state IN ('stopped', 'stale')"
        " RETURNING id, (SELECT o.state FROM index_builds o WHERE o.id = index_builds.id)"
    ).fetchall()
    yield answers
    for build, state in left:
        conn.execute("UPDATE index_builds SET state = %s WHERE id = %s", [state, build])


@pytest.fixture
def no_database(app, monkeypatch):
    class Gone:
        def connect(self):
            raise ConnectionRefusedError("to db.internal as rides")

    monkeypatch.setitem(app.state._state, "engine", Gone())


def statuses(answer):
    return {name: each["status"] for name, each in answer.json()["components"].items()}


def test_a_live_process_says_so_whatever_else_is_down(client, search, no_database):
    search(ConnectionError("gone"))
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_ready_when_database_and_search_answer(client, search):
    assert client.get("/health/ready").json() == {"status": "ok"}
    healthy = client.get("/health")
    assert (healthy.status_code, healthy.json()["status"]) == (200, "ok")
    assert statuses(healthy) == {"database": "ok", "search": "ok", "index": "ok"}
    assert all(each["ms"] >= 0 for each in healthy.json()["components"].values())


@pytest.mark.parametrize("answer", [False, ConnectionError("gone")])
def test_without_a_search_index_it_stays_ready_for_bookings_and_says_what_is_wrong(
    client, search, answer
):
    search(answer)
    assert client.get("/health/ready").json() == {"status": "ok"}
    unhealthy = client.get("/health")
    assert (unhealthy.status_code, unhealthy.json()["status"]) == (503, "failed")
    assert statuses(unhealthy) == {"database": "ok", "search": "failed", "index": "ok"}


def test_it_is_not_ready_without_a_database_and_tells_nobody_where_that_is(
    client, search, no_database
):
    not_ready = client.get("/health/ready")
    assert problem(not_ready) == (503, "not-ready", {"database": health._UNUSABLE})
    assert not_ready.headers["retry-after"] == "1"
    for answer in (not_ready, client.get("/health")):
        assert answer.status_code == 503
        assert "db.internal" not in answer.text


def test_what_is_needed_is_the_newest_migration():
    assert ScriptDirectory("migrations").get_current_head() == revisions.NEEDED


@pytest.mark.parametrize("revision", [None, "0001"])
def test_it_is_not_ready_on_a_database_that_is_not_migrated_yet(client, search, conn, revision):
    with revised(conn, revision):
        assert problem(client.get("/health/ready"))[:2] == (503, "not-ready")
        assert statuses(client.get("/health"))["database"] == "failed"
    assert client.get("/health/ready").status_code == 200


def test_it_stays_ready_on_a_database_that_newer_code_has_migrated(client, search, conn):
    """As in a deployment: its migration comes first, then one replica after another."""
    with revised(conn, "9999"):
        assert client.get("/health/ready").status_code == 200


@contextmanager
def revised(conn, revision):
    (before,) = conn.execute("DELETE FROM alembic_version RETURNING version_num").fetchone()
    if revision:
        conn.execute("INSERT INTO alembic_version VALUES (%s)", [revision])
    try:
        yield
    finally:
        conn.execute("DELETE FROM alembic_version")
        conn.execute("INSERT INTO alembic_version VALUES (%s)", [before])


def test_an_alarm_of_the_index_is_a_failed_component(client, search, monkeypatch):
    async def read(_):
        class Facts:
            def alarms(self):
                return ["The last audit found 3 differences"]

        return Facts()

    monkeypatch.setattr(IndexFacts, "read", read)
    unhealthy = client.get("/health")
    assert unhealthy.status_code == 503
    assert statuses(unhealthy) == {"database": "ok", "search": "ok", "index": "failed"}
    assert client.get("/health/ready").status_code == 200, "bookings and searches go on"


def test_prometheus_is_told_the_lag_and_a_flood_of_questions_asks_once(client, monkeypatch):
    asked = []
    facts = index_facts.facts
    monkeypatch.setattr(index_facts, "facts", lambda conn: asked.append(1) or facts(conn))
    monkeypatch.setattr(index_facts, "FRESH_S", 60)
    client.app.state.index_facts._read = None
    answers = [client.get("/metrics") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["content-type"].startswith("text/plain")
    assert "rides_index_lag_seconds_bucket" in answers[0].text
    assert len(asked) == 1
    client.app.state.index_facts._read = None
    assert client.get("/metrics?x=1").status_code == 422

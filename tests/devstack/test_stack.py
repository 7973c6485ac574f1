"""The real three servers, booted twice in all: by two `up` at once, and again after `down`."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg
import pytest
import redis
from elasticsearch import Elasticsearch, NotFoundError

from devstack import stack
from tests import servers as run_servers

# One worker runs a whole file (`--dist loadfile`), so that the servers boot no more often.
pytestmark = pytest.mark.timeout(900)

ENGLISH = {
    "type": "custom",
    "tokenizer": "standard",
    "filter": ["lowercase", "asciifolding", "porter_stem"],
}


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory):
    path = tmp_path_factory.mktemp("stack") / "state"
    yield path
    run_servers.remove(path)


@pytest.fixture(scope="module")
def both(state_dir):
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(stack.up, state_dir, durable=False, short_lived=True) for _ in range(2)
        ]
        results = [future.result() for future in futures]
    missing = results[0].missing
    if missing and os.environ.get("CI") != "true":
        pytest.skip(missing)
    assert missing is None
    return results


@pytest.fixture(scope="module")
def servers(both):
    return both[0]


@pytest.fixture(scope="module")
def engine(servers):
    with Elasticsearch(servers.elasticsearch_url) as client:
        yield client


def pids(state_dir):
    own = json.loads((state_dir / "servers.json").read_text())["own"]
    return {name: entry["pid"] for name, entry in own.items()}


def test_two_ups_at_once_start_each_server_once(both, state_dir):
    first, second = both
    assert first.environment() == second.environment()
    assert sorted(first.started + second.started) == ["elasticsearch", "postgres", "valkey"]
    assert all(psutil.pid_exists(pid) for pid in pids(state_dir).values())


def test_running_tells_the_same_urls(servers, state_dir):
    assert stack.running(state_dir).environment() == servers.environment()


@pytest.mark.usefixtures("servers")
def test_servers_json_is_private(state_dir):
    assert (state_dir / "servers.json").stat().st_mode & 0o777 == 0o600


def test_postgres_sorts_and_folds_like_production(servers):
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute(
            "SELECT current_setting('timezone'), current_setting('server_encoding'),"
            " lower('CITROËN'), current_user, current_database()"
        ).fetchone()
        assert row == ("UTC", "UTF8", "citroën", "rides", "rides")
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute("CREATE EXTENSION pg_trgm")
        trigrams = connection.execute("SELECT show_trgm('ëë')").fetchone()[0]
        assert len(trigrams) == 3


def test_postgres_wants_the_password(servers):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(servers.database_url.replace("rides:", "rides:not-", 1))


def test_valkey_answers_and_wants_the_password(servers):
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.ping()
        assert int(client.info("server")["valkey_version"].split(".")[0]) == 9
    host = servers.redis_url.rpartition("@")[2]
    with redis.Redis.from_url(f"redis://{host}") as client, pytest.raises(redis.RedisError):
        client.ping()


def test_the_filters_that_the_artifact_lacks_work_by_their_bare_names(engine):
    engine.indices.create(
        index="analysis",
        settings={"analysis": {"analyzer": {"english_text": ENGLISH}}},
    )
    reply = engine.indices.analyze(index="analysis", analyzer="english_text", text="Citroën cars")
    assert [token["token"] for token in reply["tokens"]] == ["citroen", "car"]


def test_a_pruned_build_does_not_come_back_by_itself(engine):
    with pytest.raises(NotFoundError, match="forbids automatic creation"):
        engine.index(index="vehicles-20260101", document={"id": 1})
    assert engine.index(index="notes", document={"id": 1})["result"] == "created"


def test_down_leaves_nothing_and_the_next_up_finds_its_data(servers, state_dir):
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    with Elasticsearch(servers.elasticsearch_url) as client:
        client.index(index="kept", document={"id": 1}, refresh=True)
    trees = [
        process
        for pid in pids(state_dir).values()
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    ]
    assert len(trees) > 3

    assert sorted(stack.down(state_dir)) == ["elasticsearch", "postgres", "valkey"]
    assert stack.running(state_dir) is None
    assert [p for p in trees if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert stack.down(state_dir) == []

    again = stack.up(state_dir, durable=False, short_lived=True)
    assert again.environment() == servers.environment()
    with psycopg.connect(again.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    with Elasticsearch(again.elasticsearch_url) as client:
        assert client.count(index="kept")["count"] == 1

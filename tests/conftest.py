"""Real servers for every test, found or started once; a database and an index alias per worker.

`make up` before testing saves their boot; without it they are started for the run and stopped
after it. See `tests/servers.py` for the order in which servers are looked for.
"""

import os
from collections.abc import Iterator
from uuid import uuid4

import boto3
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from elasticsearch import Elasticsearch
from fastapi.testclient import TestClient
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from sqlalchemy.engine import make_url

from api.app import create_app
from indexer import builds
from indexer.rebuild import prune, rebuild
from runtime.object_store import ObjectStore, open_store
from runtime.s3 import S3Store
from runtime.settings import Settings
from runtime.settings import settings as process_settings
from search.understand.vocabulary import EMPTY
from tests import aws, servers
from tests import market as vocabulary
from tests.postbox import Postbox

SECRET = "a secret for tests that is long enough"  # pragma: allowlist secret
# index_builds stays: a worker's index serves all its tests, emptied by `tests.market.clear`.
TABLES = (
    "sandbox_refunds, sandbox_intents, payment_events, ledger, refunds, payments, "
    "idempotency_keys, index_dead_letters, search_dirty, chats, messages, bookings, "
    "calendar_blocks, reviews, review_reports, photos, photo_uploads, vehicle_features, "
    "vehicles, accounts, external_identities, second_factors, recovery_codes, token_families, "
    "refresh_tokens, provider_flows, mails, registrations, password_resets, "
    "vehicle_search_view, vehicle_search_texts, vehicle_search_documents, "
    "vehicle_search_values, price_medians, popular_searches"
)
MUCH = 256 * 1024  # bytes of a table, rows that are gone included, from which on it is made anew
_USED = " UNION ALL ".join(
    f"(SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table}))"
    for table in TABLES.split(", ")
)
_BEGIN_IDS_ANEW = """
    SELECT setval(seqrelid, seqstart, false)
    FROM pg_sequence JOIN pg_depend ON objid = seqrelid AND deptype IN ('a', 'i')
    WHERE refobjid = ANY(%(tables)s::regclass[]) AND pg_sequence_last_value(seqrelid) IS NOT NULL
"""


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers and migrate the template database, in the controller only."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    servers.start()
    os.environ["RIDES_TEST_SERVER"] = os.environ["RIDES_DATABASE_URL"]
    os.environ["RIDES_TEST_RUN"] = run = uuid4().hex[:8]
    os.environ["RIDES_SECRET_KEY"] = SECRET
    # All tests are one network; those of the limits turn them on.
    os.environ["RIDES_RATE_LIMITS"] = "false"
    os.environ["RIDES_DATABASE_URL"] = create_database(f"rides_template_{run}")
    process_settings.cache_clear()
    # A refresh of the search table must not log over pytest's own lines.
    command.upgrade(Config(toml_file="pyproject.toml"), "head")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Drop what this run made and stop what it started."""
    if hasattr(config, "workerinput") or "RIDES_TEST_RUN" not in os.environ:
        return
    run = os.environ["RIDES_TEST_RUN"]
    with psycopg.connect(os.environ["RIDES_TEST_SERVER"], autocommit=True) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"rides%{run}%"]
        ).fetchall()
        for (name,) in rows:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
    if url := os.environ.get("RIDES_ELASTICSEARCH_URL"):
        with Elasticsearch(url) as client:
            names = list(client.indices.get(index=f"vehicles-test-{run}-*", expand_wildcards="all"))
            for name in names:
                client.indices.delete(index=name)
    servers.stop()


def create_database(name: str, template: str = "template0") -> str:
    """Create a database on the test server; its URL."""
    server = os.environ["RIDES_TEST_SERVER"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def database_name(url: str) -> str:
    """The database that a URL names."""
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture(scope="session")
def worker() -> str:
    """What keeps this worker's things apart from those of other workers and runs."""
    return f"{os.environ['RIDES_TEST_RUN']}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@pytest.fixture(scope="session")
def database_url(worker: str) -> str:
    """A migrated, empty database of this worker's own."""
    template = database_name(os.environ["RIDES_DATABASE_URL"])
    return create_database(f"rides_{worker}", template)


@pytest.fixture(scope="session")
def settings(worker: str, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings that point at this worker's database and index alias."""
    return Settings(
        database_url=database_url,
        redis_url=os.environ["RIDES_REDIS_URL"],
        elasticsearch_url=os.environ.get("RIDES_ELASTICSEARCH_URL", "http://127.0.0.1:1"),
        index_alias=f"vehicles-test-{worker}",
        secret_key=SECRET,
        pool_size=5,
        state_dir=tmp_path_factory.mktemp("state"),
        payments="sandbox",
    )


@pytest.fixture(scope="session")
def _session_connection(database_url: str) -> Iterator[psycopg.Connection[TupleRow]]:
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as connection:
        yield connection


def emptied(connection: psycopg.Connection[TupleRow]) -> psycopg.Connection[TupleRow]:
    """The connection, to a database without a row, whose ids begin anew.

    TRUNCATE makes new files for every table and index, 90 ms for all of them: what holds little
    is deleted, which takes 15. The lock waits for whoever writes still, as TRUNCATE does.
    """
    with connection.transaction():
        connection.execute(f"LOCK TABLE {TABLES} IN ACCESS EXCLUSIVE MODE")
        used = connection.execute(_USED).fetchall()
        if any(size > MUCH for _, size in used):
            connection.execute("SET LOCAL rides.allow_truncate = 'on'")
            connection.execute(f"TRUNCATE {TABLES}")
        else:
            # Neither triggers nor foreign keys: nothing that this would be told to is left.
            connection.execute("SET LOCAL session_replication_role = 'replica'")
            for table, _ in used:
                connection.execute(f"DELETE FROM {table}")
        connection.execute(_BEGIN_IDS_ANEW, {"tables": TABLES.split(", ")})
    return connection


@pytest.fixture
def conn(_session_connection: psycopg.Connection[TupleRow]) -> psycopg.Connection[TupleRow]:
    """An autocommitting connection to this worker's database, emptied before the test."""
    return emptied(_session_connection)


@pytest.fixture(scope="session")
def amazon() -> Iterator[str]:
    """The address of an S3 and a CloudFront, with the credentials in the environment."""
    with aws.credentials(), aws.served() as address:
        yield address


@pytest.fixture
def bucket(amazon: str) -> str:
    """A bucket of the test's own there."""
    name = f"media-{uuid4().hex[:12]}"
    client = boto3.client("s3", endpoint_url=amazon)
    client.create_bucket(Bucket=name)
    client.close()
    return name


@pytest.fixture(params=["folder", "s3"])
def store(
    request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> ObjectStore:
    """An empty object store, of either kind."""
    if request.param == "folder":
        state_dir = tmp_path_factory.mktemp("store")
        return open_store(settings.model_copy(update={"state_dir": state_dir}))
    amazon, bucket = (request.getfixturevalue(name) for name in ("amazon", "bucket"))
    return S3Store(bucket, amazon)


@pytest.fixture(scope="session")
def elastic(settings: Settings) -> Iterator[Elasticsearch]:
    """The search server; a test that asks for it is skipped where none can be had (never in CI)."""
    if "RIDES_ELASTICSEARCH_URL" not in os.environ:
        pytest.skip("no Elasticsearch: see the line at the start of the run")
    with Elasticsearch(settings.elasticsearch_url) as client:
        yield client


@pytest.fixture(scope="session")
def _mail_server(settings: Settings) -> Iterator[Postbox]:
    box = Postbox(settings)
    yield box
    box.close()


@pytest.fixture
def postbox(_mail_server: Postbox) -> Postbox:
    """A mail server, empty."""
    _mail_server.clear()
    return _mail_server


def ensure_index(
    connection: psycopg.Connection[TupleRow], elastic: Elasticsearch, alias: str
) -> None:
    """The worker's index; one that a test without Elasticsearch has stopped is made anew."""
    if builds.serving(connection) is None:
        rebuild(connection, elastic, alias, lambda done, total: None)
        prune(connection, elastic, standby=False)


@pytest.fixture
def _index(conn: psycopg.Connection[TupleRow], elastic: Elasticsearch, settings: Settings) -> None:
    ensure_index(conn, elastic, settings.index_alias)


@pytest.fixture(scope="session")
def api(settings: Settings) -> Iterator[TestClient]:
    """The API over this worker's database and index."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def market(
    conn: psycopg.Connection[TupleRow],
    elastic: Elasticsearch,
    _index: None,
    api: TestClient,
    settings: Settings,
) -> vocabulary.Market:
    """An empty marketplace, searchable over HTTP."""
    vocabulary.clear(conn, elastic)
    api.app.state.vocabulary.current = EMPTY  # type: ignore[attr-defined]
    return vocabulary.Market(conn, elastic, api, settings)

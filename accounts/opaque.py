"""Tokens that say nothing by themselves: random, and kept as a hash only."""

import hashlib
import secrets

# A hash without salt or slowness is enough: nobody guesses 256 random bits.
_BYTES = 32
LONGEST = 64


def new() -> str:
    """A token of 43 characters."""
    return secrets.token_urlsafe(_BYTES)


def digest(token: str) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

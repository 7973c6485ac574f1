"""Opaque, signed cursors of keyset pages: what was shown last, and of which list.

The signature is SHA-384: its 48 bytes fill base64 without a spare bit, so any changed character is
noticed.
"""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import orjson
from itsdangerous import BadData, Signer

from api.errors import Problem
from api.schemas.common import FieldError
from runtime.settings import Settings

# Base64 is read more generously than it is written: "+" for "-", "/" for "_", "=" for nothing.
_WRITTEN = re.compile(r"[\w.-]+", re.ASCII)


def encode(settings: Settings, of: str, last: Mapping[str, Any]) -> str:
    """A cursor that continues the list `of` (such as `reviews of 7`) after `last`."""
    content = urlsafe_b64encode(orjson.dumps(dict(last))).rstrip(b"=")
    return _signer(settings, of).sign(content).decode()


def decode(settings: Settings, of: str, cursor: str) -> dict[str, Any]:
    """What `encode` was given for the same list.

    Raises:
        Problem: 400 `invalid-cursor`; it was altered, or belongs to another list.
    """
    if not _WRITTEN.fullmatch(cursor):
        raise _invalid()
    try:
        content = _signer(settings, of).unsign(cursor)
    except BadData as error:
        raise _invalid() from error
    last: dict[str, Any] = orjson.loads(urlsafe_b64decode(content + b"=" * (-len(content) % 4)))
    return last


def _invalid() -> Problem:
    return Problem(
        400,
        "invalid-cursor",
        "The cursor does not belong to this list",
        "Ask without `cursor` for the first page, and pass `nextCursor` unchanged with the "
        "same parameters.",
        errors=[FieldError(pointer="cursor", message="was not issued for this list")],
    )


def _signer(settings: Settings, of: str) -> Signer:
    return Signer(
        settings.require_secret(),
        # The salt derives the key, so a cursor of one list does not verify for another.
        salt=f"cursor: {of}",
        digest_method=hashlib.sha384,
        key_derivation="hmac",
    )

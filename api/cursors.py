"""Opaque, signed cursors of keyset pages: what was shown last, and of which list.

The signature is SHA-384: its 48 bytes fill base64 without a spare bit, so any changed character is
noticed.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from api.errors import Problem
from api.schemas.common import FieldError
from runtime.settings import Settings

# Base64 is read more generously than it is written: "+" for "-", "/" for "_", "=" for nothing.
_WRITTEN = re.compile(r"([\w-]+)\.([\w-]+)", re.ASCII)


def encode(settings: Settings, of: str, last: Mapping[str, Any]) -> str:
    """A cursor that continues the list `of` (such as `reviews of 7`) after `last`."""
    content = urlsafe_b64encode(orjson.dumps(dict(last))).rstrip(b"=")
    return f"{content.decode()}.{_signature(settings, of, content)}"


def decode(settings: Settings, of: str, cursor: str) -> dict[str, Any]:
    """What `encode` was given for the same list.

    Raises:
        Problem: 400 `invalid-cursor`; it was altered, or belongs to another list.
    """
    written = _WRITTEN.fullmatch(cursor)
    if written is None:
        raise _invalid()
    content = written[1].encode()
    if not hmac.compare_digest(written[2], _signature(settings, of, content)):
        raise _invalid()
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


def _signature(settings: Settings, of: str, content: bytes) -> str:
    """In one call of the standard library: every page has a cursor."""
    # No list's name has a line break, so that a cursor of one list does not verify for another.
    signed = b"cursor\n%b\n%b" % (of.encode(), content)
    return urlsafe_b64encode(
        hmac.digest(settings.require_secret().encode(), signed, "sha384")
    ).decode()

"""Write tokens: which transaction wrote, signed, so that a search can wait until it is searchable.

Signed because a made-up one would let anybody make searches wait for nothing.
"""

import hashlib
from typing import Any

from fastapi import Response
from itsdangerous import BadData, Signer
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Problem
from api.schemas.common import FieldError
from models.session import transaction_id
from runtime.settings import Settings

HEADER = "X-Write-Token"
# What a route that writes declares of its answer.
ANSWER: dict[str, Any] = {
    "headers": {
        HEADER: {
            "description": "as `after`, makes a search wait until this write is searchable",
            "schema": {"type": "string"},
        }
    }
}


async def stamp(response: Response, session: AsyncSession, settings: Settings) -> None:
    """Give the answer the token of what the session's transaction writes."""
    response.headers[HEADER] = encode(settings, await transaction_id(session))


def encode(settings: Settings, xid: int) -> str:
    """The token of the transaction `xid`."""
    return _signer(settings).sign(str(xid)).decode()


def decode(settings: Settings, token: str) -> int:
    """The transaction of a token.

    Raises:
        Problem: 400 `invalid-write-token`; it is none of ours, or was altered.
    """
    try:
        return int(_signer(settings).unsign(token))
    except (BadData, UnicodeError) as error:
        raise Problem(
            400,
            "invalid-write-token",
            "The write token is not one of ours",
            f"Pass the `{HEADER}` of the write's answer unchanged, or search without `after`.",
            errors=[FieldError(pointer="after", message="was not issued by a write")],
        ) from error


async def wait(state: Any, token: str | None) -> set[str] | None:
    """Engines that have the write of a token, in at most 2 s; None without one.

    To be asked before a search is, and then whether the engine that answered it is one of them.

    Raises:
        Problem: 400 `invalid-write-token`.
    """
    if token is None:
        return None
    having: set[str] = await state.truth.wait(
        decode(state.settings, token), lambda: state.searches.answers
    )
    return having


def satisfied(having: set[str] | None, engine: str) -> bool | None:
    """What an answer of `engine` says about the write that was waited for."""
    return None if having is None else engine in having


def _signer(settings: Settings) -> Signer:
    return Signer(
        settings.require_secret(),
        salt="write token",
        digest_method=hashlib.sha384,
        key_derivation="hmac",
    )

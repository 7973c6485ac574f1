"""Once per key: a claim is committed before the work, its answer together with the work.

A claim that was left behind by a dead process can be taken over after a minute. Whoever takes it
over gets a higher token, and the former holder can no longer store an answer: its work is rolled
back, or, where it talked to others, has been done under keys that make the repetition harmless.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import orjson
import psycopg
from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models import IdempotencyKey
from runtime.prepared import Connections, Question, Value

Ask = Callable[[str, dict[str, Any]], Awaitable[Sequence[Any]]]  # the rows of a statement
LEASE = timedelta(seconds=60)  # longer than any request
KEPT = timedelta(hours=24)


class InFlightError(Exception):
    """The same request is being worked on right now."""


class DifferentRequestError(Exception):
    """The key was used for another request."""


class LostClaimError(Exception):
    """It took so long that somebody else has taken the claim over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer for a key, for as long as `token` is the newest."""

    account_id: int
    route: str
    key: str
    token: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer that was given."""

    status: int
    headers: dict[str, Any]
    body: str


async def claim(
    connections: Connections, *, account_id: int, route: str, key: str, fingerprint: str
) -> Claim | Stored:
    """A claim on the key, or the answer that was given for it in the last 24 hours.

    Raises:
        InFlightError: somebody else has it.
        DifferentRequestError: it was used with another fingerprint.
    """
    said: dict[str, Value] = {
        "account_id": account_id,
        "route": route,
        "key": key,
        "fingerprint": fingerprint,
        "lease_s": round(LEASE.total_seconds()),
        "kept_s": round(KEPT.total_seconds()),
    }
    async with connections.connection() as connection:
        for (token,) in await connection.ask(_CLAIM, said):
            return Claim(account_id, route, key, int(token))
        found = await connection.ask(_FIND, said)
    if not found:  # released between the two statements
        raise InFlightError
    ((theirs, status, headers, body),) = found
    if theirs.decode() != fingerprint:
        raise DifferentRequestError
    if status is None:
        raise InFlightError
    return Stored(int(status), orjson.loads(headers or b"{}"), (body or b"").decode())


# An old claim, or one that a dead process left behind, is taken over.
_CLAIM = """
    INSERT INTO idempotency_keys AS k (account_id, route, key, fingerprint, leased_until)
    VALUES (
        %(account_id)s, %(route)s, %(key)s, %(fingerprint)s,
        now() + make_interval(secs => %(lease_s)s)
    )
    ON CONFLICT (account_id, route, key) DO UPDATE SET
        fingerprint = excluded.fingerprint, token = k.token + 1,
        leased_until = excluded.leased_until, status = NULL, headers = NULL, body = NULL,
        created_at = now()
    WHERE k.created_at < now() - make_interval(secs => %(kept_s)s)
        OR k.status IS NULL AND k.leased_until < now() AND k.fingerprint = excluded.fingerprint
    RETURNING token
"""
_FIND = """
    SELECT fingerprint, status, headers, body FROM idempotency_keys
    WHERE account_id = %(account_id)s AND route = %(route)s AND key = %(key)s
"""
_STORE = """
    UPDATE idempotency_keys SET status = %(status)s, headers = %(headers)s, body = %(body)s
    WHERE account_id = %(account_id)s AND route = %(route)s AND key = %(key)s
        AND token = %(token)s AND status IS NULL
    RETURNING token
"""


# An error is what keeps a COMMIT that was sent along from being carried out.
_STORE_OR_FAIL = f"WITH stored AS ({_STORE}) SELECT 1 / count(*) FROM stored"  # noqa: S608 - constants
Lost = psycopg.errors.DivisionByZero


async def store(ask: Ask, mine: Claim, answer: Stored) -> None:
    """Keep the answer, in the transaction of the work that it is about, which `ask` asks in.

    Raises:
        LostClaimError: the claim is not mine any more.
    """
    if not await ask(_STORE, _row(mine, answer)):
        raise LostClaimError


def storing(mine: Claim, answer: Stored) -> Question:
    """What keeps the answer as the last of a transaction, and is `Lost` where `store` raises."""
    return _STORE_OR_FAIL, _row(mine, answer)


def _row(mine: Claim, answer: Stored) -> dict[str, Any]:
    return asdict(mine) | {
        "status": answer.status,
        "headers": orjson.dumps(answer.headers).decode(),
        "body": answer.body,
    }


async def release(sessions: async_sessionmaker[AsyncSession], mine: Claim) -> None:
    """Give the claim up, as nothing was done: the next request with the key starts afresh."""
    async with sessions.begin() as session:
        await session.execute(delete(IdempotencyKey).where(*_held(mine)))


async def tidy(sessions: async_sessionmaker[AsyncSession]) -> int:
    """Forget keys of more than 24 hours ago; how many."""
    async with sessions.begin() as session:
        gone = await session.execute(
            delete(IdempotencyKey)
            .where(IdempotencyKey.created_at < func.now() - KEPT)
            .returning(IdempotencyKey.token)
        )
        return len(gone.all())


def _held(mine: Claim) -> tuple[Any, ...]:
    return (
        IdempotencyKey.account_id == mine.account_id,
        IdempotencyKey.route == mine.route,
        IdempotencyKey.key == mine.key,
        IdempotencyKey.token == mine.token,
        IdempotencyKey.status.is_(None),
    )

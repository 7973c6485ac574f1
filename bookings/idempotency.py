"""Once per key: a claim is committed before the work, its answer together with the work.

A claim that was left behind by a dead process can be taken over after a minute. Whoever takes it
over gets a higher token, and the former holder can no longer store an answer: its work is rolled
back, or, where it talked to others, has been done under keys that make the repetition harmless.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models import IdempotencyKey

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
    sessions: async_sessionmaker[AsyncSession],
    *,
    account_id: int,
    route: str,
    key: str,
    fingerprint: str,
) -> Claim | Stored:
    """A claim on the key, or the answer that was given for it in the last 24 hours.

    Raises:
        InFlightError: somebody else has it.
        DifferentRequestError: it was used with another fingerprint.
    """
    mine = insert(IdempotencyKey).values(
        account_id=account_id,
        route=route,
        key=key,
        fingerprint=fingerprint,
        leased_until=func.now() + LEASE,
    )
    old = IdempotencyKey.created_at < func.now() - KEPT
    abandoned = IdempotencyKey.status.is_(None) & (IdempotencyKey.leased_until < func.now())
    same = IdempotencyKey.fingerprint == fingerprint
    statement = mine.on_conflict_do_update(
        index_elements=["account_id", "route", "key"],
        set_={
            "fingerprint": fingerprint,
            "token": IdempotencyKey.token + 1,
            "leased_until": func.now() + LEASE,
            "status": None,
            "headers": None,
            "body": None,
            "created_at": func.now(),
        },
        where=or_(old, abandoned & same),
    ).returning(IdempotencyKey.token)
    async with sessions.begin() as session:
        token = await session.scalar(statement)
        if token is not None:
            return Claim(account_id, route, key, token)
        found = await session.scalar(
            select(IdempotencyKey).where(
                IdempotencyKey.account_id == account_id,
                IdempotencyKey.route == route,
                IdempotencyKey.key == key,
            )
        )
    if found is None:  # released between the two statements
        raise InFlightError
    if found.fingerprint != fingerprint:
        raise DifferentRequestError
    if found.status is None:
        raise InFlightError
    return Stored(found.status, found.headers or {}, found.body or "")


async def store(session: AsyncSession, mine: Claim, answer: Stored) -> None:
    """Keep the answer, in the transaction of the work that it is about.

    Raises:
        LostClaimError: the claim is not mine any more.
    """
    stored = await session.scalar(
        update(IdempotencyKey)
        .where(*_held(mine))
        .values(status=answer.status, headers=answer.headers, body=answer.body)
        .returning(IdempotencyKey.token)
    )
    if stored is None:
        raise LostClaimError


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

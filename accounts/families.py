"""Sign-ins that last: refresh tokens that rotate, in families that are revoked as one.

Each use of a refresh token gives the next. One that comes back after its use was copied: by whom
cannot be told, so the whole family ends. Only within `LEEWAY` it is more likely that two tabs of
one app asked at once; then nobody gets anything from the second request, and nothing ends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from accounts import opaque
from accounts.errors import InvalidRefreshTokenError, RefreshTokenJustUsedError
from accounts.tokens import ACCESS_TTL, sign_token
from models import Account, RefreshToken, TokenFamily

# An app that is not opened for so long asks for the password again; and once a quarter everybody.
IDLE = timedelta(days=30)
LONGEST = timedelta(days=90)
LEEWAY = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What an app holds for a person; `expires_in` seconds is the access token good for."""

    access_token: str
    refresh_token: str
    expires_in: int


async def open_family(
    session: AsyncSession, account: Account, *, now: datetime, secret: str
) -> SignedIn:
    """Sign in: the first tokens of a new family."""
    family = TokenFamily(account_id=account.id, expires_at=now + LONGEST)
    session.add(family)
    await session.flush()
    return _next(session, family, account, now=now, secret=secret)


async def refresh(
    transactions: async_sessionmaker[AsyncSession], token: str, *, now: datetime, secret: str
) -> SignedIn:
    """The next tokens of the family, with the role and tier that the account has now.

    Works in a transaction of its own: a family that is revoked stays so, whatever the answer.

    Raises:
        InvalidRefreshTokenError: unknown, expired, revoked; or used before, and now its whole
            family is revoked.
        RefreshTokenJustUsedError: used at most `LEEWAY` ago; nothing is minted, nothing revoked.
    """
    async with transactions.begin() as session:
        family = await _use(session, opaque.digest(token), now)
        if family is not None:
            account = await session.get_one(Account, family.account_id)
            return _next(session, family, account, now=now, secret=secret)
        just_used = await _reused(session, opaque.digest(token), now)
    if just_used:
        raise RefreshTokenJustUsedError
    raise InvalidRefreshTokenError


async def revoke(session: AsyncSession, token: str, *, now: datetime) -> None:
    """Sign out: end the family of `token`. One that is unknown or ended changes nothing."""
    link = select(RefreshToken.family_id).where(RefreshToken.token_hash == opaque.digest(token))
    await session.execute(
        update(TokenFamily)
        .where(TokenFamily.id == link.scalar_subquery(), TokenFamily.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def revoke_all(session: AsyncSession, account_id: int, *, now: datetime) -> None:
    """End every sign-in of an account; access tokens live on for `ACCESS_TTL` at most."""
    await session.execute(
        update(TokenFamily)
        .where(TokenFamily.account_id == account_id, TokenFamily.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def _use(session: AsyncSession, token_hash: bytes, now: datetime) -> TokenFamily | None:
    """Mark the end of a living chain as used; of two at once PostgreSQL lets one through."""
    used = (
        update(RefreshToken)
        .where(
            RefreshToken.token_hash == token_hash,
            RefreshToken.used_at.is_(None),
            RefreshToken.expires_at > now,
            RefreshToken.family_id == TokenFamily.id,
            TokenFamily.revoked_at.is_(None),
            TokenFamily.expires_at > now,
        )
        .values(used_at=now)
        .returning(TokenFamily)
        .execution_options(synchronize_session=False)
    )
    return await session.scalar(used)


async def _reused(session: AsyncSession, token_hash: bytes, now: datetime) -> bool:
    """Whether a token that could not be used was used a moment ago; if longer, end its family."""
    link = await session.get(RefreshToken, token_hash)
    if link is None or link.used_at is None:
        return False
    family = await session.get_one(TokenFamily, link.family_id)
    if family.revoked_at is not None or family.expires_at <= now:
        return False
    if now - link.used_at <= LEEWAY:
        return True
    family.revoked_at = now
    return False


def _next(
    session: AsyncSession, family: TokenFamily, account: Account, *, now: datetime, secret: str
) -> SignedIn:
    token = opaque.new()
    expires_at = min(now + IDLE, family.expires_at)
    session.add(
        RefreshToken(token_hash=opaque.digest(token), family_id=family.id, expires_at=expires_at)
    )
    access = sign_token(account.id, account.role, tier=account.tier, secret=secret)
    return SignedIn(access, token, int(ACCESS_TTL.total_seconds()))

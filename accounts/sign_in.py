"""Signing in: a password, then a code where the account has a second factor."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from accounts import challenges, families, second_factor
from accounts.addresses import normalised
from accounts.errors import InvalidCredentialsError, InvalidFieldError
from accounts.families import SignedIn
from accounts.passwords import Hasher
from models import Account


@dataclass(frozen=True, slots=True)
class Challenge:
    """The first step is done; `token` and a code of the second factor finish the sign-in."""

    token: str


async def login(
    transactions: async_sessionmaker[AsyncSession],
    hasher: Hasher,
    *,
    email: str,
    password: str,
    now: datetime,
    secret: str,
) -> SignedIn | Challenge:
    """Tokens, or the challenge of the second step.

    Raises:
        InvalidCredentialsError: whatever is wrong; after the same work and in the same words.
        SignInUnavailableError: too many passwords are being compared.
    """
    try:
        address = normalised(email)
    except InvalidFieldError:
        address = ""  # nobody's
    async with transactions.begin() as session:
        found = await session.scalar(select(Account).where(Account.email == address))
    stored = found.password_hash if found is not None else None
    # No connection is held while the password is compared: that may have to wait for its turn.
    if not await hasher.matches(stored, password):
        raise InvalidCredentialsError
    assert found is not None
    async with transactions.begin() as session:
        # A reset that came between has set another hash, and ends the sign-ins that it can see.
        account = await session.scalar(
            select(Account)
            .where(Account.id == found.id, Account.password_hash == stored)
            .with_for_update(read=True)
        )
        if account is None:
            raise InvalidCredentialsError
        return await begin(session, account, now=now, secret=secret)


async def begin(
    session: AsyncSession, account: Account, *, now: datetime, secret: str
) -> SignedIn | Challenge:
    """Sign in an account whose first step is done, or ask for the second."""
    if await second_factor.is_on(session, account.id):
        return Challenge(challenges.sign(account.id, secret=secret))
    return await families.open_family(session, account, now=now, secret=secret)

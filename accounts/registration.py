"""From an address and a password to an account.

There is no account before whoever reads the address's mail has also shown the password that was
chosen with it (docs/adr/0029). So nobody can occupy somebody else's address, nor have an account
waiting there under a password of their own.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from accounts import families, opaque
from accounts.addresses import normalised
from accounts.errors import AlreadyRegisteredError, InvalidCredentialsError, InvalidLinkError
from accounts.families import SignedIn
from accounts.passwords import Hasher, require_good
from models import Account, Mail, MailKind, Registration

GOOD_FOR = timedelta(hours=24)
# Wrong passwords at a link before it dies.
MOST_FAILURES = 5


async def register(
    session: AsyncSession,
    hasher: Hasher,
    *,
    email: str,
    password: str,
    display_name: str,
    now: datetime,
) -> None:
    """Have a mail sent to the address: a link that finishes the registration.

    Whether it has an account is looked up only when the mail is sent, and the mail then says so:
    here neither the answer nor the time that it takes can depend on it.

    Raises:
        InvalidFieldError: the address is none, or the password breaks a rule.
        SignInUnavailableError: too many passwords are being hashed.
    """
    address = normalised(email)
    require_good(password, address=address)
    password_hash = await hasher.hash(password)
    registration = Registration(
        email=address,
        display_name=display_name,
        password_hash=password_hash,
        expires_at=now + GOOD_FOR,
    )
    session.add(registration)
    await session.flush()
    session.add(
        Mail(kind=MailKind.VERIFY_EMAIL, recipient=address, registration_id=registration.id)
    )


async def verify_email(
    transactions: async_sessionmaker[AsyncSession],
    hasher: Hasher,
    *,
    token: str,
    password: str,
    now: datetime,
    secret: str,
) -> SignedIn:
    """Make the account of a registration, and sign it in.

    Raises:
        InvalidLinkError: the token is unknown, used or expired, or died of wrong passwords.
        InvalidCredentialsError: the password is not the one that was registered with.
        AlreadyRegisteredError: the address has got its account by another way meanwhile.
        SignInUnavailableError: too many passwords are being compared.
    """
    async with transactions.begin() as session:
        found = await session.scalar(
            select(Registration).where(
                Registration.token_hash == opaque.digest(token), Registration.expires_at > now
            )
        )
    if found is None:
        raise InvalidLinkError
    # No connection is held while the password is compared: that may have to wait for its turn.
    if not await hasher.matches(found.password_hash, password):
        async with transactions.begin() as session:
            await _count_failure(session, found.id)
        raise InvalidCredentialsError
    async with transactions.begin() as session:
        account = await _finish(session, found)
        return await families.open_family(session, account, now=now, secret=secret)


async def _finish(session: AsyncSession, registration: Registration) -> Account:
    # The address's being unique is what makes a link good for once, also of two at the same time.
    # Before the deletion: two links of one address would else wait for each other in a circle.
    account: Account | None = await session.scalar(
        insert(Account)
        .values(
            email=registration.email,
            password_hash=registration.password_hash,
            display_name=registration.display_name,
        )
        .on_conflict_do_nothing(index_elements=[Account.email])
        .returning(Account)
    )
    if account is None:
        raise AlreadyRegisteredError
    await session.execute(delete(Registration).where(Registration.email == account.email))
    return account


async def _count_failure(session: AsyncSession, registration_id: int) -> None:
    failures = await session.scalar(
        update(Registration)
        .where(Registration.id == registration_id)
        .values(failures=Registration.failures + 1)
        .returning(Registration.failures)
    )
    if failures is not None and failures >= MOST_FAILURES:
        await session.execute(delete(Registration).where(Registration.id == registration_id))

"""A forgotten password: a mail, and what its link may do, once."""

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import families, opaque
from accounts.addresses import normalised
from accounts.errors import InvalidLinkError
from accounts.passwords import Hasher, require_good
from models import Account, Mail, MailKind, PasswordReset

GOOD_FOR = timedelta(hours=1)


async def request_reset(session: AsyncSession, *, email: str, now: datetime) -> None:
    """Have a link sent to the address, if it has an account.

    That is looked up only when the mail would be sent: here neither the answer nor the time that it
    takes can depend on it.

    Raises:
        InvalidFieldError: it is no address.
    """
    session.add(
        Mail(
            kind=MailKind.RESET_PASSWORD,
            recipient=normalised(email),
            link_expires_at=now + GOOD_FOR,
        )
    )


async def reset_password(
    session: AsyncSession, hasher: Hasher, *, token: str, password: str, now: datetime
) -> None:
    """Set a new password and end every sign-in. A second factor stays in force.

    Raises:
        InvalidLinkError: the token is unknown, used or expired.
        InvalidFieldError: the password breaks a rule; the token is still good.
        SignInUnavailableError: too many passwords are being hashed.
    """
    # Before the database is asked: no connection is held while the hash waits for its turn.
    require_good(password, address="")
    password_hash = await hasher.hash(password)
    account_id = await session.scalar(
        delete(PasswordReset)
        .where(PasswordReset.token_hash == opaque.digest(token), PasswordReset.expires_at > now)
        .returning(PasswordReset.account_id)
    )
    if account_id is None:
        raise InvalidLinkError
    account = await session.scalar(
        update(Account)
        .where(Account.id == account_id)
        .values(password_hash=password_hash)
        .returning(Account)
    )
    assert account is not None
    assert account.email is not None
    require_good(password, address=account.email)
    await session.execute(delete(PasswordReset).where(PasswordReset.account_id == account_id))
    await families.revoke_all(session, account_id, now=now)
    session.add(Mail(kind=MailKind.PASSWORD_CHANGED, recipient=account.email))

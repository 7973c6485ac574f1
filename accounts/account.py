"""An account itself: whose it is, and what makes it more than a renter's."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import UnknownAccountError
from models import Account, Role


async def account_of(session: AsyncSession, account_id: int) -> Account:
    """The account that a token speaks for.

    Raises:
        UnknownAccountError: it is gone.
    """
    account = await session.get(Account, account_id)
    if account is None:
        raise UnknownAccountError
    return account


async def become_host(session: AsyncSession, account_id: int) -> None:
    """A renter who lists a vehicle is a host; hosts and admins stay what they are.

    Tokens say so from the next refresh on.
    """
    await session.execute(
        update(Account)
        .where(Account.id == account_id, Account.role == Role.RENTER)
        .values(role=Role.HOST)
    )

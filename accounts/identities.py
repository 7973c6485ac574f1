"""People at OpenID providers, and which account is theirs."""

from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.addresses import normalised
from accounts.errors import InvalidFieldError, LinkedToAnotherError, UnverifiedAddressError
from models import Account, ExternalIdentity

LONGEST_NAME = 80
NAMELESS = "Member"  # shown to others until they say a name: no part of an address


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a provider: known by `issuer` and `subject`, the rest may change.

    Attributes:
        issuer: the provider.
        subject: what the provider knows them by, for ever.
        email: in our form, if the provider vouches for it; else None.
        name: what they are called there; may be empty.
    """

    issuer: str
    subject: str
    email: str | None
    name: str

    @classmethod
    def of(cls, issuer: str, claims: dict[str, Any]) -> Self:
        """Whom the claims of an ID token speak of."""
        email = None
        # True and nothing like it: some providers send what anybody has typed.
        if claims.get("email_verified") is True and isinstance(claims.get("email"), str):
            try:
                email = normalised(claims["email"])
            except InvalidFieldError:
                email = None
        name = claims.get("name")
        return cls(
            issuer,
            str(claims["sub"]),
            email,
            name.strip()[:LONGEST_NAME] if isinstance(name, str) else "",
        )


async def account_of_person(session: AsyncSession, person: Person) -> Account:
    """The person's account, linked or made where there was none.

    Raises:
        UnverifiedAddressError: they are new, and the provider does not vouch for their address.
        LinkedToAnotherError: the account of their address is linked to somebody else there, as when
            the provider has given a former person's address to another.
    """
    found = await _linked(session, person)
    if found is not None:
        return found
    if person.email is None:
        raise UnverifiedAddressError
    await session.execute(
        insert(Account)
        .values(email=person.email, display_name=person.name or NAMELESS)
        .on_conflict_do_nothing(index_elements=[Account.email])
    )
    account = (await session.scalars(select(Account).where(Account.email == person.email))).one()
    await session.execute(
        insert(ExternalIdentity)
        .values(issuer=person.issuer, subject=person.subject, account_id=account.id)
        .on_conflict_do_nothing()
    )
    # Of two that link the same person at once, both find what one has stored.
    if (linked := await _linked(session, person)) is None:
        raise LinkedToAnotherError
    return linked


async def _linked(session: AsyncSession, person: Person) -> Account | None:
    return await session.scalar(
        select(Account)
        .join(ExternalIdentity, ExternalIdentity.account_id == Account.id)
        .where(
            ExternalIdentity.issuer == person.issuer,
            ExternalIdentity.subject == person.subject,
        )
    )

"""Shapes of accounts and signing in."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from accounts import addresses, challenges, opaque, passwords, second_factor
from accounts.families import SignedIn
from accounts.second_factor import Setup
from accounts.sign_in import Challenge
from api.schemas.common import Body, Shape
from models import Account, Role, Tier

# Bounds of what is read at all; the rules of addresses and passwords have messages of their own.
Email = Annotated[
    str,
    Field(
        max_length=addresses.LONGEST,
        description="where one's mail arrives",
        examples=["keala@example.org"],
    ),
]
Password = Annotated[
    str,
    Field(
        max_length=4 * passwords.LONGEST,
        description=f"the account's; {passwords.SHORTEST} to {passwords.LONGEST} characters of any "
        "kind, not the address and not among the first to be guessed",
        examples=["taro lagoon ukulele rain"],
    ),
]
Mailed = Annotated[
    str,
    Field(
        max_length=opaque.LONGEST,
        description="what follows `#token=` in the link of the mail",
        examples=["u4wS2n0kXbF1yqJ5m7T3hVd8cRzLpEaG6oWiNfKtUxY"],
    ),
]
Refresh = Annotated[
    str,
    Field(
        max_length=opaque.LONGEST,
        description="gives the next tokens, once",
        examples=["Zt4n8s1QmD0rXcE5u2VbK7yHwJ9gFaL3pTiRxOeNqSk"],
    ),
]
Code = Annotated[
    str,
    Field(
        max_length=second_factor.LONGEST_CODE,
        description="six digits of the authenticator, or a recovery code",
        examples=["492039"],
    ),
]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, strip_whitespace=True),
    Field(description="what others see", examples=["Keala"]),
]


class RegisterIn(Body):
    """Who wants an account."""

    email: Email
    password: Password
    display_name: Name


class VerifyEmailIn(Body):
    """The link of the mail, and the password that was registered with."""

    token: Mailed
    password: Password


class LoginIn(Body):
    """Address and password."""

    email: Email
    password: Password


class RefreshTokenIn(Body):
    """A refresh token."""

    refresh_token: Refresh


class PasswordResetIn(Body):
    """Whose password is forgotten."""

    email: Email


class NewPasswordIn(Body):
    """The link of the mail, and the new password."""

    token: Mailed
    password: Password


class Accepted(Shape):
    """What is said whether or not the address has an account."""

    detail: str = Field(
        description="what happens next", examples=["If the address is right, a mail is on its way."]
    )


class TokensOut(Shape):
    """What an app keeps for a person: it sends the one and renews it by the other."""

    access_token: str = Field(
        description="for `Authorization: Bearer`", examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6…"]
    )
    refresh_token: Refresh
    expires_in: int = Field(description="seconds that the access token is good", examples=[900])

    @classmethod
    def of(cls, signed_in: SignedIn) -> Self:
        """The shape of what signing in gave."""
        return cls(
            access_token=signed_in.access_token,
            refresh_token=signed_in.refresh_token,
            expires_in=signed_in.expires_in,
        )


class LoginOut(Shape):
    """Tokens; or, of an account with a second factor, a challenge instead."""

    tokens: TokensOut | None = Field(description="null where a second step is needed")
    challenge: str | None = Field(
        description="for `POST /v1/auth/2fa/verify` within 5 minutes; null where none is needed",
        examples=[None],
    )

    @classmethod
    def of(cls, outcome: SignedIn | Challenge) -> Self:
        """The shape of the first step's outcome."""
        if isinstance(outcome, Challenge):
            return cls(tokens=None, challenge=outcome.token)
        return cls(tokens=TokensOut.of(outcome), challenge=None)


class AccountOut(Shape):
    """Who one is."""

    id: int = Field(description="identifies the account", examples=[7])
    display_name: str = Field(description="what others see", examples=["Keala"])
    email: str | None = Field(
        description="null for accounts made from imported listings", examples=["keala@example.org"]
    )
    role: Role = Field(description="what the account may do", examples=["renter"])
    tier: Tier = Field(description="how much it may ask", examples=["authenticated"])
    has_password: bool = Field(description="false: it signs in by a provider only", examples=[True])
    second_factor: bool = Field(description="whether signing in takes a code", examples=[False])
    created_at: datetime = Field(description="since when", examples=["2026-05-09T18:30:00Z"])

    @classmethod
    def of(cls, account: Account, *, second_factor: bool) -> Self:
        """The shape of an account."""
        return cls(
            id=account.id,
            display_name=account.display_name,
            email=account.email,
            role=Role(account.role),
            tier=Tier(account.tier),
            has_password=account.password_hash is not None,
            second_factor=second_factor,
            created_at=account.created_at,
        )


class SetupIn(Body):
    """The password once more; accounts without one leave it out."""

    password: Password | None = Field(
        None, description="the account's password", examples=["taro lagoon ukulele rain"]
    )


class SetupOut(Shape):
    """What the authenticator needs."""

    secret: str = Field(
        description="to type, where no camera is at hand",
        examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"],
    )
    uri: str = Field(
        description="to show as a QR code",
        examples=["otpauth://totp/Island%20Rides:keala%40example.org?secret=JBSWY3DPEHPK3PXP"],
    )

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """The shape of a new second factor."""
        return cls(secret=setup.secret, uri=setup.uri)


class CodeIn(Body):
    """A code of the second factor."""

    code: Code


class SecondStepIn(Body):
    """The second step of signing in."""

    challenge: Annotated[str, StringConstraints(max_length=challenges.LONGEST)] = Field(
        description="of the first step", examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6IjJmYStqd3Qi…"]
    )
    code: Code


class RecoveryCodesOut(Shape):
    """Each works once, instead of a code of the authenticator. Shown now and never again."""

    recovery_codes: list[str] = Field(
        description="to keep on paper", examples=[["mzxw-6ytb-oi4d-k2lf"]]
    )

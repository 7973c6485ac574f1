"""Accounts: register, sign in, stay signed in, sign out.

Nothing here tells whether an address has an account: answers about an address are the same, and
take the same work, either way. What differs is in the mail.
"""

from fastapi import APIRouter, Depends, Response

from accounts import families, password_reset, registration, second_factor, sign_in
from accounts.account import account_of
from api.dependencies import (
    AppSettings,
    Attempts,
    ClientIp,
    CurrentPrincipal,
    Now,
    PasswordHasher,
    Session,
    Transactions,
    known_parameters,
)
from api.errors import problem_responses
from api.schemas.auth import (
    Accepted,
    AccountOut,
    LoginIn,
    LoginOut,
    NewPasswordIn,
    PasswordResetIn,
    RefreshTokenIn,
    RegisterIn,
    TokensOut,
    VerifyEmailIn,
)

BODY = {400: "The body is not UTF-8", 413: "The body is larger than 64 KiB"}
OFTEN = {429: "Too many attempts (`too-many-attempts`): wait `Retry-After` seconds"}


async def not_stored(response: Response) -> None:
    """Tokens and addresses are nothing for a cache."""
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(
    prefix="/v1/auth",
    tags=["accounts"],
    dependencies=[Depends(known_parameters), Depends(not_stored)],
)


@router.post(
    "/register",
    status_code=202,
    summary="Register",
    response_description="A mail goes to the address, whether it has an account or not",
    responses=problem_responses(BODY | OFTEN),
)
async def register(
    body: RegisterIn,
    session: Session,
    hasher: PasswordHasher,
    attempts: Attempts,
    ip: ClientIp,
    now: Now,
) -> Accepted:
    """There is an account once the link of the mail was opened and the password given again."""
    await attempts.mail(body.email, ip)
    await registration.register(
        session,
        hasher,
        email=body.email,
        password=body.password,
        display_name=body.display_name,
        now=now,
    )
    return Accepted(detail="A mail to this address says how to go on.")


@router.post(
    "/verify-email",
    summary="Finish a registration",
    response_description="The account is there and signed in",
    responses=problem_responses(
        BODY
        | OFTEN
        | {
            400: "The link was used, has expired or is incomplete (`invalid-link`)",
            401: "It is not the password that was registered with (`invalid-credentials`)",
            409: "The address has got an account meanwhile (`already-registered`)",
        }
    ),
)
async def verify_email(
    body: VerifyEmailIn,
    transactions: Transactions,
    hasher: PasswordHasher,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
    now: Now,
) -> TokensOut:
    """Takes both the mail and the password, so it is one person who has both."""
    await attempts.attempt(ip)
    signed_in = await registration.verify_email(
        transactions,
        hasher,
        token=body.token,
        password=body.password,
        now=now,
        secret=settings.require_secret(),
    )
    return TokensOut.of(signed_in)


@router.post(
    "/login",
    summary="Sign in",
    response_description="Tokens, or the challenge of the second step",
    responses=problem_responses(
        BODY | OFTEN | {401: "Address or password is wrong (`invalid-credentials`)"}
    ),
)
async def login(
    body: LoginIn,
    transactions: Transactions,
    hasher: PasswordHasher,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
    now: Now,
) -> LoginOut:
    """By address and password."""
    await attempts.login(body.email, ip)
    outcome = await sign_in.login(
        transactions,
        hasher,
        email=body.email,
        password=body.password,
        now=now,
        secret=settings.require_secret(),
    )
    return LoginOut.of(outcome)


@router.post(
    "/refresh-token",
    summary="Renew the tokens",
    responses=problem_responses(
        BODY
        | OFTEN
        | {
            401: "Unknown, expired, revoked or used before (`invalid-refresh-token`)",
            409: "Used at most 15 s ago, as by another tab (`refresh-token-just-used`)",
        }
    ),
)
async def refresh_token(
    body: RefreshTokenIn, transactions: Transactions, settings: AppSettings, now: Now
) -> TokensOut:
    """A refresh token works once. One that comes back later than 15 s ends the whole sign-in."""
    signed_in = await families.refresh(
        transactions, body.refresh_token, now=now, secret=settings.require_secret()
    )
    return TokensOut.of(signed_in)


@router.post("/logout", status_code=204, summary="Sign out", responses=problem_responses(BODY))
async def logout(body: RefreshTokenIn, session: Session, now: Now) -> None:
    """Ends this sign-in, and only this; the same answer for a token that has ended already."""
    await families.revoke(session, body.refresh_token, now=now)


@router.post(
    "/password-reset",
    status_code=202,
    summary="Ask for a new password",
    response_description="If the address has an account, a mail goes to it",
    responses=problem_responses(BODY | OFTEN),
)
async def request_password_reset(
    body: PasswordResetIn, session: Session, attempts: Attempts, ip: ClientIp, now: Now
) -> Accepted:
    """The link of the mail works once, for an hour."""
    await attempts.mail(body.email, ip)
    await password_reset.request_reset(session, email=body.email, now=now)
    return Accepted(detail="If this address has an account, a mail to it says how to go on.")


@router.post(
    "/password-reset/confirm",
    status_code=204,
    summary="Set a new password",
    responses=problem_responses(
        BODY | OFTEN | {400: "The link was used, has expired or is incomplete (`invalid-link`)"}
    ),
)
async def reset_password(
    body: NewPasswordIn,
    session: Session,
    hasher: PasswordHasher,
    attempts: Attempts,
    ip: ClientIp,
    now: Now,
) -> None:
    """Ends every sign-in of the account. A second factor stays."""
    await attempts.attempt(ip)
    await password_reset.reset_password(
        session, hasher, token=body.token, password=body.password, now=now
    )


@router.get(
    "/me",
    summary="Who I am",
    responses=problem_responses({401: "There is no valid bearer token"}),
)
async def me(principal: CurrentPrincipal, session: Session) -> AccountOut:
    """As it is now: a role that has changed is in the tokens after the next refresh."""
    account = await account_of(session, principal.account_id)
    return AccountOut.of(account, second_factor=await second_factor.is_on(session, account.id))

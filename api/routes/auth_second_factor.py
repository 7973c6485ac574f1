"""The second factor: set up, confirm, use, turn off."""

from fastapi import APIRouter, Depends

from accounts import second_factor
from api.dependencies import (
    AppSettings,
    Attempts,
    ClientIp,
    CurrentPrincipal,
    Now,
    PasswordHasher,
    Transactions,
    known_parameters,
)
from api.errors import problem_responses
from api.routes.auth import BODY, OFTEN, not_stored
from api.schemas.auth import (
    CodeIn,
    RecoveryCodesOut,
    SecondStepIn,
    SetupIn,
    SetupOut,
    TokensOut,
)

WRONG = {
    401: "There is no valid bearer token, or the code is wrong or was used (`invalid-code`)",
    409: "The second factor is off (`second-factor-off`), or on already (`second-factor-on`)",
    429: "Too many attempts (`too-many-attempts`) or wrong codes (`second-factor-locked`): wait "
    "`Retry-After` seconds",
}

router = APIRouter(
    prefix="/v1/auth/2fa",
    tags=["accounts"],
    dependencies=[Depends(known_parameters), Depends(not_stored)],
)


@router.post(
    "/verify",
    summary="Sign in: the second step",
    responses=problem_responses(
        BODY
        | {
            401: "The challenge is too old (`invalid-challenge`), or the code is wrong or was used "
            "(`invalid-code`)",
            429: WRONG[429],
        }
    ),
)
async def verify_second_factor(
    body: SecondStepIn,
    transactions: Transactions,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
    now: Now,
) -> TokensOut:
    """No code is taken twice; after five wrong ones in a row none is for a quarter of an hour."""
    await attempts.attempt(ip)
    signed_in = await second_factor.answer(
        transactions, body.challenge, body.code, now=now, secret=settings.require_secret()
    )
    return TokensOut.of(signed_in)


@router.post(
    "/setup",
    summary="Set up a second factor",
    responses=problem_responses(
        BODY
        | OFTEN
        | {
            401: "There is no valid bearer token, or the password is wrong (`invalid-credentials`)",
            409: "There is one already (`second-factor-on`)",
        }
    ),
)
async def set_up_second_factor(
    body: SetupIn,
    principal: CurrentPrincipal,
    transactions: Transactions,
    hasher: PasswordHasher,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
) -> SetupOut:
    """Nothing changes before `POST /v1/auth/2fa/confirm` has seen a first code."""
    await attempts.account(principal.account_id, ip)
    setup = await second_factor.set_up(
        transactions,
        hasher,
        principal.account_id,
        password=body.password,
        secret=settings.require_secret(),
    )
    return SetupOut.of(setup)


@router.post(
    "/confirm",
    summary="Put the second factor in force",
    response_description="Recovery codes, which are shown this once",
    responses=problem_responses(BODY | WRONG),
)
async def confirm_second_factor(
    body: CodeIn,
    principal: CurrentPrincipal,
    transactions: Transactions,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
    now: Now,
) -> RecoveryCodesOut:
    """By a first code of the authenticator."""
    await attempts.account(principal.account_id, ip)
    codes = await second_factor.confirm(
        transactions,
        principal.account_id,
        body.code,
        now=now,
        secret=settings.require_secret(),
    )
    return RecoveryCodesOut(recovery_codes=codes)


@router.post(
    "/recovery-codes",
    summary="New recovery codes",
    response_description="The old ones are void; shown this once",
    responses=problem_responses(BODY | WRONG),
)
async def renew_recovery_codes(
    body: CodeIn,
    principal: CurrentPrincipal,
    transactions: Transactions,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
    now: Now,
) -> RecoveryCodesOut:
    """By a code of the second factor."""
    await attempts.account(principal.account_id, ip)
    codes = await second_factor.renew_recovery_codes(
        transactions,
        principal.account_id,
        body.code,
        now=now,
        secret=settings.require_secret(),
    )
    return RecoveryCodesOut(recovery_codes=codes)


@router.post(
    "/disable",
    status_code=204,
    summary="Turn the second factor off",
    responses=problem_responses(BODY | WRONG),
)
async def turn_off_second_factor(
    body: CodeIn,
    principal: CurrentPrincipal,
    transactions: Transactions,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
    now: Now,
) -> None:
    """By a code of the second factor. Its recovery codes go with it."""
    await attempts.account(principal.account_id, ip)
    await second_factor.turn_off(
        transactions,
        principal.account_id,
        body.code,
        now=now,
        secret=settings.require_secret(),
    )

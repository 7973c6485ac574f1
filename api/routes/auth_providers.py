"""Signing in by an OpenID provider."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from accounts.oauth import Providers
from api.dependencies import (
    AppSettings,
    Attempts,
    ClientIp,
    Now,
    Session,
    Transactions,
    known_parameters,
)
from api.errors import problem_responses
from api.routes.auth import BODY, OFTEN, not_stored
from api.schemas.auth import LoginOut
from api.schemas.auth_providers import BegunOut, ProvidersOut, ReturnedIn, ReturnIn

FAILED = {
    404: "No provider has this name (`unknown-provider`)",
    502: "The provider does not answer, or does not confirm who it is (`provider-failed`)",
}

router = APIRouter(
    prefix="/v1/auth/oauth",
    tags=["accounts"],
    dependencies=[Depends(known_parameters), Depends(not_stored)],
)


async def configured(request: Request) -> Providers:
    """The providers of the settings."""
    providers: Providers = request.app.state.providers
    return providers


Configured = Annotated[Providers, Depends(configured)]
Name = Annotated[
    str, Path(description="the provider", examples=["google"], min_length=1, max_length=40)
]


@router.get("", summary="Providers that one can sign in by")
async def list_providers(providers: Configured) -> ProvidersOut:
    """By name; there may be none."""
    return ProvidersOut(items=providers.names)


@router.post(
    "/{provider}/start",
    summary="Begin to sign in by a provider",
    responses=problem_responses(BODY | OFTEN | FAILED),
)
async def begin_at_provider(
    provider: Name,
    body: ReturnIn,
    providers: Configured,
    session: Session,
    attempts: Attempts,
    ip: ClientIp,
    now: Now,
) -> BegunOut:
    """Keep `flow`, open `url`; the provider sends the person back to `redirectUri`."""
    await attempts.attempt(ip)
    begun = await providers.begin(session, provider, redirect_uri=body.redirect_uri, now=now)
    return BegunOut(url=begun.url, flow=begun.flow)


@router.post(
    "/{provider}/finish",
    summary="Sign in whom the provider has sent back",
    response_description="Tokens, or the challenge of the second step",
    responses=problem_responses(
        OFTEN
        | FAILED
        | {
            400: "It belongs to no sign-in that was begun here, within 10 minutes (`invalid-flow`)",
            403: "The provider does not vouch for the address (`unverified-address`)",
            409: "The address's account is linked to somebody else there (`linked-to-another`)",
            413: BODY[413],
        }
    ),
)
async def finish_at_provider(
    provider: Name,
    body: ReturnedIn,
    providers: Configured,
    transactions: Transactions,
    attempts: Attempts,
    settings: AppSettings,
    ip: ClientIp,
    now: Now,
) -> LoginOut:
    """Somebody new gets the account of the address that the provider has verified, or a new one."""
    await attempts.attempt(ip)
    outcome = await providers.finish(
        transactions,
        provider,
        flow=body.flow,
        state=body.state,
        code=body.code,
        now=now,
        secret=settings.require_secret(),
    )
    return LoginOut.of(outcome)

"""What routes ask for by type: a session, who is asking, what time it is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.datastructures import Headers
from starlette.types import Scope

from accounts.limits import AttemptLimits
from accounts.passwords import Hasher
from accounts.tokens import InvalidTokenError, Principal, verify_token
from api.errors import Problem, invalid_request, unauthorized
from api.schemas.common import FieldError
from runtime.settings import Settings

bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="The `accessToken` of signing in.",
)


async def one_transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """A session whose transaction is the request: committed if it succeeds, else rolled back."""
    async with request.app.state.sessions.begin() as session:
        yield session


# Function scope commits before the answer is sent: a client that has read 201 can rely on it.
Session = Annotated[AsyncSession, Depends(one_transaction, scope="function")]


async def transactions(request: Request) -> async_sessionmaker[AsyncSession]:
    """For what must remember also what it refuses: it commits before it raises."""
    maker: async_sessionmaker[AsyncSession] = request.app.state.sessions
    return maker


Transactions = Annotated[async_sessionmaker[AsyncSession], Depends(transactions)]


async def hasher(request: Request) -> Hasher:
    """What hashes passwords, a few at a time in this process."""
    of_process: Hasher = request.app.state.hasher
    return of_process


PasswordHasher = Annotated[Hasher, Depends(hasher)]


async def attempts(request: Request) -> AttemptLimits:
    """What counts attempts."""
    limits: AttemptLimits = request.app.state.attempts
    return limits


Attempts = Annotated[AttemptLimits, Depends(attempts)]


async def client_ip(request: Request) -> str:
    """Where the request comes from; behind a proxy that uvicorn trusts, what the proxy says."""
    return request.client.host if request.client is not None else ""


ClientIp = Annotated[str, Depends(client_ip)]


async def app_settings(request: Request) -> Settings:
    """The settings that the application was created with."""
    chosen: Settings = request.app.state.settings
    return chosen


AppSettings = Annotated[Settings, Depends(app_settings)]


def verified(scope: Scope) -> Principal | None:
    """Who asks by a token that is valid; None for all others, whom `optional_principal` tells why.

    For what stands before the routes.
    """
    scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return verify_token(token.strip(), secret=scope["app"].state.settings.require_secret())
    except InvalidTokenError:
        return None


async def optional_principal(
    settings: AppSettings,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Principal | None:
    """Who is asking, or None without a token; a wrong token is refused, never ignored.

    Raises:
        InvalidTokenError: the token is not valid; answered as 401.
    """
    if credentials is None:
        return None
    return verify_token(credentials.credentials, secret=settings.require_secret())


OptionalPrincipal = Annotated[Principal | None, Depends(optional_principal)]


async def current_principal(principal: OptionalPrincipal) -> Principal:
    """Who is asking.

    Raises:
        Problem: 401, there is no bearer token.
    """
    if principal is None:
        raise unauthorized("not-signed-in", "Send your token as `Authorization: Bearer …`.")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


async def current_admin(principal: CurrentPrincipal) -> Principal:
    """The admin who is asking.

    Raises:
        Problem: 403, it is somebody else.
    """
    if not principal.is_admin:
        raise Problem(403, "admins-only", "For admins only", "Sign in as an admin.")
    return principal


CurrentAdmin = Annotated[Principal, Depends(current_admin)]


async def now() -> datetime:
    """The time; tests override it."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(now)]


async def known_parameters(request: HTTPConnection) -> None:
    """Refuse query parameters that the route does not have or that come twice: never ignore a typo.

    Raises:
        Problem: 422, naming the unknown parameters and those that there are.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    if not given:
        return
    allowed = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    there_are = f"the parameters are {', '.join(allowed)}" if allowed else "there are none"
    errors = [
        FieldError(pointer=name, message=f"unknown; {there_are}")
        for name in dict.fromkeys(given)
        if name not in allowed
    ] + [
        FieldError(pointer=name, message="may be given only once")
        for name in allowed
        if given.count(name) > 1
    ]
    if errors:
        raise invalid_request(errors)

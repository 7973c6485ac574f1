"""Signing in by an OpenID provider: authorization code with PKCE, state and nonce.

The app begins and finishes; the provider sends the person back to the app, which hands over what it
got together with the `flow` that it alone knows, so nobody can slip somebody else's sign-in into
it. A person is known by issuer and subject. A new one gets the account that has the address, or a
new account, but only where the provider says that the address is verified.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from httpx2 import HTTPError, InvalidURL
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from accounts import identities, opaque, sign_in
from accounts.errors import (
    InvalidFieldError,
    InvalidFlowError,
    ProviderFailedError,
    UnknownProviderError,
)
from accounts.families import SignedIn
from accounts.identities import Person
from accounts.sign_in import Challenge
from models import ProviderFlow
from runtime import tls
from runtime.settings import OidcProvider, Settings

SCOPE = "openid email profile"
GOOD_FOR = timedelta(minutes=10)
ANSWER_S = 5  # that a provider has for each of its answers
CLOCK_SKEW_S = 60
# Signatures that only the provider can make. Never one by a shared secret, whatever it proposes.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
LONGEST_CODE = 2048
# What JSON of another shape than the protocol's leads to, deep in the libraries.
ANOTHER_SHAPE = (AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the person; `flow` stays in the app until they are back."""

    url: str
    flow: str


class Providers:
    """The configured providers, and what they publish of themselves, asked once per process."""

    def __init__(self, settings: Settings) -> None:
        self._providers = settings.oidc
        self._redirects = settings.oidc_redirects
        self._metadata: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, KeySet] = {}

    @property
    def names(self) -> list[str]:
        """Those that people may sign in by."""
        return sorted(self._providers)

    async def begin(
        self, session: AsyncSession, name: str, *, redirect_uri: str, now: datetime
    ) -> Begun:
        """Start a sign-in that must be finished within `GOOD_FOR`.

        Raises:
            UnknownProviderError: no provider has this name.
            InvalidFieldError: the settings do not name this address of an app.
            ProviderFailedError: the provider does not answer.
        """
        provider = self._provider(name)
        if redirect_uri not in self._redirects:
            raise InvalidFieldError(
                "redirectUri", "is none of the addresses in RIDES_OIDC_REDIRECTS"
            )
        flow, state, nonce, verifier = (opaque.new() for _ in range(4))
        async with _client(provider, redirect_uri) as client:
            metadata = await self._known(client, provider)
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        session.add(
            ProviderFlow(
                flow_hash=opaque.digest(flow),
                state_hash=opaque.digest(state),
                provider=name,
                redirect_uri=redirect_uri,
                nonce=nonce,
                code_verifier=verifier,
                expires_at=now + GOOD_FOR,
            )
        )
        return Begun(str(url), flow)

    async def finish(
        self,
        transactions: async_sessionmaker[AsyncSession],
        name: str,
        *,
        flow: str,
        state: str,
        code: str,
        now: datetime,
        secret: str,
    ) -> SignedIn | Challenge:
        """Sign in whom the provider has sent back.

        Raises:
            UnknownProviderError: no provider has this name.
            InvalidFlowError: flow and state belong to no sign-in under way.
            ProviderFailedError: the provider does not answer, or does not confirm it.
            UnverifiedAddressError: somebody new, for whose address the provider does not vouch.
            LinkedToAnotherError: the account of this address belongs to somebody else there.
        """
        provider = self._provider(name)
        async with transactions.begin() as session:  # used up, whatever comes of it
            begun = await _taken(session, name, flow=flow, state=state, now=now)
        if begun is None:
            raise InvalidFlowError
        # No connection is held while the provider takes its time.
        person = await self._ask(provider, begun, code)
        async with transactions.begin() as session:
            account = await identities.account_of_person(session, person)
            return await sign_in.begin(session, account, now=now, secret=secret)

    def _provider(self, name: str) -> OidcProvider:
        if name not in self._providers:
            raise UnknownProviderError(name)
        return self._providers[name]

    async def _ask(self, provider: OidcProvider, begun: ProviderFlow, code: str) -> Person:
        """Exchange the code, and read who it is from the ID token."""
        async with _client(provider, begun.redirect_uri) as client:
            metadata = await self._known(client, provider)
            try:
                tokens = await client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=begun.code_verifier
                )
                claims = await self._claims(client, provider, tokens, nonce=begun.nonce)
            except (AuthlibBaseError, JoseError, HTTPError, *ANOTHER_SHAPE) as error:
                raise ProviderFailedError from error
        return Person.of(provider.issuer, claims)

    async def _claims(
        self, client: AsyncOAuth2Client, provider: OidcProvider, tokens: Any, *, nonce: str
    ) -> CodeIDToken:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        text = tokens["id_token"]
        try:
            token = jwt.decode(text, await self._published(client, provider), registry=registry)
        except (JoseError, ValueError):
            # Perhaps the provider has changed its keys since they were read.
            keys = await self._published(client, provider, again=True)
            token = jwt.decode(text, keys, registry=registry)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            params={
                "nonce": nonce,
                "client_id": provider.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(leeway=CLOCK_SKEW_S)
        return claims

    async def _known(self, client: AsyncOAuth2Client, provider: OidcProvider) -> dict[str, Any]:
        """What the provider publishes of itself."""
        if provider.issuer not in self._metadata:
            url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            metadata = await _fetched(client, url)
            # Discovery 4.3: or one provider could speak for another.
            if metadata.get("issuer") != provider.issuer or not {
                "authorization_endpoint",
                "token_endpoint",
                "jwks_uri",
            } <= set(metadata):
                raise ProviderFailedError
            self._metadata[provider.issuer] = metadata
        return self._metadata[provider.issuer]

    async def _published(
        self, client: AsyncOAuth2Client, provider: OidcProvider, *, again: bool = False
    ) -> KeySet:
        """The keys by which the provider's signatures are checked."""
        if again or provider.issuer not in self._keys:
            metadata = await self._known(client, provider)
            keys = KeySet.import_key_set(await _fetched(client, metadata["jwks_uri"]))  # type: ignore[arg-type]
            self._keys[provider.issuer] = keys
        return self._keys[provider.issuer]


def _client(provider: OidcProvider, redirect_uri: str) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        provider.client_id,
        provider.client_secret.get_secret_value(),
        scope=SCOPE,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        timeout=ANSWER_S,
        verify=tls.trusted(),
    )


async def _fetched(client: AsyncOAuth2Client, url: str) -> dict[str, Any]:
    try:
        answer = await client.request("GET", url, withhold_token=True)
        answer.raise_for_status()
        document = answer.json()
    except (HTTPError, InvalidURL, ValueError) as error:
        raise ProviderFailedError from error
    if not isinstance(document, dict):
        raise ProviderFailedError
    return document


async def _taken(
    session: AsyncSession, name: str, *, flow: str, state: str, now: datetime
) -> ProviderFlow | None:
    """The sign-in under way, which is over now; of two that ask at once one gets it."""
    return await session.scalar(
        delete(ProviderFlow)
        .where(
            ProviderFlow.flow_hash == opaque.digest(flow),
            ProviderFlow.state_hash == opaque.digest(state),
            ProviderFlow.provider == name,
            ProviderFlow.expires_at > now,
        )
        .returning(ProviderFlow)
    )

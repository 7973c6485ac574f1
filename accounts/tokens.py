"""Bearer tokens: who a request speaks for, signed, without a look into the database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from models import ACCOUNT_TIERS, Role, Tier

# HS256 and nothing else: a list that a token cannot talk its way around.
ALGORITHM = "HS256"
# RFC 9068's type, so that no other kind of token of ours can ever pass for an access token.
TYPE = "at+jwt"
ISSUER = "island-rides"
AUDIENCE = "island-rides-api"
# Short, as nobody can take one back: a role that changes is in force after so long at the latest.
ACCESS_TTL = timedelta(minutes=15)
# Of a token that somebody with access to the secret makes by hand, to try the API with.
BY_HAND_TTL = timedelta(hours=12)
# Between machines that sign and machines that verify.
CLOCK_SKEW = timedelta(seconds=10)
_EXPIRED = "The token has expired: sign in again."


class InvalidTokenError(Exception):
    """The token is not one of ours, or not any more; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `role` and `tier` are what the account had when the token was signed."""

    account_id: int
    role: Role
    tier: Tier = Tier.AUTHENTICATED

    @property
    def is_admin(self) -> bool:
        """Whether everything of everybody is open to them."""
        return self.role is Role.ADMIN


@dataclass(frozen=True, slots=True)
class Credential:
    """A token that was verified, for whoever relies on it for longer than a request."""

    principal: Principal
    expires_at: datetime


def sign_token(
    account_id: int,
    role: str,
    *,
    secret: str,
    tier: str = Tier.AUTHENTICATED,
    ttl: timedelta = ACCESS_TTL,
) -> str:
    """A token that speaks for `account_id` as `role` until `ttl` from now.

    Raises:
        ValueError: `role` is not one of `models.Role`, or `tier` none of an account's.
    """
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(account_id),
        "role": Role(role).value,
        "tier": _tier(tier).value,
        "iat": now,
        "exp": now + ttl,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"typ": TYPE})


def verify_token(token: str, *, secret: str) -> Principal:
    """The principal that `token` speaks for.

    Raises:
        InvalidTokenError: it is expired, or was not signed by us as an access token of this API.
    """
    return read_token(token, secret=secret).principal


def read_token(token: str, *, secret: str) -> Credential:
    """The principal that `token` speaks for, and until when.

    Raises:
        InvalidTokenError: as for `verify_token`.
    """
    found = _verified(token, secret)
    if found.expires_at + CLOCK_SKEW <= datetime.now(UTC):
        raise InvalidTokenError(_EXPIRED)
    return found


# Of what makes a token good only the time changes. Who sends one sends it again, and each request
# asks twice: for its limit, and for who it is.
@lru_cache(maxsize=4096)
def _verified(token: str, secret: str) -> Credential:
    try:
        decoded = jwt.decode_complete(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=CLOCK_SKEW,
            options={"require": ["iss", "aud", "sub", "iat", "exp"]},
        )
        expires_at = datetime.fromtimestamp(decoded["payload"]["exp"], UTC)
        return Credential(_principal(decoded), expires_at)
    except jwt.ExpiredSignatureError as error:
        raise InvalidTokenError(_EXPIRED) from error
    # ValueError covers what PyJWT leaves through of a malformed token, and our own claims.
    except (jwt.InvalidTokenError, ValueError, OverflowError) as error:
        raise InvalidTokenError("The token is not valid: sign in again.") from error


def _principal(decoded: dict[str, Any]) -> Principal:
    if decoded["header"].get("typ") != TYPE:
        raise ValueError("not an access token")
    claims = decoded["payload"]
    return Principal(int(claims["sub"]), Role(claims.get("role")), _tier(claims.get("tier")))


def _tier(value: Any) -> Tier:
    tier = Tier(value)
    if tier not in ACCOUNT_TIERS:
        raise ValueError("no account has this tier")
    return tier

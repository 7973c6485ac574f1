"""What is between the two steps of a sign-in: signed, short-lived, good for nothing else."""

from datetime import UTC, datetime, timedelta

import jwt

from accounts.errors import InvalidChallengeError
from accounts.tokens import ALGORITHM, CLOCK_SKEW, ISSUER

TYPE = "2fa+jwt"
# Not the API: no access check takes it, whatever becomes of the types.
AUDIENCE = "island-rides-second-step"
TTL = timedelta(minutes=5)
LONGEST = 1024


def sign(account_id: int, *, secret: str) -> str:
    """A challenge to the account's second factor."""
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(account_id),
        "iat": now,
        "exp": now + TTL,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"typ": TYPE})


def verify(challenge: str, *, secret: str) -> int:
    """The account that it challenges.

    Raises:
        InvalidChallengeError: it has expired, or is not one of ours.
    """
    try:
        decoded = jwt.decode_complete(
            challenge,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=CLOCK_SKEW,
            options={"require": ["iss", "aud", "sub", "iat", "exp"]},
        )
        if decoded["header"].get("typ") != TYPE:
            raise InvalidChallengeError
        return int(decoded["payload"]["sub"])
    # ValueError covers what PyJWT leaves through of a malformed token.
    except (jwt.InvalidTokenError, ValueError) as error:
        raise InvalidChallengeError from error

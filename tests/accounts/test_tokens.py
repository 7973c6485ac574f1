import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from accounts import tokens
from accounts.tokens import InvalidTokenError, Principal, sign_token, verify_token
from models import Role, Tier

SECRET = "a secret for tests that is long enough"  # pragma: allowlist secret


def forged(claims=None, *, secret=SECRET, algorithm="HS256", typ="at+jwt", without=()):
    now = datetime.now(UTC)
    good = {
        "iss": "island-rides",
        "aud": "island-rides-api",
        "sub": "7",
        "role": "host",
        "tier": "premium",
        "iat": now,
        "exp": now + timedelta(hours=1),
    } | (claims or {})
    for name in without:
        del good[name]
    return jwt.encode(good, secret, algorithm=algorithm, headers={"typ": typ})


def test_a_token_speaks_for_the_account_that_it_was_signed_for():
    token = sign_token(7, "host", secret=SECRET)
    assert verify_token(token, secret=SECRET) == Principal(7, Role.HOST, Tier.AUTHENTICATED)


def test_it_carries_the_tier():
    token = sign_token(7, "host", tier="premium", secret=SECRET)
    assert verify_token(token, secret=SECRET).tier is Tier.PREMIUM
    with pytest.raises(ValueError, match="tier"):
        sign_token(7, "host", tier="public", secret=SECRET)


def test_by_default_it_is_good_for_a_quarter_of_an_hour():
    claims = jwt.decode(sign_token(7, "host", secret=SECRET), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 15 * 60


def test_the_hand_made_token_of_the_tests_below_is_good_until_it_is_spoiled():
    assert verify_token(forged(), secret=SECRET) == Principal(7, Role.HOST, Tier.PREMIUM)


def test_only_admins_are_admins():
    assert [Principal(1, role).is_admin for role in Role] == [False, False, True]


def test_a_role_that_does_not_exist_is_not_signed():
    with pytest.raises(ValueError, match="owner"):
        sign_token(7, "owner", secret=SECRET)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("not.a.token", id="nonsense"),
        pytest.param(forged(secret="another secret, also long enough!"), id="another secret"),
        pytest.param(forged(secret="", algorithm="none"), id="unsigned"),
        pytest.param(
            forged(algorithm="HS512", secret=SECRET + SECRET), id="an algorithm not allowed"
        ),
        pytest.param(forged(typ="refresh+jwt"), id="another kind of token"),
        pytest.param(forged({"aud": "somebody-else"}), id="another audience"),
        pytest.param(forged({"iss": "somebody-else"}), id="another issuer"),
        pytest.param(forged({"iat": datetime.now(UTC) + timedelta(hours=1)}), id="from the future"),
        pytest.param(forged({"sub": "Keala"}), id="an account that is no number"),
        pytest.param(forged({"role": "owner"}), id="an unknown role"),
        pytest.param(forged(without=["role"]), id="no role"),
        pytest.param(forged({"tier": "gold"}), id="an unknown tier"),
        pytest.param(forged({"tier": "public"}), id="the tier of nobody"),
        pytest.param(forged(without=["tier"]), id="no tier"),
        *(
            pytest.param(forged(without=[name]), id=f"no {name}")
            for name in ("iss", "aud", "sub", "iat", "exp")
        ),
    ],
)
def test_every_other_token_is_refused(token):
    with pytest.raises(InvalidTokenError, match="not valid"):
        verify_token(token, secret=SECRET)


def test_any_changed_character_is_refused():
    token = sign_token(7, "host", secret=SECRET)
    for place, character in enumerate(token):
        changed = "A" if character != "A" else "B"
        # The last of a signature's base64 characters has two bits that decode to nothing.
        if place == len(token) - 1:
            continue
        with pytest.raises(InvalidTokenError):
            verify_token(token[:place] + changed + token[place + 1 :], secret=SECRET)


def test_an_expired_token_says_so():
    token = sign_token(7, "host", secret=SECRET, ttl=-tokens.CLOCK_SKEW - timedelta(seconds=1))
    with pytest.raises(InvalidTokenError, match="expired: sign in again"):
        verify_token(token, secret=SECRET)


def test_a_token_that_was_good_a_moment_ago_expires_all_the_same():
    token = sign_token(7, "host", secret=SECRET, ttl=-tokens.CLOCK_SKEW + timedelta(seconds=2))
    assert verify_token(token, secret=SECRET) == Principal(7, Role.HOST)
    time.sleep(2.1)
    with pytest.raises(InvalidTokenError, match="expired: sign in again"):
        verify_token(token, secret=SECRET)


def test_a_token_that_one_secret_verified_is_not_good_for_another():
    token = sign_token(7, "host", secret=SECRET)
    assert verify_token(token, secret=SECRET).account_id == 7
    with pytest.raises(InvalidTokenError, match="not valid"):
        verify_token(token, secret=SECRET + "!")

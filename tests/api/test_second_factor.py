"""The second factor over HTTP: set up, used once per code, locked, lost, turned off."""

from datetime import timedelta

import pyotp
import pytest

from accounts.ready_made import create_account
from api.dependencies import now
from tests.api.conftest import NOW, problem
from tests.factory import store_account

EMAIL = "keala@example.org"
PASSWORD = "taro lagoon ukulele rain"  # pragma: allowlist secret


class Authenticator:
    """An app on a telephone whose clock is the test's."""

    def __init__(self, secret):
        self._totp = pyotp.TOTP(secret)

    def code(self, moment=NOW):
        return self._totp.at(moment)


@pytest.fixture
def account(client, conn):
    return create_account(conn, email=EMAIL, password=PASSWORD, display_name="Keala")


@pytest.fixture
def authenticator(client, account):
    """The account's, in force; its first code was used up by that."""
    setup = client.post("/v1/auth/2fa/setup", {"password": PASSWORD}, account=account).json()
    app = Authenticator(setup["secret"])
    app.recovery = confirm(client, account, app.code()).json()["recoveryCodes"]
    return app


def at(client, moment):
    client.app.dependency_overrides[now] = lambda: moment


def confirm(client, account, code):
    return client.post("/v1/auth/2fa/confirm", {"code": code}, account=account)


def challenge(client):
    answer = client.post("/v1/auth/login", {"email": EMAIL, "password": PASSWORD}).json()
    assert answer["tokens"] is None
    return answer["challenge"]


def verify(client, code, given=None):
    body = {"challenge": given or challenge(client), "code": code}
    return client.post("/v1/auth/2fa/verify", body)


def later(seconds):
    return NOW + timedelta(seconds=seconds)


def test_from_setting_up_to_turning_off(client, account):
    setup = client.post("/v1/auth/2fa/setup", {"password": PASSWORD}, account=account).json()
    assert setup["uri"].startswith("otpauth://totp/Island%20Rides:keala%40example.org?")
    assert f"secret={setup['secret']}" in setup["uri"]
    app = Authenticator(setup["secret"])
    # Until a code was seen nothing has changed.
    login = client.post("/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert login.json()["challenge"] is None

    assert len(confirm(client, account, app.code()).json()["recoveryCodes"]) == 10
    assert client.get("/v1/auth/me", account=account).json()["secondFactor"] is True
    at(client, later(30))
    tokens = verify(client, app.code(later(30))).json()
    headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
    assert client.get("/v1/auth/me", headers=headers).json()["id"] == account

    at(client, later(60))
    code = {"code": app.code(later(60))}
    assert client.post("/v1/auth/2fa/disable", code, account=account).status_code == 204
    login = client.post("/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert login.json()["tokens"]


def test_setting_up_takes_the_password(client, account):
    for body in ({}, {"password": "not the password at all"}):
        answer = client.post("/v1/auth/2fa/setup", body, account=account)
        assert problem(answer)[:2] == (401, "invalid-credentials")


def test_an_account_without_a_password_needs_none(client, conn):
    account = store_account(conn, email="provider-only@example.org")
    assert client.post("/v1/auth/2fa/setup", {}, account=account).status_code == 200


def test_one_that_is_in_force_is_not_replaced(client, account, authenticator):
    answer = client.post("/v1/auth/2fa/setup", {"password": PASSWORD}, account=account)
    assert problem(answer)[:2] == (409, "second-factor-on")
    assert problem(confirm(client, account, "123456"))[:2] == (409, "second-factor-on")


def test_without_one_there_is_nothing_to_confirm_or_turn_off(client, account):
    for path in ("confirm", "disable", "recovery-codes"):
        answer = client.post(f"/v1/auth/2fa/{path}", {"code": "123456"}, account=account)
        assert problem(answer)[:2] == (409, "second-factor-off")


def test_a_code_is_taken_once_and_no_older_one_after_it(client, authenticator):
    """A, B, A: comparing with the last code alone would take A again."""
    a, b = authenticator.code(later(30)), authenticator.code(later(60))
    at(client, later(60))
    assert verify(client, a).status_code == 200
    assert problem(verify(client, a))[:2] == (401, "invalid-code")
    assert verify(client, b).status_code == 200
    assert problem(verify(client, a))[:2] == (401, "invalid-code")


@pytest.mark.parametrize(("drift", "taken"), [(-30, True), (59, True), (-31, False), (60, False)])
def test_a_clock_may_differ_by_one_step(client, authenticator, drift, taken):
    moment = later(3600)
    at(client, moment)
    answer = verify(client, authenticator.code(moment + timedelta(seconds=drift)))
    assert (answer.status_code == 200) is taken


def test_the_code_that_put_it_in_force_does_not_sign_in(client, authenticator):
    assert problem(verify(client, authenticator.code()))[:2] == (401, "invalid-code")


def test_one_code_at_once_signs_in_once(client, authenticator):
    at(client, later(30))
    bodies = [
        {"challenge": challenge(client), "code": authenticator.code(later(30))} for _ in range(4)
    ]
    answers = client.all_at_once(
        [("POST", "/v1/auth/2fa/verify", {"json": body}) for body in bodies]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


def test_a_recovery_code_works_once_however_it_is_typed(client, authenticator):
    code = authenticator.recovery[0]
    assert verify(client, f" {code.upper().replace('-', ' ')} ").status_code == 200
    assert problem(verify(client, code))[:2] == (401, "invalid-code")
    assert verify(client, authenticator.recovery[1]).status_code == 200


def test_one_recovery_code_at_once_signs_in_once(client, authenticator):
    bodies = [{"challenge": challenge(client), "code": authenticator.recovery[0]} for _ in range(4)]
    answers = client.all_at_once(
        [("POST", "/v1/auth/2fa/verify", {"json": body}) for body in bodies]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


def test_new_recovery_codes_make_the_old_ones_void(client, account, authenticator):
    at(client, later(30))
    code = {"code": authenticator.code(later(30))}
    new = client.post("/v1/auth/2fa/recovery-codes", code, account=account).json()["recoveryCodes"]
    assert not set(new) & set(authenticator.recovery)
    assert problem(verify(client, authenticator.recovery[0]))[:2] == (401, "invalid-code")
    assert verify(client, new[0]).status_code == 200


def test_after_five_wrong_codes_the_right_one_waits_too(client, authenticator):
    at(client, later(30))
    given = challenge(client)
    for _ in range(5):
        assert problem(verify(client, "000000", given))[:2] == (401, "invalid-code")
    answer = verify(client, authenticator.code(later(30)), given)
    assert problem(answer)[:2] == (429, "second-factor-locked")
    assert answer.headers["retry-after"] == "900"

    opened = later(30 + 900)
    at(client, opened)
    assert verify(client, authenticator.code(opened)).status_code == 200


def test_wrong_codes_at_once_are_all_counted(client, authenticator, conn):
    """Each is counted in a transaction that commits though its answer is an error."""
    given = challenge(client)
    answers = client.all_at_once(
        [("POST", "/v1/auth/2fa/verify", {"json": {"challenge": given, "code": "000000"}})] * 8
    )
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 3
    assert conn.execute("SELECT failures FROM second_factors").fetchone() == (5,)


@pytest.mark.parametrize("given", ["", "nonsense", "a.b.c"])
def test_what_is_no_challenge_is_refused(client, authenticator, given):
    answer = verify(client, authenticator.code(), given or "x")
    assert problem(answer)[:2] == (401, "invalid-challenge")


def test_an_access_token_is_no_challenge_nor_the_other_way_round(client, account, authenticator):
    token = client.token(account)
    answer = verify(client, authenticator.recovery[0], token)
    assert problem(answer)[:2] == (401, "invalid-challenge")
    headers = {"Authorization": f"Bearer {challenge(client)}"}
    assert problem(client.get("/v1/auth/me", headers=headers))[:2] == (401, "invalid-token")


def test_a_challenge_of_an_account_whose_second_factor_is_gone_does_not_sign_in(
    client, account, authenticator
):
    given = challenge(client)
    code = {"code": authenticator.recovery[0]}
    assert client.post("/v1/auth/2fa/disable", code, account=account).status_code == 204
    answer = verify(client, authenticator.recovery[1], given)
    assert problem(answer)[:2] == (401, "invalid-challenge")


def test_the_secret_and_the_recovery_codes_are_not_kept_in_clear(
    client, account, authenticator, conn
):
    setup = client.post(
        "/v1/auth/2fa/setup", {}, account=store_account(conn, email="b@example.org")
    ).json()
    rows = conn.execute("SELECT encrypted_secret FROM second_factors").fetchall()
    assert all(setup["secret"].encode() not in bytes(secret) for (secret,) in rows)
    codes = str(conn.execute("SELECT code_hash FROM recovery_codes").fetchall())
    assert not any(code in codes for code in authenticator.recovery)


def test_the_accounts_person_is_told(client, account, authenticator, conn, postbox):
    code = {"code": authenticator.recovery[0]}
    client.post("/v1/auth/2fa/disable", code, account=account)
    postbox.deliver(conn)
    assert postbox.subjects(EMAIL) == [
        "Your account has a second factor",
        "Your account has no second factor any more",
    ]

"""An account's life over HTTP, with a mail server that really gets the mail."""

from datetime import timedelta

import pytest
from sqlalchemy.event import listen, remove

from accounts.tokens import verify_token
from api.dependencies import now
from models import Role, Tier
from tests.api.conftest import NOW, problem
from tests.factory import store_account

EMAIL = "keala@example.org"
PASSWORD = "taro lagoon ukulele rain"  # pragma: allowlist secret
OTHER = "another lagoon of some depth"
REGISTRATION = {"email": EMAIL, "password": PASSWORD, "displayName": "Keala"}


@pytest.fixture
def register(client, conn, postbox):
    """Register and finish it by the mail; the tokens."""

    def register(**changes):
        body = REGISTRATION | changes
        assert client.post("/v1/auth/register", body).status_code == 202
        token = postbox.token(conn, body["email"].lower())
        answer = client.post(
            "/v1/auth/verify-email", {"token": token, "password": body["password"]}
        )
        assert answer.status_code == 200
        return answer.json()

    return register


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['accessToken']}"}


def login(client, email=EMAIL, password=PASSWORD):
    return client.post("/v1/auth/login", {"email": email, "password": password})


def refresh(client, token):
    return client.post("/v1/auth/refresh-token", {"refreshToken": token})


def at(client, moment):
    client.app.dependency_overrides[now] = lambda: moment


def test_from_registration_to_signing_out(client, conn, register):
    tokens = register()
    me = client.get("/v1/auth/me", headers=bearer(tokens)).json()
    assert me | {"id": 0, "createdAt": ""} == {
        "id": 0,
        "displayName": "Keala",
        "email": EMAIL,
        "role": "renter",
        "tier": "authenticated",
        "hasPassword": True,
        "secondFactor": False,
        "createdAt": "",
    }
    answer = login(client)
    assert answer.json()["challenge"] is None
    assert answer.headers["cache-control"] == "no-store"
    signed_in = answer.json()["tokens"]
    assert signed_in["expiresIn"] == 15 * 60

    renewed = refresh(client, signed_in["refreshToken"]).json()
    assert client.get("/v1/auth/me", headers=bearer(renewed)).json()["id"] == me["id"]
    assert (
        client.post("/v1/auth/logout", {"refreshToken": renewed["refreshToken"]}).status_code == 204
    )
    assert problem(refresh(client, renewed["refreshToken"]))[:2] == (401, "invalid-refresh-token")
    # The sign-in of the registration is another: signing out ends one, not all.
    assert refresh(client, tokens["refreshToken"]).status_code == 200


def test_there_is_no_account_before_the_mail_was_read(client, conn, postbox):
    client.post("/v1/auth/register", REGISTRATION)
    assert problem(login(client))[:2] == (401, "invalid-credentials")
    assert conn.execute("SELECT count(*) FROM accounts").fetchone() == (0,)
    token = postbox.token(conn, EMAIL)
    body = {"token": token, "password": PASSWORD}
    assert client.post("/v1/auth/verify-email", body).status_code == 200
    assert problem(client.post("/v1/auth/verify-email", body))[:2] == (400, "invalid-link")


def test_a_link_needs_the_password_that_was_registered_with(client, conn, postbox):
    """Or somebody else's registration would open when the address's owner follows its link."""
    client.post("/v1/auth/register", REGISTRATION | {"password": OTHER})
    token = postbox.token(conn, EMAIL)
    wrong = {"token": token, "password": PASSWORD}
    for _ in range(5):
        answer = client.post("/v1/auth/verify-email", wrong)
        assert problem(answer)[:2] == (401, "invalid-credentials")
    right = {"token": token, "password": OTHER}
    assert problem(client.post("/v1/auth/verify-email", right))[:2] == (400, "invalid-link")


def test_a_link_expires(client, conn, postbox):
    client.post("/v1/auth/register", REGISTRATION)
    body = {"token": postbox.token(conn, EMAIL), "password": PASSWORD}
    at(client, NOW + timedelta(hours=24))
    assert problem(client.post("/v1/auth/verify-email", body))[:2] == (400, "invalid-link")
    at(client, NOW + timedelta(hours=23, minutes=59))
    assert client.post("/v1/auth/verify-email", body).status_code == 200


def test_one_link_at_once_makes_one_account(client, conn, postbox):
    client.post("/v1/auth/register", REGISTRATION)
    body = {"token": postbox.token(conn, EMAIL), "password": PASSWORD}
    answers = client.all_at_once([("POST", "/v1/auth/verify-email", {"json": body})] * 8)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {400, 409}
    assert conn.execute("SELECT count(*) FROM accounts").fetchone() == (1,)


def test_two_registrations_of_an_address_make_one_account_by_whichever_comes_first(
    client, conn, postbox
):
    tokens = []
    for password in (PASSWORD, OTHER):
        client.post("/v1/auth/register", REGISTRATION | {"password": password})
        tokens.append(postbox.token(conn, EMAIL))
    bodies = [
        {"token": token, "password": password}
        for token, password in zip(tokens, (PASSWORD, OTHER), strict=True)
    ]
    answers = client.all_at_once(
        [("POST", "/v1/auth/verify-email", {"json": body}) for body in bodies]
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 400], [200, 409])
    winner = [answer.status_code for answer in answers].index(200)
    assert login(client, password=bodies[winner]["password"]).status_code == 200
    assert login(client, password=bodies[1 - winner]["password"]).status_code == 401


@pytest.mark.parametrize(
    "spelling", ["keala@example.org", " Keala@Example.ORG ", "KEALA@EXAMPLE.org"]
)
def test_an_address_is_one_however_it_is_written(client, register, spelling, postbox, conn):
    register()
    assert login(client, email=spelling).status_code == 200
    client.post("/v1/auth/register", REGISTRATION | {"email": spelling})
    postbox.deliver(conn)
    assert postbox.subjects(EMAIL)[-1] == "You have an account already"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("email", "keala", "is no e-mail address"),
        ("email", "kéala@example.org", "is no e-mail address"),
        ("password", "short", "has 5 characters: use at least 15"),
        ("password", "x" * 129, "has 129 characters: use at most 128"),
        ("password", "Password Password", "among the first to be guessed"),
        ("password", "abcabcabcabcabcabc", "among the first to be guessed"),
        ("password", "keala@EXAMPLE.org", "is your address"),
    ],
)
def test_what_cannot_be_taken_says_why(client, field, value, says):
    status, code, wrong = problem(client.post("/v1/auth/register", REGISTRATION | {field: value}))
    assert (status, code) == (422, "invalid-request")
    assert says in wrong[f"/{field}"]


def test_no_answer_tells_whether_an_address_has_an_account(client, conn, register):
    """Same status, same body, same headers, but for the request's own id."""
    register()

    def told(path, body):
        answer = client.post(path, body)
        headers = dict(answer.headers)
        request_id = headers.pop("x-request-id")
        return answer.status_code, answer.text.replace(request_id, ""), headers

    stranger = "nobody@example.org"
    for path, body in (
        ("/v1/auth/register", REGISTRATION),
        ("/v1/auth/password-reset", {"email": EMAIL}),
        ("/v1/auth/login", {"email": EMAIL, "password": OTHER}),
    ):
        known, unknown = told(path, body), told(path, body | {"email": stranger})
        assert known == unknown
    # Nor when there were too many.
    client.portal.call(client.app.state.attempts.reset)
    for address in (EMAIL, stranger):
        answers = [
            client.post("/v1/auth/password-reset", {"email": address}).status_code for _ in range(6)
        ]
        assert answers == [202] * 5 + [429]


def test_what_is_asked_of_the_database_does_not_depend_on_the_address(client, conn, register):
    """Or the time of an answer would tell what its words do not."""
    register()
    asked = []
    engine = client.app.state.engine.sync_engine

    def note(*given):
        asked.append(given[2])

    listen(engine, "before_cursor_execute", note)
    for path, body in (
        ("/v1/auth/register", REGISTRATION),
        ("/v1/auth/password-reset", {"email": EMAIL}),
        ("/v1/auth/login", {"email": EMAIL, "password": OTHER}),
    ):
        client.post(path, body)
        known = asked.copy()
        asked.clear()
        client.post(path, body | {"email": "nobody@example.org"})
        assert asked == known != [], path
        asked.clear()
    remove(engine, "before_cursor_execute", note)


def test_a_login_costs_the_same_work_whether_or_not_the_address_is_known(
    client, conn, register, monkeypatch
):
    from accounts import passwords

    register()
    store_account(conn, email="provider-only@example.org")
    compared = []
    real = passwords._verify
    monkeypatch.setattr(passwords, "_verify", lambda *args: compared.append(args) or real(*args))
    for address in (EMAIL, "nobody@example.org", "no address", "provider-only@example.org"):
        assert problem(login(client, address, OTHER))[:2] == (401, "invalid-credentials")
    assert len(compared) == 4
    costs = {stored.rpartition("$")[0].rpartition("$")[0] for stored, _ in compared}
    assert costs == {"$argon2id$v=19$m=19456,t=2,p=1"}


def test_a_refresh_carries_the_role_and_the_tier_that_the_account_has_now(
    client, conn, register, settings
):
    tokens = register()
    secret = settings.require_secret()
    assert verify_token(tokens["accessToken"], secret=secret).role is Role.RENTER
    conn.execute("UPDATE accounts SET role = 'host', tier = 'premium'")
    renewed = refresh(client, tokens["refreshToken"]).json()
    principal = verify_token(renewed["accessToken"], secret=secret)
    assert (principal.role, principal.tier) == (Role.HOST, Tier.PREMIUM)


def test_a_refresh_token_that_comes_back_late_ends_the_sign_in(client, register):
    stolen = register()["refreshToken"]
    newer = refresh(client, stolen).json()["refreshToken"]
    at(client, NOW + timedelta(seconds=16))
    assert problem(refresh(client, stolen))[:2] == (401, "invalid-refresh-token")
    assert problem(refresh(client, newer))[:2] == (401, "invalid-refresh-token")


def test_a_refresh_token_that_comes_back_at_once_gives_nothing_and_ends_nothing(client, register):
    token = register()["refreshToken"]
    newer = refresh(client, token).json()["refreshToken"]
    at(client, NOW + timedelta(seconds=15))
    assert problem(refresh(client, token))[:2] == (409, "refresh-token-just-used")
    assert refresh(client, newer).status_code == 200


def test_a_sign_in_ends_when_nobody_comes_for_a_month_and_after_a_quarter_anyway(client, register):
    token = register()["refreshToken"]
    moment = NOW
    for _ in range(4):
        moment += timedelta(days=29)
        at(client, moment)
        answer = refresh(client, token)
        if moment - NOW >= timedelta(days=90):
            assert problem(answer)[:2] == (401, "invalid-refresh-token")
            break
        token = answer.json()["refreshToken"]
    else:
        pytest.fail("it never ended")

    fresh = login(client).json()["tokens"]["refreshToken"]
    at(client, moment + timedelta(days=30))
    assert problem(refresh(client, fresh))[:2] == (401, "invalid-refresh-token")


def test_a_forgotten_password(client, conn, register, postbox):
    before = register()
    client.post("/v1/auth/password-reset", {"email": EMAIL})
    token = postbox.token(conn, EMAIL)
    # A password that is refused costs nothing.
    for bad in ("short", EMAIL):
        body = {"token": token, "password": bad}
        assert client.post("/v1/auth/password-reset/confirm", body).status_code == 422
    body = {"token": token, "password": OTHER}
    assert client.post("/v1/auth/password-reset/confirm", body).status_code == 204
    again = client.post("/v1/auth/password-reset/confirm", body)
    assert problem(again)[:2] == (400, "invalid-link")

    assert login(client).status_code == 401
    assert login(client, password=OTHER).status_code == 200
    assert refresh(client, before["refreshToken"]).status_code == 401
    postbox.deliver(conn)
    assert postbox.subjects(EMAIL)[-1] == "Your password was changed"


def test_a_reset_link_is_good_for_an_hour(client, conn, register, postbox):
    register()
    client.post("/v1/auth/password-reset", {"email": EMAIL})
    body = {"token": postbox.token(conn, EMAIL), "password": OTHER}
    at(client, NOW + timedelta(hours=1))
    answer = client.post("/v1/auth/password-reset/confirm", body)
    assert problem(answer)[:2] == (400, "invalid-link")


def test_one_reset_link_at_once_sets_one_password(client, conn, register, postbox):
    register()
    client.post("/v1/auth/password-reset", {"email": EMAIL})
    token = postbox.token(conn, EMAIL)
    passwords = [f"a lagoon of depth {number}" for number in range(4)]
    answers = client.all_at_once(
        [
            (
                "POST",
                "/v1/auth/password-reset/confirm",
                {"json": {"token": token, "password": each}},
            )
            for each in passwords
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400]
    winner = passwords[[answer.status_code for answer in answers].index(204)]
    assert login(client, password=winner).status_code == 200


def test_an_account_that_is_gone_is_nobody(client, conn, register):
    tokens = register()
    conn.execute("DELETE FROM accounts")
    assert problem(client.get("/v1/auth/me", headers=bearer(tokens)))[:2] == (401, "invalid-token")
    assert refresh(client, tokens["refreshToken"]).status_code == 401


def test_nothing_that_opens_an_account_is_kept_in_clear(client, conn, register, postbox):
    tokens = register()
    client.post("/v1/auth/password-reset", {"email": EMAIL})
    reset = postbox.token(conn, EMAIL)
    everything = str(
        [
            conn.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("accounts", "refresh_tokens", "password_resets", "registrations", "mails")
        ]
    )
    assert EMAIL in everything
    for secret in (PASSWORD, reset, tokens["refreshToken"]):
        assert secret not in everything

"""Guessing over HTTP: told when to come back, and refused where nothing can count."""

import pytest

from accounts.ready_made import create_account
from api.app import create_app
from devstack.processes import free_port
from tests.api.conftest import Client, problem

EMAIL = "keala@example.org"
PASSWORD = "taro lagoon ukulele rain"  # pragma: allowlist secret
LOGIN = {"email": EMAIL, "password": PASSWORD}


def test_the_eleventh_login_is_told_when_to_come_back_though_it_is_right(client, conn):
    create_account(conn, email=EMAIL, password=PASSWORD, display_name="Keala")
    wrong = LOGIN | {"password": "not the password at all"}
    for _ in range(10):
        assert client.post("/v1/auth/login", wrong).status_code == 401
    answer = client.post("/v1/auth/login", LOGIN)
    assert problem(answer)[:2] == (429, "too-many-attempts")
    assert 1 <= int(answer.headers["retry-after"]) <= 900


def test_guessed_links_end_with_the_network(client):
    body = {"token": "guess", "password": PASSWORD}
    for _ in range(100):
        answer = client.post("/v1/auth/verify-email", body)
        assert problem(answer)[:2] == (400, "invalid-link")
    assert client.post("/v1/auth/verify-email", body).status_code == 429


@pytest.fixture
def without_redis(settings, portal, conn):
    gone = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    app = create_app(gone)
    with portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield Client(app, portal, settings.require_secret())


def test_without_redis_nobody_guesses_but_who_is_signed_in_stays_so(client, conn, without_redis):
    create_account(conn, email=EMAIL, password=PASSWORD, display_name="Keala")
    tokens = client.post("/v1/auth/login", LOGIN).json()["tokens"]
    for path, body in (
        ("login", LOGIN),
        ("register", LOGIN | {"displayName": "Keala"}),
        ("password-reset", {"email": EMAIL}),
        ("verify-email", {"token": "guess", "password": PASSWORD}),
        ("2fa/verify", {"challenge": "x", "code": "000000"}),
    ):
        answer = without_redis.post(f"/v1/auth/{path}", body)
        assert problem(answer)[:2] == (503, "sign-in-unavailable"), path
        assert answer.headers["retry-after"] == "1"
    refresh = {"refreshToken": tokens["refreshToken"]}
    assert without_redis.post("/v1/auth/refresh-token", refresh).status_code == 200

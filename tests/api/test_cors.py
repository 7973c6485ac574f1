"""A browser lets a page of another origin read the API only where a setting names that origin."""

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from api.app import create_app
from api.rate_limits import HEADERS as RATE_HEADERS
from runtime.settings import Settings

APP = "https://app.example.com"
STRANGER = "https://elsewhere.example.com"


@pytest.fixture
def browser(settings):
    allowed = settings.model_copy(update={"cors_origins": (APP,)})
    return TestClient(create_app(allowed), raise_server_exceptions=False)


def preflight(client, origin, **headers):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"} | headers
    return client.options("/v1/bookings", headers=asked)


def test_a_named_origin_may_ask_with_a_token_and_an_idempotency_key(browser):
    wanted = {"Access-Control-Request-Headers": "authorization,content-type,idempotency-key"}
    answer = preflight(browser, APP, **wanted)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert "access-control-allow-credentials" not in answer.headers


def test_another_origin_may_not(browser):
    answer = preflight(browser, STRANGER)
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers
    read = browser.get("/health/live", headers={"Origin": STRANGER})
    assert "access-control-allow-origin" not in read.headers


def test_errors_the_write_token_and_the_request_id_are_readable_too(browser):
    wrong = browser.get("/v1/search/vehicles?maek=Kia", headers={"Origin": APP})
    assert wrong.status_code == 422
    assert wrong.headers["access-control-allow-origin"] == APP
    readable = wrong.headers["access-control-expose-headers"]
    wanted = {"X-Write-Token", "X-Request-Id", "Retry-After", "ETag", "Location", *RATE_HEADERS}
    assert wanted == set(readable.split(", "))


def test_our_own_mistakes_are_readable_too(browser):
    # Outside its lifespan the application has no engine to ask: a 500 without anything broken.
    failed = browser.get("/v1/search/vehicles", headers={"Origin": APP})
    assert failed.status_code == 500
    assert failed.headers["access-control-allow-origin"] == APP


def test_without_the_setting_no_origin_is_named(settings):
    client = TestClient(create_app(settings))
    answer = client.get("/health/live", headers={"Origin": APP})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_setting_takes_a_comma_separated_list(monkeypatch):
    monkeypatch.setenv("RIDES_CORS_ORIGINS", f"{APP}, http://localhost:5173")
    assert Settings().cors_origins == (APP, "http://localhost:5173")
    monkeypatch.setenv("RIDES_CORS_ORIGINS", "")
    assert Settings().cors_origins == ()


@pytest.mark.parametrize(
    "wrong",
    ["*", "app.example.com", f"{APP}/", f"{APP}/path", "https://App.example.com", "ftp://a"],
)
def test_what_no_browser_would_send_as_an_origin_is_refused_at_start(wrong):
    with pytest.raises(ValidationError, match="is no origin: write one such as"):
        Settings(cors_origins=wrong)

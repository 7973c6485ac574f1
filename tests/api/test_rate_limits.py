"""How much one may ask, by tier: the guide's figures, and open where nothing can count."""

import pytest

from accounts import limits
from accounts.tokens import sign_token
from api.app import create_app
from devstack.processes import free_port
from models import Tier
from tests.api.conftest import Client, problem

PATH = "/v1/bookings"


@pytest.fixture(scope="module")
def app(settings, portal):
    limited = create_app(settings.model_copy(update={"rate_limits": True}))
    with portal.wrap_async_context_manager(limited.router.lifespan_context(limited)):
        yield limited


@pytest.fixture
def client(client, app, portal, monkeypatch):
    # One window for the whole test, whenever it runs.
    monkeypatch.setattr(limits.time, "time", lambda: 1_800_000_000.0 + 60)
    portal.call(app.state.requests.reset)
    return client


def spend(app, portal, principal_or_none, ip, times):
    """Count so many requests without making them."""

    async def count():
        for _ in range(times):
            await app.state.requests.count(principal_or_none, ip)

    portal.call(count)


def ask(client, account=None, tier=Tier.AUTHENTICATED):
    headers = {}
    if account is not None:
        token = sign_token(account, "renter", tier=tier, secret=client.secret)
        headers = {"Authorization": f"Bearer {token}"}
    return client.get(PATH, headers=headers)


def test_everybody_is_told_where_they_stand(client):
    answer = ask(client)
    assert answer.status_code == 401
    assert {name: answer.headers[name] for name in answer.headers if name.startswith("rate")} == {
        "ratelimit-limit": "100",
        "ratelimit-remaining": "99",
        "ratelimit-reset": "840",
        "ratelimit-policy": "100;w=900",
    }
    assert ask(client).headers["ratelimit-remaining"] == "98"


@pytest.mark.parametrize(
    ("account", "tier", "most"),
    [(None, None, 100), (7, Tier.AUTHENTICATED, 1000), (7, Tier.PREMIUM, 5000)],
)
def test_a_tier_has_the_guides_figure(client, app, portal, account, tier, most):
    from accounts.tokens import Principal
    from models import Role

    principal = None if account is None else Principal(account, Role.RENTER, tier)
    spend(app, portal, principal, "127.0.0.1", most - 1)
    assert ask(client, account, tier).headers["ratelimit-remaining"] == "0"
    answer = ask(client, account, tier)
    assert problem(answer)[:2] == (429, "too-many-requests")
    assert answer.headers["retry-after"] == answer.headers["ratelimit-reset"] == "840"
    assert answer.headers["x-request-id"]


def test_accounts_are_counted_apart_wherever_they_are(client, app, portal):
    spend(app, portal, None, "127.0.0.1", 100)
    assert ask(client).status_code == 429
    assert ask(client, 7).headers["ratelimit-remaining"] == "999"
    assert ask(client, 8).headers["ratelimit-remaining"] == "999"


def test_a_token_that_is_not_valid_counts_as_nobody(client):
    answer = client.get(PATH, headers={"Authorization": "Bearer nonsense"})
    assert problem(answer)[:2] == (401, "invalid-token")
    assert answer.headers["ratelimit-limit"] == "100"


def test_the_next_window_starts_afresh(client, app, portal, monkeypatch):
    spend(app, portal, None, "127.0.0.1", 100)
    assert ask(client).status_code == 429
    monkeypatch.setattr(limits.time, "time", lambda: 1_800_000_900.0)
    assert ask(client).headers["ratelimit-remaining"] == "99"


def test_health_and_metrics_are_not_counted(client):
    assert "ratelimit-limit" not in client.get("/health/live").headers


def test_without_redis_everybody_goes_through_and_it_is_not_asked_again_at_once(
    settings, portal, conn
):
    gone = {"rate_limits": True, "redis_url": f"redis://127.0.0.1:{free_port()}/0"}
    app = create_app(settings.model_copy(update=gone))
    with portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        client = Client(app, portal, settings.require_secret())
        for _ in range(3):
            answer = client.get(PATH, account=7)
            assert answer.status_code == 200
            assert "ratelimit-limit" not in answer.headers
        assert app.state.requests._paused_until > 0

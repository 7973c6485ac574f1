"""Attempts are counted for all processes, and where nothing can count, nobody guesses."""

import pytest
import redis

from accounts import limits
from accounts.errors import SignInUnavailableError, TooManyAttemptsError
from accounts.limits import AttemptLimits
from devstack.processes import free_port

pytestmark = pytest.mark.anyio

EMAIL = "keala@example.org"


@pytest.fixture
async def attempts(settings):
    counters = AttemptLimits(settings)
    await counters.reset()
    yield counters
    await counters.reset()
    await counters.close()


async def most(attempt):
    """How often it can be done."""
    for number in range(1000):
        try:
            await attempt()
        except TooManyAttemptsError:
            return number
    return None


async def test_whoever_has_to_wait_is_told_how_long(attempts):
    for _ in range(5):
        await attempts.mail(EMAIL, "192.0.2.7")
    with pytest.raises(TooManyAttemptsError, match=r"try again in \d+ seconds") as refused:
        await attempts.mail(EMAIL, "192.0.2.7")
    assert 0 < refused.value.seconds <= 3600


async def test_ten_logins_at_an_address_from_one_network(attempts):
    assert await most(lambda: attempts.login(EMAIL, "192.0.2.7")) == 10
    await attempts.login(EMAIL, "192.0.2.8")
    await attempts.login("other@example.org", "192.0.2.7")


async def test_a_hundred_logins_at_an_address_from_everywhere(attempts):
    count = iter(range(1000))
    assert await most(lambda: attempts.login(EMAIL, f"192.0.2.{next(count)}")) == 100


async def test_the_guides_hundred_from_a_network_whatever_they_are_at(attempts):
    count = iter(range(1000))
    assert await most(lambda: attempts.login(f"{next(count)}@example.org", "192.0.2.7")) == 100
    with pytest.raises(TooManyAttemptsError):
        await attempts.attempt("192.0.2.7")


async def test_another_spelling_is_the_same_address(attempts):
    spellings = iter(["keala@example.org", " KEALA@example.org", "Keala@EXAMPLE.ORG"] * 10)
    assert await most(lambda: attempts.login(next(spellings), "192.0.2.7")) == 10


async def test_five_mails_to_an_address_an_hour(attempts):
    count = iter(range(1000))
    assert await most(lambda: attempts.mail(EMAIL, f"192.0.2.{next(count)}")) == 5


async def test_who_has_many_addresses_of_one_ipv6_network_is_one(attempts):
    count = iter(range(1000))
    assert await most(lambda: attempts.attempt(f"2001:db8::{next(count):x}")) == 100
    await attempts.attempt("2001:db8:0:1::1")


async def test_twenty_passwords_or_codes_of_who_is_signed_in(attempts):
    count = iter(range(1000))
    assert await most(lambda: attempts.account(7, f"192.0.2.{next(count)}")) == 20


async def test_two_processes_count_together(attempts, settings):
    other = AttemptLimits(settings)
    for _ in range(5):
        await attempts.login(EMAIL, "192.0.2.7")
        await other.login(EMAIL, "192.0.2.7")
    with pytest.raises(TooManyAttemptsError):
        await other.login(EMAIL, "192.0.2.7")
    await other.close()


async def test_no_address_is_in_redis(attempts, settings):
    await attempts.login(EMAIL, "192.0.2.7")
    with redis.Redis.from_url(settings.redis_url) as client:
        keys = [key.decode() for key in client.keys(f"limits:{settings.index_alias}*")]
    assert len(keys) >= 3
    assert "keala" not in str(keys)


async def test_without_redis_nobody_signs_in(settings, monkeypatch):
    monkeypatch.setattr(limits, "ANSWER_S", 0.5)
    gone = AttemptLimits(
        settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    )
    for attempt in (
        gone.login(EMAIL, "192.0.2.7"),
        gone.mail(EMAIL, "192.0.2.7"),
        gone.account(7, "192.0.2.7"),
        gone.attempt("192.0.2.7"),
    ):
        with pytest.raises(SignInUnavailableError):
            await attempt
    await gone.close()

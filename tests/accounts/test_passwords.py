"""Which passwords are taken, and how they are kept."""

import string
import threading
import time

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import passwords
from accounts.errors import InvalidFieldError, SignInUnavailableError
from accounts.passwords import Hasher, hash_now, require_good

pytestmark = pytest.mark.anyio

ADDRESS = "keala@example.org"
GOOD = "taro lagoon ukulele rain"


def test_they_are_kept_as_argon2id_of_at_least_owasps_cost():
    assert hash_now(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hash_now(GOOD) != hash_now(GOOD), "each has a salt of its own"


async def test_only_the_same_password_matches(hasher):
    stored = await hasher.hash(GOOD)
    assert await hasher.matches(stored, GOOD)
    assert not await hasher.matches(stored, GOOD + " ")
    assert not await hasher.matches(None, GOOD)
    assert not await hasher.matches(None, "nobody has this password")


async def test_a_letter_is_the_same_however_the_keyboard_writes_it(hasher):
    stored = await hasher.hash("lagoon of Kīlauea, rain")
    assert await hasher.matches(stored, "lagoon of Ki\u0304lauea, rain")


async def test_no_more_run_at_once_than_the_cap_however_many_ask(monkeypatch):
    hasher = Hasher()
    running, most, guard = 0, 0, threading.Lock()

    def slow(password):
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with guard:
            running -= 1
        return password

    monkeypatch.setattr(passwords, "hash_now", slow)
    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(hasher.hash, GOOD)
    assert most == passwords.AT_ONCE


async def test_who_would_wait_too_long_is_told_at_once(monkeypatch):
    hasher = Hasher()
    go_on = threading.Event()
    monkeypatch.setattr(passwords, "hash_now", lambda _: str(go_on.wait(10)))
    refused = 0

    async def ask():
        nonlocal refused
        try:
            await hasher.hash(GOOD)
        except SignInUnavailableError:
            refused += 1

    async with anyio.create_task_group() as group:
        for _ in range(passwords.AT_ONCE + passwords.WAITING + 3):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        go_on.set()
    assert refused == 3


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "x7x7x7 not a repetition",
        "ōlelo noʻeau nō",  # noqa: RUF001 - a letter of Hawaiian
        "1234567890 12345 x",
        "🌴🌊🚗🌺🐢 aloha nui",
        "keala@example.org and some more",
    ],
)
def test_these_are_taken(password):
    require_good(password, address=ADDRESS)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("fourteen chars", "has 14 characters: use at least 15"),
        ("y" * 200, "has 200 characters: use at most 128"),
        ("correct horse battery staple", "first to be guessed"),
        ("PASSWORD password", "first to be guessed"),
        ("aaaaaaaaaaaaaaaaaa", "first to be guessed"),
        ("hulahulahulahulahu", "first to be guessed"),
        ("12345 67890 12345", "first to be guessed"),
        ("Keala@Example.org", "your address"),
        ("keala example.org", "your address"),
    ],
)
def test_these_are_refused_and_say_why(password, says):
    with pytest.raises(InvalidFieldError, match=says) as refused:
        require_good(password, address=ADDRESS)
    assert refused.value.field == "password"


@given(st.text(string.printable, min_size=1, max_size=5), st.integers(4, 30))
def test_no_repetition_is_taken(part, times):
    with pytest.raises(InvalidFieldError):
        require_good(part * times, address=ADDRESS)


@given(st.text(max_size=14) | st.text(min_size=129, max_size=140))
def test_the_length_is_counted_in_characters(password):
    with pytest.raises(InvalidFieldError, match=f"has {len(password)} characters"):
        require_good(password, address=ADDRESS)

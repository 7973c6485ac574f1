"""Passwords: which are taken, and Argon2id with a cap on how many are hashed at once.

The rules are those of NIST SP 800-63B-4 for a password that may be the only factor: at least 15
characters, no rules of composition, no expiry, and a list of those that are guessed first.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from argon2 import PasswordHasher as Argon2
from argon2.exceptions import VerifyMismatchError

from accounts.errors import InvalidFieldError, SignInUnavailableError

T = TypeVar("T")

SHORTEST, LONGEST = 15, 128
# What people make of "at least 15 characters" first, without case and spaces. Short ones are
# refused for their length, repetitions and the address by rules of their own.
GUESSED_FIRST = frozenset(
    {
        "correcthorsebatterystaple",
        "iloveyouiloveyou",
        "islandridesislandrides",
        "passwordpassword",
        "passwordpassword1",
        "password123456789",
        "mypasswordismypassword",
        "letmeinletmeinletmein",
        "thisismypassword",
        "thisisapassword",
        "qwertyuiopasdfghjkl",
        "qwertyuiopasdfgh",
        "qwertyuiopasdfghjklzxcvbnm",
        "1qaz2wsx3edc4rfv",
        "1qaz2wsx3edc4rfv5tgb",
        "123456789012345",
        "1234567890123456",
        "12345678901234567890",
        "abcdefghijklmno",
        "abcdefghijklmnop",
        "abcdefghijklmnopqrstuvwxyz",
        "administratoradministrator",
        "welcometoislandrides",
    }
)
_REPEATED = re.compile(r"(.{1,5}?)\1+.{0,4}", re.DOTALL)

# OWASP's least: 19 MiB, two passes. 25 ms and 19 MiB for each that runs.
_ARGON2 = Argon2(time_cost=2, memory_cost=19_456, parallelism=1)
AT_ONCE = 2
# Each waits 12 ms for each before it: who comes later than these would wait for over a second.
WAITING = 64


def require_good(password: str, *, address: str) -> None:
    """Refuse what is too short, too long, or guessed first.

    Raises:
        InvalidFieldError: the message says the rule that it breaks.
    """
    length = len(password)
    if length < SHORTEST:
        message = f"has {length} characters: use at least {SHORTEST}, for example four words"
        raise InvalidFieldError("password", message)
    if length > LONGEST:
        message = f"has {length} characters: use at most {LONGEST}"
        raise InvalidFieldError("password", message)
    bare = "".join(password.casefold().split())
    if not bare or bare in GUESSED_FIRST or _REPEATED.fullmatch(bare):
        raise InvalidFieldError("password", "is among the first to be guessed: use another")
    if bare in {address, address.partition("@")[0], address.replace("@", "")}:
        raise InvalidFieldError(
            "password", "is your address: use something that others do not know"
        )


def hash_now(password: str) -> str:
    """The hash, taken here and now: for commands. A server uses `Hasher`."""
    return _ARGON2.hash(_prepared(password))


class Hasher:
    """Hashes and compares, at most `AT_ONCE` in this process, so that sign-ins cannot fill it."""

    def __init__(self) -> None:
        self._running = CapacityLimiter(AT_ONCE)
        self._asked = 0
        self._dummy = hash_now("nobody has this password")

    async def hash(self, password: str) -> str:
        """What to store of a password.

        Raises:
            SignInUnavailableError: too many are waiting.
        """
        return await self._run(partial(hash_now, password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether `stored` is of `password`; without one it is false after the same work.

        Raises:
            SignInUnavailableError: too many are waiting.
        """
        same = await self._run(partial(_verify, stored or self._dummy, password))
        return same and stored is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._asked >= AT_ONCE + WAITING:
            raise SignInUnavailableError
        self._asked += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._running)
        finally:
            self._asked -= 1


def _verify(stored: str, password: str) -> bool:
    try:
        return _ARGON2.verify(stored, _prepared(password))
    except VerifyMismatchError:
        return False


def _prepared(password: str) -> str:
    # Keyboards write the same letter in different ways.
    return unicodedata.normalize("NFKC", password)

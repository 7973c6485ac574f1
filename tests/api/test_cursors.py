"""A cursor goes on with its list exactly as it was issued, or not at all."""

import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from itertools import product

import pytest

from api import cursors
from api.errors import Problem
from runtime.settings import Settings
from tests.conftest import SECRET

SETTINGS = Settings(secret_key=SECRET)
LIST = "search 5f2b6c0e"
LAST = {
    "after": [4500, 17],
    "engine": "postgres",
    "similar": {},
    "begun": [],
    "now": 1.5,
    "understood": [],
}
LONG = LAST | {"pinned": list(range(1000, 1100))}
both = pytest.mark.parametrize("last", [LAST, LONG], ids=["short", "long"])


def refused(cursor: str) -> bool:
    try:
        cursors.decode(SETTINGS, LIST, cursor)
    except Problem as problem:
        return (problem.status, problem.code) == (400, "invalid-cursor")
    return False


@both
def test_what_is_put_in_comes_out(last: dict[str, object]) -> None:
    cursor = cursors.encode(SETTINGS, LIST, last)
    assert cursors.decode(SETTINGS, LIST, cursor) == last
    assert refused(cursors.encode(SETTINGS, "another list", last))


@both
def test_no_character_can_be_another(last: dict[str, object]) -> None:
    cursor = cursors.encode(SETTINGS, LIST, last)
    accepted = [
        (index, cursor[index], other)
        for index in range(len(cursor))
        for other in string.printable + "é\0\N{FULLWIDTH FULL STOP}"
        if other != cursor[index] and not refused(cursor[:index] + other + cursor[index + 1 :])
    ]
    assert accepted == []


@both
def test_no_bit_of_what_it_says_or_of_its_signature_can_be_flipped(
    last: dict[str, object],
) -> None:
    cursor = cursors.encode(SETTINGS, LIST, last)
    changed = list(flipped(cursor))
    assert len(changed) > 8 * 48  # the signature alone
    assert [each for each in changed if not refused(each)] == []


@both
def test_nothing_can_be_added_or_left_out(last: dict[str, object]) -> None:
    cursor = cursors.encode(SETTINGS, LIST, last)
    for index in range(len(cursor)):
        assert refused(cursor[:index] + cursor[index + 1 :]), index
    for index in range(len(cursor) + 1):
        for more in "A.=+ \n":
            assert refused(cursor[:index] + more + cursor[index:]), (index, more)


def flipped(cursor: str) -> Iterator[str]:
    """The cursor with each bit of its decoded content, and of its signature, the other way."""
    content, _, signature = cursor.rpartition(".")
    for part, before, after in ((content, "", f".{signature}"), (signature, f"{content}.", "")):
        decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
        for index, bit in product(range(len(decoded)), range(8)):
            other = bytearray(decoded)
            other[index] ^= 1 << bit
            yield before + urlsafe_b64encode(other).rstrip(b"=").decode() + after

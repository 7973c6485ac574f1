"""Addresses of photos, put together as they leave: where they are read can change by a setting."""

from collections.abc import Iterable
from typing import Any

import orjson

from search.page import Item, Ready


def address(media_url: str, stored: str | None) -> str | None:
    """Where a photo is read: the address at its source, or its key at `media_url`."""
    if stored is None or "://" in stored:
        return stored
    return f"{media_url}/{stored}"


def with_addresses(media_url: str, items: Iterable[Item]) -> list[Any]:
    """The items of a search, as orjson writes them, with the addresses of their covers."""
    return [
        _fragment(media_url, each)
        if isinstance(each, Ready)
        else each | {"photoUrl": address(media_url, each["photoUrl"])}
        for each in items
    ]


def _fragment(media_url: str, item: Ready) -> orjson.Fragment:
    photo = item.photo
    if photo != b"null":
        photo = orjson.dumps(address(media_url, orjson.loads(photo)))
    return orjson.Fragment(b'%b,"photoUrl":%b}' % (item.shown, photo))

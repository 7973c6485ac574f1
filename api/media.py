"""Addresses of photos, put together as they leave: where they are read can change by a setting."""

from collections.abc import Iterable
from itertools import chain
from typing import Any


def address(media_url: str, stored: str | None) -> str | None:
    """Where a photo is read: the address at its source, or its key at `media_url`."""
    if stored is None or "://" in stored:
        return stored
    return f"{media_url}/{stored}"


def with_addresses(media_url: str, *lists: Iterable[dict[str, Any]]) -> None:
    """Give the items of searches the addresses of their covers."""
    for item in chain(*lists):
        item["photoUrl"] = address(media_url, item["photoUrl"])

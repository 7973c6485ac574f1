"""`aliases.toml`: other words for what the index holds, as data."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from search.understand.words import key

_DATA: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "aliases.toml").read_text(encoding="utf-8")
)
_LISTS = ("ordinary", "phrases", "optional", "filler")

ALIASES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        field: {key(alias): target for alias, target in table.items()}
        for field, table in _DATA.items()
        if field not in {*_LISTS, "codes"}
    }
)
"""By field: the alias's key and the value it means."""
CODES: Mapping[str, str] = MappingProxyType(_DATA["codes"])
ORDINARY: frozenset[str] = frozenset(map(key, _DATA["ordinary"]["words"]))
PHRASES: frozenset[str] = frozenset(map(key, _DATA["phrases"]["words"]))
OPTIONAL: frozenset[str] = frozenset(_DATA["optional"]["words"])
FILLER: frozenset[str] = OPTIONAL | frozenset(_DATA["filler"]["words"])

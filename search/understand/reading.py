"""What was read out of a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal[
    "make", "model", "body", "fuel", "transmission", "features", "seats", "price", "year",
    "rating", "place", "dates",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Reading:
    """Words of the text and the search parameters that they stand for.

    `parameters` are in the units of the HTTP contract, so that an app can send them itself. Dates
    may be half known: `start`, `end`, `month` or `days` alone filter nothing. What is denied ("no
    SUV") has none.
    """

    kind: Kind
    words: str
    start: int
    end: int
    parameters: Mapping[str, Any]

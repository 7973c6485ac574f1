"""What Elasticsearch answers, as far as it is read; PostgreSQL's answers take the same shapes.

It is parsed straight into these: what nobody reads, as the index's name in each of a hundred hits,
never becomes an object, and an answer of another shape is refused right there.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder


class Shards(Struct, frozen=True):
    """Of how many the answer is: those that `failed` are missing in it."""

    failed: int


class DocValues(Struct, frozen=True, gc=False):
    """What a candidate's place depends on: of each field one value, or none."""

    host_id: tuple[int | None] = (None,)
    model: tuple[str | int | None] = (None,)  # by its name, or a code for it


class Hit(Struct, frozen=True, gc=False, rename={"source": "_source"}):
    """A vehicle: what its place follows from, and its document or, of a candidate, `fields`."""

    sort: list[Any]
    source: Mapping[str, Any] | None = None
    fields: DocValues = DocValues()
    highlight: Mapping[str, list[str]] = {}


class Total(Struct, frozen=True):
    """How many vehicles were found."""

    value: int


class Hits(Struct, frozen=True):
    """Some vehicles, in order, of all that were found."""

    total: Total
    hits: list[Hit]


class Counted(Struct, frozen=True, rename={"shards": "_shards"}):
    """The answer to a question that asks for counts only."""

    timed_out: bool
    shards: Shards
    aggregations: Mapping[str, Any]


class Found(Struct, frozen=True, rename={"shards": "_shards"}):
    """The answer to a search; `took` is in ms."""

    took: int
    timed_out: bool
    shards: Shards
    hits: Hits
    aggregations: Mapping[str, Any] = {}


read_counted = Decoder(Counted).decode
read_found = Decoder(Found).decode

"""A search, parsed once: what every engine is asked."""

import hashlib
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal, Self

import msgspec
from msgspec import Struct

from search.fields import RELEVANCE
from search.mapping import MAPPING_HASH

SPREAD = ("host_id", "model")


class Near(Struct, frozen=True):
    """A point in degrees and, to filter by it, a radius in kilometres."""

    lat: float
    lon: float
    radius_km: float | None = None


class Box(Struct, frozen=True):
    """A map section in degrees; `west` > `east` spans the 180th meridian."""

    west: float
    south: float
    east: float
    north: float


class Dates(Struct, frozen=True):
    """Half-open: from the pick-up day up to, without, the return day."""

    start: date
    end: date
    flex: int = 0  # so many days earlier or later will do as well
    later: int | None = None  # of a month: so many days later will, 0 if it has room for just one

    @classmethod
    def of_month(cls, first: date, days: int) -> Self:
        """Any `days` days of the month that begins on `first`: the last return is on the next 1st.

        Raises:
            ValueError: the month is shorter.
        """
        later = monthrange(first.year, first.month)[1] - days
        if later < 0:
            msg = f"{first:%Y-%m} has no {days} days"
            raise ValueError(msg)
        return cls(first, first + timedelta(days=days), later=later)

    @property
    def flexible(self) -> bool:
        """Whether other pick-up days than `start` will do, so that the one found is to be said."""
        return self.flex > 0 or self.later is not None

    @property
    def days(self) -> int:
        """How many days are paid."""
        return (self.end - self.start).days

    @property
    def starts(self) -> list[date]:
        """Every pick-up day that will do, earliest first, without a gap."""
        last = self.flex + (self.later or 0)
        return [self.start + timedelta(days=n) for n in range(-self.flex, last + 1)]


class Trait(Struct, frozen=True):
    """Something that vehicles share: all of its values, ranges and nearness; what it is worth."""

    points: int
    values: Mapping[str, str] = {}
    ranges: Mapping[str, tuple[int, int]] = {}
    near: Near | None = None


class Likeness(Struct, frozen=True):
    """Other vehicles than `id` that have at least one trait of `kind`, scored by all `traits`."""

    id: int
    kind: tuple[Trait, ...]
    traits: tuple[Trait, ...]


class SearchRequest(Struct, frozen=True, kw_only=True):
    """Keys of `filters`, `ranges` and `flags` are names of fields; ranges are in stored units."""

    text: str | None = None
    like: Likeness | None = None
    near: Near | None = None
    box: Box | None = None
    dates: Dates | None = None
    # What was sent of days of which the text must say the rest: `flexDays`, `month` or `days`.
    half_dates: Mapping[str, Any] = {}
    filters: Mapping[str, tuple[str, ...]] = {}
    ranges: Mapping[str, tuple[int | None, int | None]] = {}
    flags: Mapping[str, bool] = {}
    price_basis: Literal["day", "total"] = "day"
    sort: str = RELEVANCE
    facets: tuple[str, ...] = ()
    limit: int = 20
    keep: tuple[str, ...] = ()  # kinds of readings that stay text
    typing: bool = False  # whether the text's last word may be unfinished
    after: tuple[Any, ...] | None = None  # sort values of the last hit shown
    # Ids of a diverse order (search/diversity.py) that come before what is after.
    pinned: tuple[int, ...] = ()
    # Of what is found just these are shown, by id; unless `counted`, nothing else is looked at.
    only: tuple[int, ...] = ()
    counted: bool = True
    # Found out once for a search and pinned by its cursor, so that all its pages agree.
    # Words of the text, folded, that nothing is described by, with the similar ones that will do.
    similar: Mapping[str, tuple[str, ...]] = {}
    begun: tuple[str, ...] = ()  # words that the text's last one, as yet unfinished, may become
    now: datetime | None = None  # aware; what freshness and the hosts' notice are measured from

    @property
    def price_field(self) -> str:
        """The document's field that prices mean: of a day, or of all the asked days."""
        if self.price_basis == "total" and self.dates:
            return f"total.{self.dates.days}"
        return "daily_rate"

    @property
    def spread(self) -> tuple[str, ...]:
        """What a diverse order repeats as late as it can.

        With text its words choose the models: mixing these put what was asked for further down
        (docs/adr/0020).
        """
        return SPREAD if self.text is None else SPREAD[:1]

    def fingerprint(self) -> str:
        """The same for every page of one search: all but page size, facets and position.

        It names the mapping too: sort values of an index of another shape may mean something else.
        """
        asked: tuple[Any, ...] = (
            MAPPING_HASH,
            self.text,
            self.near,
            self.box,
            self.dates,
            self.half_dates,
            sorted((name, sorted(values)) for name, values in self.filters.items()),
            sorted(self.ranges.items()),
            sorted(self.flags.items()),
            self.price_basis,
            self.sort,
            sorted(self.keep),
        )
        if self.like:
            asked += (self.like.id,)
        return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:16]

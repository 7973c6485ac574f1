"""The one table of fields: what a vehicle can be searched, filtered, counted and sorted by.

The Elasticsearch mapping, the request's filters, the facets, the sort orders, the items and the
OpenAPI parameters are all derived from `FIELDS`. A new facet is one line here, one column of the
view `vehicle_documents` (same name) and the migration that brings it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType


class Kind(StrEnum):
    """How Elasticsearch holds a field."""

    KEYWORD = "keyword"
    TEXT = "text"
    INTEGER = "integer"
    LONG = "long"
    BOOLEAN = "boolean"
    POINT = "geo_point"
    DATES = "date_range"
    TOTALS = "totals"  # an object of integers, one for each number of days
    STORED = "stored"  # in the document, but neither searched nor counted


class Match(StrEnum):
    """What several values of one filter mean; both make the field a facet."""

    ANY = "any of the values"
    ALL = "all of the values"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The range parameters of a number: `priceMin` for parameter `price` with `min`."""

    parameter: str
    ends: tuple[str, ...]
    least: int
    most: int
    scale: int = 1  # stored value = parameter times scale
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. `name` is the key in the document and the column of `vehicle_documents`."""

    name: str
    kind: Kind
    about: str
    example: str | float | None = None
    match: Match | None = None
    bounds: Bounds | None = None
    flag: bool = False  # a yes-or-no parameter of the field's own name
    weight: int = 0  # score of a free-text term found here; 0: not searched by text
    highlight: bool = False
    sorts: tuple[tuple[str, str], ...] = ()  # sort parameter, asc or desc
    item: bool = False  # shown on every item of a page
    required: bool = False  # never null in a document


ANY, ALL = Match.ANY, Match.ALL

# Weights: the name of a car says what it is (6), then what else is written in its name (4), where
# it is (3), what it is like (2); a description mentions anything (1).
FIELDS: tuple[Field, ...] = (
    Field(name="id", kind=Kind.LONG, about="Vehicle id", example=4711, item=True, required=True),
    Field(name="make", kind=Kind.KEYWORD, about="Manufacturer", example="Toyota", match=ANY, weight=6, item=True, required=True),
    Field(name="model", kind=Kind.KEYWORD, about="Model", example="RAV4", match=ANY, weight=6, item=True),
    Field(name="year", kind=Kind.INTEGER, about="Model year", example=2021, bounds=Bounds(parameter="year", ends=("min", "max"), least=1900, most=2100), item=True),
    Field(name="title", kind=Kind.TEXT, about="What to show as the name", example="2021 Toyota RAV4", highlight=True, item=True, required=True),
    Field(name="name", kind=Kind.TEXT, about="Year, make, model and the host's title", weight=4),
    Field(name="description", kind=Kind.TEXT, about="What the host says", weight=1, highlight=True),
    Field(name="body", kind=Kind.KEYWORD, about="Body style", example="SUV", match=ANY, weight=2, item=True),
    Field(name="fuel", kind=Kind.KEYWORD, about="Fuel", example="Hybrid", match=ANY, weight=2, item=True),
    Field(name="transmission", kind=Kind.KEYWORD, about="Transmission", example="Automatic", match=ANY, weight=2, item=True),
    Field(name="seats", kind=Kind.INTEGER, about="Number of seats", example=5, bounds=Bounds(parameter="seats", ends=("min",), least=1, most=60), item=True),
    Field(name="features", kind=Kind.KEYWORD, about="Features", example="Bluetooth", match=ALL, weight=2, item=True, required=True),
    Field(name="daily_rate", kind=Kind.INTEGER, about="Price of a day, in cents", example=8900, bounds=Bounds(parameter="price", ends=("min", "max"), least=0, most=1_000_000_000, unit="cents"), sorts=(("price", "asc"), ("-price", "desc")), item=True, required=True),
    Field(name="currency", kind=Kind.STORED, about="ISO 4217 code of every amount", example="USD", item=True, required=True),
    Field(name="price_vs_median", kind=Kind.INTEGER, about="Price of a day in thousandths of the local median"),
    Field(name="weekly_discount_pct", kind=Kind.STORED, about="Discount from 7 days on, in percent"),
    Field(name="monthly_discount_pct", kind=Kind.STORED, about="Discount from 28 days on, in percent"),
    Field(name="cleaning_fee", kind=Kind.STORED, about="Cleaning fee, in cents"),
    Field(name="total", kind=Kind.TOTALS, about="All-in total for 1 to 30 days, in cents"),
    Field(name="rating", kind=Kind.INTEGER, about="Average rating, 1 to 5", example=4.9, bounds=Bounds(parameter="rating", ends=("min",), least=1, most=5, scale=100), sorts=(("rating", "desc"),), item=True),
    Field(name="review_count", kind=Kind.INTEGER, about="Number of reviews", example=37, item=True, required=True),
    Field(name="rating_evidence", kind=Kind.INTEGER, about="What its reviews say, in thousandths of a star", required=True),
    Field(name="rating_doubt", kind=Kind.INTEGER, about="What they leave open, in ten-thousandths", required=True),
    Field(name="min_days", kind=Kind.INTEGER, about="Shortest rental, in days"),
    Field(name="max_days", kind=Kind.INTEGER, about="Longest rental, in days"),
    Field(name="notice_days", kind=Kind.INTEGER, about="Notice that the host needs, in days"),
    Field(name="instant_book", kind=Kind.BOOLEAN, about="Bookable without the host's approval", example="true", flag=True, item=True, required=True),
    Field(name="location", kind=Kind.POINT, about="Where the vehicle is picked up"),
    Field(name="city", kind=Kind.KEYWORD, about="City", example="Hilo", match=ANY, weight=3),
    Field(name="region", kind=Kind.KEYWORD, about="State, province or island group", example="Hawaii", match=ANY, weight=3),
    Field(name="country", kind=Kind.KEYWORD, about="Country", example="United States", match=ANY, weight=2),
    Field(name="time_zone", kind=Kind.KEYWORD, about="Time zone of the pick-up place"),
    Field(name="photo_url", kind=Kind.STORED, about="Cover photo", example="https://cdn.example.com/v/4711.jpg", item=True),
    Field(name="host_id", kind=Kind.LONG, about="Account of the host"),
    Field(name="listed_at", kind=Kind.LONG, about="When it was listed, in epoch milliseconds", sorts=(("newest", "desc"),)),
    Field(name="free", kind=Kind.DATES, about="Day ranges without a booking"),
)  # fmt: skip

BY_NAME: Mapping[str, Field] = MappingProxyType({field.name: field for field in FIELDS})
FACETS: tuple[str, ...] = tuple(field.name for field in FIELDS if field.match)
PRICE = "price"  # the histogram: a facet by its parameter's name, over the daily rate or the total
SORTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {sort: (field.name, order) for field in FIELDS for sort, order in field.sorts}
)
RELEVANCE, DISTANCE = "relevance", "distance"
LONGEST_TOTAL = 30  # days for which documents carry a total
PRIOR_REVIEWS = (
    10  # as many `rating_evidence` and `rating_doubt` weigh the prior mean (docs/adr/0034)
)


@cache
def camel(name: str) -> str:
    """A field's name as the HTTP contract spells it: `daily_rate` is `dailyRate`."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)

"""The shapes of a search: its parameters and its page, both derived from the table of fields."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model
from pydantic.alias_generators import to_camel

from api.schemas.common import DECIMAL_DIGITS, IsoDate, IsoMonth, Location, Page, Shape
from search import fields
from search.fields import (
    DISTANCE,
    FACETS,
    FIELDS,
    LONGEST_TOTAL,
    PRICE,
    RELEVANCE,
    SORTS,
    Kind,
    Match,
)
from search.understand.reading import KINDS

MOST_VALUES = 20  # of one filter
LONGEST_TEXT = 200  # letters
ALL_FACETS: tuple[str, ...] = tuple(fields.camel(name) for name in (*FACETS, PRICE))

Value = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Degrees = Annotated[float, Field(allow_inf_nan=False)]


class FixedParameters(BaseModel):
    """The parameters that do not come from a field."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    q: str | None = Field(
        None,
        max_length=LONGEST_TEXT,
        description="Free text: every word must be found in the name, place, features or "
        "description. Case and accents do not matter.",
        examples=["tesla model x"],
    )
    lat: Annotated[Degrees, Field(ge=-90, le=90)] | None = Field(
        None, description="Latitude of the point to measure from; needs `lon`", examples=[19.7074]
    )
    lon: Annotated[Degrees, Field(ge=-180, le=180)] | None = Field(
        None, description="Longitude of that point; needs `lat`", examples=[-155.0885]
    )
    radius_km: Annotated[Degrees, Field(gt=0, le=20_000)] | None = Field(
        None, description="Only vehicles within so many kilometres of the point", examples=[25]
    )
    bbox: str | None = Field(
        None,
        max_length=100,
        description="Only vehicles on this map section: `west,south,east,north` in degrees; "
        "west greater than east spans the 180th meridian",
        examples=["-156.1,18.9,-154.8,20.3"],
    )
    start: IsoDate | None = Field(
        None,
        description="Pick-up day; with `end`: only vehicles that are free on all the days, and "
        "every item has its all-in `total`",
        examples=["2027-03-01"],
    )
    end: IsoDate | None = Field(
        None, description="Return day, not paid; needs `start`", examples=["2027-03-08"]
    )
    flex_days: Annotated[int, Field(ge=0, le=7), DECIMAL_DIGITS] = Field(
        0,
        description="So many days earlier or later will do as well: vehicles that are free for as "
        "many days from at least one of those pick-up days; needs `start` and `end`, or days in "
        "the text",
        examples=[2],
    )
    month: IsoMonth | None = Field(
        None,
        description="Any `days` days of this month will do, from the current one to 18 months "
        "ahead: vehicles that are free for so many on end, the last return on the next month's "
        "1st; needs `days`, or their number in the text, and excludes `start`, `end` and "
        "`flexDays`",
        examples=["2027-03"],
    )
    days: Annotated[int, Field(ge=1, le=LONGEST_TOTAL), DECIMAL_DIGITS] | None = Field(
        None,
        description="How many days of the month, 1 to 30; needs `month`, or a month in the text",
        examples=[4],
    )
    price_basis: Literal["day", "total"] = Field(
        "day",
        description="What `priceMin`, `priceMax`, the price facet and the sort orders by price "
        "mean: the price of a day, or the all-in total of the asked 1 to 30 days",
    )
    sort: Literal[RELEVANCE, DISTANCE, *SORTS] = Field(  # type: ignore[valid-type]  # derived
        RELEVANCE,
        description="Order; `distance` needs `lat` and `lon`, or a city in the text. Ties are "
        "broken by id.",
    )
    keep: list[Literal[*KINDS]] = Field(  # type: ignore[valid-type]  # derived
        default_factory=list,
        max_length=len(KINDS),
        description="Kinds that are not read out of the text: their words are searched as text; "
        "repeat it for several",
        examples=[["price"]],
    )
    typing: bool = Field(
        False,
        description="Whether `q` is still being typed: its last word is then found by its "
        "beginning too, unless it is a whole word or a blank follows",
    )
    facets: list[Literal["none", *ALL_FACETS]] | None = Field(  # type: ignore[valid-type]
        None,
        description="Which facets to count, comma-separated or repeated; `none` for none. Default: "
        "all on the first page, none with a `cursor`",
        examples=[["make", "price"]],
    )
    limit: Annotated[int, Field(ge=1, le=100), DECIMAL_DIGITS] = Field(
        20, description="Items on a page"
    )
    cursor: str | None = Field(
        None,
        min_length=1,
        max_length=8000,
        description="`nextCursor` of the page before, with otherwise the same parameters",
    )
    after: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="`X-Write-Token` of a write: wait until it is searchable, 2 s at most; "
        "`meta.afterSatisfied` says whether it is",
    )


def _field_parameters() -> dict[str, Any]:
    derived: dict[str, Any] = {}
    for field in FIELDS:
        if field.match:
            derived[field.name] = (
                Annotated[list[Value], Field(max_length=MOST_VALUES)],
                # A factory: a default that is a list would be copied deeply, by every search.
                Field(
                    default_factory=list,
                    description=_filter_text(field),
                    examples=[[field.example]],
                    # For generated clients, which cannot read the description.
                    json_schema_extra={"x-match": field.match.name.lower()},
                ),
            )
        if field.flag:
            derived[field.name] = (bool | None, Field(None, description=_flag_text(field)))
        if bounds := field.bounds:
            within = Field(ge=bounds.least, le=bounds.most)
            kind: Any = Annotated[Degrees, within]
            if bounds.scale == 1:
                kind = Annotated[int, within, DECIMAL_DIGITS]
            for end in bounds.ends:
                at = "At least" if end == "min" else "At most"
                unit = f", in {bounds.unit}" if bounds.unit else ""
                derived[f"{bounds.parameter}_{end}"] = (
                    kind | None,
                    Field(
                        None,
                        description=f"{at} this {bounds.parameter}{unit}",
                        examples=[field.example],
                    ),
                )
    return derived


def _flag_text(field: fields.Field) -> str:
    return f"`true`, only: {field.about}. `false`, only the others; without it, both"


def _filter_text(field: fields.Field) -> str:
    which = "any" if field.match is Match.ANY else "all"
    return f"{field.about}; repeat it for several: {which} of them must match. Case is ignored."


SearchParameters: type[FixedParameters] = create_model(
    "SearchParameters", __base__=FixedParameters, **_field_parameters()
)
PARAMETERS: dict[str, bool] = {
    info.alias or name: name in FACETS or name in {"facets", "keep"}
    for name, info in SearchParameters.model_fields.items()
}
"""Every parameter's name in the query string, and whether it may be repeated."""


class FacetValue(Shape):
    """One value that vehicles have."""

    value: str = Field(description="to show, and to send as the filter", examples=["SUV"])
    count: int = Field(description="vehicles that a search with it finds", examples=[212])
    selected: bool = Field(description="whether this search asks for it", examples=[False])


class PriceBucket(Shape):
    """One bar of the histogram."""

    start: int = Field(alias="from", description="cents, inclusive", examples=[5000])
    count: int = Field(description="vehicles from here up to the next bar", examples=[17])


class PriceFacet(Shape):
    """Prices of the vehicles that all filters but the price leave; null where there are none."""

    min: int | None = Field(description="cents", examples=[2900])
    max: int | None = Field(description="cents", examples=[41000])
    interval: int | None = Field(description="width of a bar in cents", examples=[1000])
    buckets: list[PriceBucket] = Field(description="at most 40, without gaps")


_FACETS: dict[str, Any] = {
    name: (list[FacetValue], Field([], description=fields.BY_NAME[name].about)) for name in FACETS
}
_FACETS[PRICE] = (PriceFacet | None, Field(None, description="Histogram of prices"))
Facets: Any = create_model("Facets", __base__=Shape, **_FACETS)


class FacetStats(Shape):
    """What a facet's list does not show."""

    other_count: int = Field(
        description="what the values count that are not in the list", examples=[31]
    )
    exact: bool = Field(description="whether the counts are exact", examples=[True])


_JSON: dict[Kind, Any] = {Kind.LONG: int, Kind.INTEGER: int, Kind.BOOLEAN: bool}


def _item_fields() -> dict[str, Any]:
    derived: dict[str, Any] = {}
    for field in FIELDS:
        if not field.item:
            continue
        kind = list[str] if field.match is Match.ALL else _JSON.get(field.kind, str)
        if field.bounds and field.bounds.scale != 1:
            kind = float
        derived[field.name] = (
            kind if field.required else kind | None,
            Field(description=field.about, examples=[field.example]),
        )
    return derived


class Window(Shape):
    """Days for which a vehicle is free."""

    start: date = Field(description="pick-up day", examples=["2027-02-27"])
    end: date = Field(description="return day, not paid", examples=["2027-03-06"])


class _ItemBase(Shape):
    location: Location
    total: int = Field(
        0, description="All-in price of the asked days, in cents; only with dates", examples=[66990]
    )
    window: Window | None = Field(
        None,
        description="The first days that fit; only with `flexDays` or `month`, and not when the "
        "database could not be asked",
    )
    distance_km: float = Field(
        0, description="From the asked point; only with `lat` and `lon`", examples=[3.214]
    )
    highlights: dict[str, str] = Field(
        description="Where the text was found, as HTML with `<em>`; by field",
        examples=[{"title": "2019 <em>Tesla</em> <em>Model</em> <em>X</em>"}],
    )


Item: Any = create_model("Item", __base__=_ItemBase, **_item_fields())


class Total(Shape):
    """How many vehicles the search finds on all its pages."""

    value: int = Field(examples=[318])
    exact: bool = Field(examples=[True])


class Meta(Shape):
    """How the answer came about."""

    engine: Literal["elasticsearch", "postgres"] = Field(description="who answered")
    degraded: bool = Field(
        description="whether the answer is less than usual: another engine answered than should "
        "have, so that text may match and items may rank a little differently; or the database "
        "could not be asked whether every item is still free",
        examples=[False],
    )
    profile: str = Field(description="the ranking that was used", examples=["default"])
    index_age_ms: int = Field(
        description="how far the index may be behind: the age of the oldest change that is not "
        "searchable yet",
        examples=[0],
    )
    after_satisfied: bool | None = Field(
        description="whether the write of `after` is searchable; null without `after`",
        examples=[None],
    )
    took_ms: float = Field(description="time spent on the server", examples=[14.2])


class UnderstoodWords(Shape):
    """Words of `q` that became a filter."""

    kind: Literal[KINDS] = Field(  # type: ignore[valid-type]  # derived
        description="send it as `keep` to have the words searched as text"
    )
    words: str = Field(examples=["under $80 a day"])
    start: int = Field(
        description="where the words begin in `q`, trimmed, in UTF-16 units", examples=[9]
    )
    end: int = Field(description="where they end, exclusive", examples=[24])
    parameters: dict[str, Any] = Field(
        description="the filter, as the parameters of this very route",
        examples=[{"priceMax": 8000}],
    )
    applied: bool = Field(
        description="false where an explicit parameter overrules it, where it is denied, or where "
        "only one end of the dates, their length or their month is known",
        examples=[True],
    )


class ReplacedWords(Shape):
    """Words of `q` that are not known, and those that were probably meant."""

    start: int = Field(
        description="where the words begin in `q`, trimmed, in UTF-16 units", examples=[6]
    )
    end: int = Field(description="where they end, exclusive", examples=[10])
    words: str = Field(description="as they were typed", examples=["modl"])
    meant: str = Field(description="what stands in their place", examples=["model"])


class DidYouMean(Shape):
    """The text as it was probably meant; it finds at least one vehicle."""

    q: str = Field(
        description="to show, and to send instead of `q` with otherwise the same parameters",
        examples=["tesla model x"],
    )
    replaced: list[ReplacedWords] = Field(description="what differs, in the order of the text")
    total: int = Field(description="vehicles that it finds", examples=[12])
    applied: bool = Field(
        description="true: no vehicle has the words as typed and `items` were found by similar "
        "ones; show “Results for …”. False: show “Did you mean …?”",
        examples=[True],
    )


class GivenUp(Shape):
    """A parameter that asks for less than this search does."""

    parameter: str = Field(examples=["priceMax"])
    was: Any = Field(description="its value in this search, read from `q` or sent", examples=[8000])
    now: Any = Field(description="its value now; null where it is gone", examples=[10000])
    label: str = Field(description="in words, to show", examples=["Up to 100 a day"])


class Relaxed(Shape):
    """A search that asks for less and finds more."""

    relaxed: list[GivenUp] = Field(description="what was given up; mostly one thing")
    parameters: dict[str, Any] = Field(
        description="what to send, in place of all parameters of this search but `limit` and "
        "`facets`; a list is sent as its parameter repeated",
        examples=[{"q": "jeep", "city": ["Hilo"], "priceMax": 10000}],
    )
    count: int = Field(description="vehicles that it finds", examples=[7])
    items: list[Item] = Field(
        [],
        description="its first vehicles, at most 10; only in the first suggestion, and only where "
        "this search has no items of its own",
    )


class Alternatives(Shape):
    """What to try instead; only beside a first page, and not when another engine stands in."""

    did_you_mean: DidYouMean | None = Field(
        description="where words of `q` are not known and known ones are near; else null"
    )
    relaxed: list[Relaxed] = Field(
        description="where fewer than 5 vehicles are found: at most 4 searches that find more, in "
        "the order in which renters give things up; empty where there are none, or when they could "
        "not be counted in time"
    )


class SearchPage(Page):
    """One page of a search."""

    items: list[Item]
    facets: Facets = Field(description="by name; only those that were asked for")
    facet_stats: dict[str, FacetStats] = Field(description="by facet")
    total: Total
    understood: list[UnderstoodWords] = Field(
        description="what was read out of the text as filters, in the order of the text"
    )
    suggestions: Alternatives = Field(description="what to try instead, where little is found")
    meta: Meta

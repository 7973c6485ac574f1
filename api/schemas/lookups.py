"""Shapes of what a search screen asks for besides pages: suggestions, facet values, clusters."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import DECIMAL_DIGITS, Shape
from api.schemas.search import Degrees, Item, Total, UnderstoodWords
from search.facet_values import FACET_OF

# Parameters by which a route differs from a search, as `pydantic.create_model` takes them.
FACET_VALUES: dict[str, Any] = {
    "facet": (
        Literal[*FACET_OF],
        Field(description="Whose values to look into", examples=["model"]),
    ),
    "q": (
        str | None,
        Field(
            None,
            max_length=100,
            description="What was typed: every word must begin a word of the value. Case and "
            "accents do not matter. Without it, all values.",
            examples=["wran"],
        ),
    ),
    "text": (
        str | None,
        Field(
            None,
            max_length=200,
            description="The free text of the search, its `q`",
            examples=["tesla model x"],
        ),
    ),
    "limit": (
        Annotated[int, Field(ge=1, le=100), DECIMAL_DIGITS],
        Field(20, description="Values in the answer"),
    ),
}
CLUSTERS: dict[str, Any] = {
    "bbox": (
        str,
        Field(
            max_length=100,
            description="The map section: `west,south,east,north` in degrees; west greater than "
            "east spans the 180th meridian",
            examples=["-156.1,18.9,-154.8,20.3"],
        ),
    ),
    "zoom": (
        Annotated[Degrees, Field(ge=0, le=24)],
        Field(description="The map's zoom: at 0 the world is 256 pixels wide", examples=[9]),
    ),
}


class LookupMeta(Shape):
    """How the answer came about."""

    engine: Literal["elasticsearch", "postgres"] = Field(description="who answered")
    degraded: bool = Field(
        description="whether the answer is less than usual: another engine answered than should "
        "have, or single vehicles could not be checked",
        examples=[False],
    )
    index_age_ms: int = Field(description="how far the index may be behind", examples=[0])
    took_ms: float = Field(description="time spent on the server", examples=[4.2])


class FilteredMeta(LookupMeta):
    """How the answer to a search's parameters came about."""

    after_satisfied: bool | None = Field(
        description="whether the write of `after` is searchable; null without `after`",
        examples=[None],
    )


class Suggestion(Shape):
    """One thing that the typed words may mean."""

    kind: Literal[
        "make", "model", "body", "fuel", "city", "region", "country", "feature", "search"
    ] = Field(description="what it is", examples=["model"])
    value: str = Field(description="its name", examples=["Wrangler"])
    label: str = Field(
        description="to show, as HTML: what was typed of it between `<em>` and `</em>`, everything "
        "else escaped; a model stands with its make",
        examples=["Jeep <em>Wra</em>ngler"],
    )
    count: int = Field(
        description="vehicles that a search with `filter` finds; of a popular search, how often it "
        "was made in the last 14 days",
        examples=[99],
    )
    filter: dict[str, str] = Field(
        description="parameters to search with",
        examples=[{"make": "Jeep", "model": "Wrangler"}],
    )


class SuggestionSections(Shape):
    """Suggestions, those with the highest count first."""

    makes: list[Suggestion] = Field(description="manufacturers")
    models: list[Suggestion] = Field(description="models, each with its make")
    types: list[Suggestion] = Field(description="bodies and fuels")
    places: list[Suggestion] = Field(description="cities, regions and countries")
    features: list[Suggestion] = Field(description="what a vehicle has")
    searches: list[Suggestion] = Field(
        description="what others search for, the most popular first; never corrected"
    )


class Suggestions(Shape):
    """What the typed words may mean."""

    sections: SuggestionSections = Field(description="by what they are")
    corrected: bool = Field(
        description="nothing begins with what was typed: these would, but for one wrong letter",
        examples=[False],
    )
    meta: LookupMeta = Field(description="how the answer came about")


class FoundValue(Shape):
    """One value of the facet."""

    value: str = Field(description="to send as the filter", examples=["Wrangler"])
    label: str = Field(
        description="to show, as HTML: what was typed of it between `<em>` and `</em>`",
        examples=["<em>Wran</em>gler"],
    )
    count: int = Field(description="vehicles that a search with it finds", examples=[99])
    selected: bool = Field(description="whether the search asks for it", examples=[False])


class FacetValues(Shape):
    """Values of one facet, those with most vehicles first."""

    facet: str = Field(description="as asked", examples=["model"])
    values: list[FoundValue] = Field(description="at most `limit`")
    has_more: bool = Field(description="whether more values match than `limit`", examples=[False])
    understood: list[UnderstoodWords] = Field(description="what was read out of `text` as filters")
    meta: FilteredMeta = Field(description="how the answer came about")


class MapPoint(Shape):
    """A point in degrees."""

    lat: float = Field(description="degrees north", examples=[19.7074])
    lon: float = Field(description="degrees east", examples=[-155.0885])


class MapBounds(Shape):
    """A box in degrees."""

    west: float = Field(description="degrees east, the least", examples=[-155.12])
    south: float = Field(description="degrees north, the least", examples=[19.68])
    east: float = Field(description="degrees east, the most", examples=[-155.04])
    north: float = Field(description="degrees north, the most", examples=[19.74])


class Cluster(Shape):
    """Vehicles that lie too close to be shown apart."""

    id: str = Field(
        description="the map cell, `zoom/x/y`: the same as long as the grid is",
        examples=["11/141/910"],
    )
    count: int = Field(description="vehicles in it", examples=[37])
    centroid: MapPoint = Field(description="their middle: where to draw it")
    bounds: MapBounds = Field(description="their outermost: what to zoom to")
    cheapest: int | None = Field(
        description="the lowest price, in cents: of a day, or of all asked days with "
        "`priceBasis=total`",
        examples=[4500],
    )


class Clusters(Shape):
    """A map section: clusters, or the vehicles themselves when there are at most 50."""

    clusters: list[Cluster] = Field(description="most vehicles first")
    items: list[Item] = Field(
        description="as in a search, and checked as its page is; empty when there are clusters"
    )
    total: Total = Field(
        description="vehicles in the section: what the clusters' counts, or the items, sum to"
    )
    understood: list[UnderstoodWords] = Field(description="what was read out of `q` as filters")
    meta: FilteredMeta = Field(description="how the answer came about")

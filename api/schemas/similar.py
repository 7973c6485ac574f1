"""The shape of a vehicle's similar ones."""

from typing import Literal

from pydantic import Field

from api.schemas.common import Shape
from api.schemas.search import Item


class SimilarMeta(Shape):
    """How the answer came about."""

    engine: Literal["elasticsearch", "postgres"] = Field(description="who answered")
    degraded: bool = Field(
        description="whether another engine answered than should have, or the database could not "
        "be asked whether every vehicle is still free",
        examples=[False],
    )
    profile: str = Field(description="the ranking that was used", examples=["default"])
    index_age_ms: int = Field(description="how far the index may be behind", examples=[0])
    took_ms: float = Field(description="time spent on the server", examples=[9.1])


class SimilarVehicles(Shape):
    """Vehicles like one, the most alike first."""

    items: list[Item] = Field(
        description="as in a search; `distanceKm` is from the vehicle that they are like"
    )
    meta: SimilarMeta = Field(description="how the answer came about")

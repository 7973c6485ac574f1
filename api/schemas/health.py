"""Shapes of health answers."""

from typing import Literal

from pydantic import Field

from api.schemas.common import Shape


class Live(Shape):
    """Yes."""

    status: Literal["ok"] = Field(description="always ok", examples=["ok"])


class Component(Shape):
    """One thing that this process depends on."""

    status: Literal["ok", "failed"] = Field(description="whether it answers", examples=["ok"])
    ms: float = Field(description="how long the question took", examples=[1.4])
    breaker: Literal["closed", "open", "half-open"] | None = Field(
        None,
        description="of search with Elasticsearch: closed when searches ask it; open when "
        "PostgreSQL answers them; half-open when one of them tries",
        examples=["closed"],
    )


class Health(Shape):
    """All of them."""

    status: Literal["ok", "failed"] = Field(description="the worst of them", examples=["ok"])
    components: dict[str, Component] = Field(
        description="by name: database, search, and index, which `rides index status` explains"
    )

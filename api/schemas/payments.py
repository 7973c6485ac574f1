"""Shapes of what the payment provider is told."""

from pydantic import Field

from api.schemas.common import Shape


class Received(Shape):
    """The event was taken in."""

    new: bool = Field(description="false if it was known already", examples=[True])

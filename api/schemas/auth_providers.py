"""Shapes of signing in by a provider."""

from typing import Annotated

from pydantic import Field

from accounts import oauth, opaque
from api.schemas.common import Body, Shape

FLOW = "Q7d0mYxT4sKpV1aUeL8oZcWbR2nHj5gFi9XqEwNtS3A"
STATE = "xR5uB0yVq8Lk2TzWm7CnJ4sGfDhPaE1oYiK9eXwQvUs"
Redirect = Annotated[
    str,
    Field(
        max_length=500,
        description="address of the app to come back to, one of RIDES_OIDC_REDIRECTS",
        examples=["https://app.example.com/signed-in"],
    ),
]
Flow = Annotated[
    str,
    Field(
        max_length=opaque.LONGEST,
        description="what the app keeps until the person is back, and shows nobody",
        examples=[FLOW],
    ),
]


class ProvidersOut(Shape):
    """Names of providers."""

    items: list[str] = Field(description="for the address of `start`", examples=[["google"]])


class ReturnIn(Body):
    """Where the provider is to send the person."""

    redirect_uri: Redirect


class BegunOut(Shape):
    """A sign-in under way."""

    url: str = Field(
        description="to open in the person's browser",
        examples=["https://accounts.example.com/authorize?response_type=code&state=…"],
    )
    flow: Flow


class ReturnedIn(Body):
    """What the person has come back with, and what the app has kept."""

    flow: Flow
    state: Annotated[str, Field(max_length=opaque.LONGEST)] = Field(
        description="as it came back", examples=[STATE]
    )
    code: Annotated[str, Field(max_length=oauth.LONGEST_CODE)] = Field(
        description="as it came back", examples=["SplxlOBeZQQYbYS6WxSbIA"]
    )

"""What every resource's shapes share: camelCase, strict dates, pages, problems."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

# What JavaScript still reads exactly; beyond bigint PostgreSQL would answer with an error.
LARGEST_ID = 2**53 - 1
ISO_MONTH = re.compile(r"2\d{3}-(0[1-9]|1[0-2])", re.ASCII)
ISO_DATE = re.compile(r"2\d{3}-\d{2}-\d{2}", re.ASCII)


def _iso_date(value: Any) -> Any:
    # Pydantic alone would also take a Unix timestamp or a datetime at midnight.
    # The bounds keep arithmetic with dates from overflowing.
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        raise ValueError("must be a date from 2000 to 2999 as YYYY-MM-DD, such as 2027-06-01")
    return value


def _iso_month(value: Any) -> Any:
    if not isinstance(value, str) or not ISO_MONTH.fullmatch(value):
        raise ValueError("must be a month from 2000 to 2999 as YYYY-MM, such as 2027-06")
    return value


def _decimal_digits(value: Any) -> Any:
    # Pydantic alone would also take "1.0", " 1" and "1_000".
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("must be a whole number, in digits only")
    return value


IsoDate = Annotated[date, BeforeValidator(_iso_date)]
IsoMonth = Annotated[str, AfterValidator(_iso_month)]
# After the bounds: what precedes a BeforeValidator is what JSON Schema gets to see of them.
DECIMAL_DIGITS = BeforeValidator(_decimal_digits)
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), DECIMAL_DIGITS]


class Shape(BaseModel):
    """Anything that leaves the API."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Body(BaseModel):
    """Anything that comes in: an unknown field is refused, so that a typo is never ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class FieldError(Shape):
    """One wrong parameter or body field."""

    pointer: str = Field(
        description="a query or path parameter's name, or a JSON pointer into the body; "
        "empty for the body as a whole",
        examples=["/end"],
    )
    message: str = Field(description="what is wrong with it", examples=["must be after start"])


class ProblemDocument(Shape):
    """An error (RFC 9457), sent as `application/problem+json`."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(
        description="stable; switch on what follows the last colon",
        examples=["urn:island-rides:problem:vehicle-unavailable"],
        pattern=r"^urn:island-rides:problem:[a-z0-9-]+$",
    )
    title: str = Field(
        description="the same for every occurrence of the type",
        examples=["The vehicle is taken on these days"],
    )
    status: int = Field(description="the HTTP status", examples=[409], ge=400, le=599)
    detail: str = Field(
        description="this occurrence, and what to do about it",
        examples=["Vehicle 7 is taken on at least one of these days: choose other days."],
    )
    errors: list[FieldError] = Field(description="which parameters or body fields are wrong")
    request_id: str = Field(
        description="the answer's X-Request-Id: quote it when you ask for help",
        examples=["5f2b6c0e9d1a4b7c8e3f2a1b0c9d8e7f"],
    )


class Location(Shape):
    """Where a vehicle is picked up; null where the listing does not say."""

    lat: float | None = Field(description="degrees north", examples=[19.7074])
    lon: float | None = Field(description="degrees east", examples=[-155.0885])
    city: str | None = Field(description="city", examples=["Hilo"])
    region: str | None = Field(description="state, province or island group", examples=["Hawaii"])
    country: str | None = Field(description="country", examples=["United States"])


class Page(Shape):
    """What every list has besides its `items`."""

    has_more: bool = Field(description="whether there is a next page", examples=[True])
    next_cursor: str | None = Field(
        description="pass it as `cursor` for the next page; null on the last",
        examples=["eyJiZWZvcmUiOjQyfQ.c2lnbmF0dXJl"],
    )

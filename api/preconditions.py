"""ETag and If-Match (RFC 9110): an edit that was made from an older state is refused."""

from typing import Annotated

from fastapi import Header, Response

from api.errors import Problem

IfMatch = Annotated[
    str | None,
    Header(
        description="the `ETag` that the vehicle was read with, or `*` to overwrite any",
        examples=['"5f2b6c0e9d1a4b7c8e3f2a1b0c9d8e7f"'],
        max_length=1000,
    ),
]
ETAG = {
    "headers": {
        "ETag": {
            "description": "as `If-Match`, lets an edit fail if somebody edited meanwhile",
            "schema": {"type": "string"},
        }
    }
}


def tag(response: Response, version: str) -> None:
    """Say which state the answer shows."""
    response.headers["ETag"] = f'"{version}"'


def require(if_match: str | None, version: str) -> None:
    """Let an edit through that was made from the state `version`.

    Raises:
        Problem: 428 without a condition, 412 where it names another state.
    """
    if if_match is None:
        raise Problem(
            428,
            "precondition-required",
            "Say which state you are changing",
            "Send the `ETag` of the vehicle as `If-Match`, so that nobody's changes are lost; "
            "`If-Match: *` overwrites them.",
        )
    named = {each.strip() for each in if_match.split(",")}
    if named.isdisjoint({"*", f'"{version}"'}):
        raise Problem(
            412,
            "changed-meanwhile",
            "Somebody changed the vehicle meanwhile",
            "Nothing was changed. Read the vehicle again, apply your changes to what it says now, "
            "and send its new `ETag` as `If-Match`.",
            headers={"ETag": f'"{version}"'},
        )

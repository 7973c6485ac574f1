"""Which web apps' browsers may read what the API answers (CORS), and talk to it by WebSocket."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware

from api.rate_limits import HEADERS as RATE_HEADERS
from api.write_tokens import HEADER

# Beyond the few that browsers always let a page read.
READABLE = (HEADER, "ETag", "Location", "X-Request-Id", "Retry-After", *RATE_HEADERS)
SENDABLE = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-Id")
PREFLIGHT_SECONDS = 7200  # the longest that Chromium keeps one


def install(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of these origins call the API; nothing is added where there are none.

    Without credentials: a page sends its bearer token itself, and there are no cookies to steal.
    Outermost, so that errors are readable too.
    """
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=SENDABLE,
            expose_headers=READABLE,
            max_age=PREFLIGHT_SECONDS,
        )


def admitted(headers: Headers, origins: Sequence[str]) -> bool:
    """Whether a WebSocket may be opened: browsers ask nobody first, and only say where they are.

    Pages of these origins may, those of the API's own host, and whatever is no browser.
    """
    origin = headers.get("origin")
    return origin is None or origin in origins or urlsplit(origin).netloc == headers.get("host")

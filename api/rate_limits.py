"""How much everybody may ask of the API, by tier; pure ASGI, as every search passes through it.

The headers are those of draft-ietf-httpapi-ratelimit-headers-06, which the libraries of our clients
read. Where nothing can count, requests go through without them.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts.limits import WINDOW_S, Quota
from api.dependencies import verified
from api.errors import Problem, problem_response

PREFIX = "/v1/"
HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")


class RateLimits:
    """Wraps the application: counts requests to `PREFIX`, and answers what is too much itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        client = scope.get("client")
        quota = await scope["app"].state.requests.count(
            verified(scope), client[0] if client else ""
        )
        if quota is None:
            await self.app(scope, receive, send)
            return
        headers = _headers(quota)
        if quota.remaining < 0:
            await problem_response(_too_many(quota, headers))(scope, receive, send)
            return
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *encoded]
            await send(message)

        await self.app(scope, receive, send_counted)


def _headers(quota: Quota) -> dict[str, str]:
    values = (
        str(quota.limit),
        str(max(quota.remaining, 0)),
        str(quota.seconds),
        f"{quota.limit};w={WINDOW_S}",
    )
    return dict(zip(HEADERS, values, strict=True))


def _too_many(quota: Quota, headers: dict[str, str]) -> Problem:
    return Problem(
        429,
        "too-many-requests",
        "Too many requests",
        f"{quota.limit} requests in 15 minutes are the most: go on in {quota.seconds} seconds.",
        headers=headers | {"Retry-After": str(quota.seconds)},
    )

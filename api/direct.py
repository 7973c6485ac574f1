"""Routes without FastAPI between the request and their function: every search, every hold.

Around a route's function FastAPI solves dependencies, each with all that it depends on wherever it
is named, and keeps stacks of what they leave open: 0.1 to 0.3 ms of CPU (docs/adr/0037, 0039).
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from api.dependencies import now, verified
from api.once import HEADER, KEY, LONGEST_KEY, Once


class DirectRoute(APIRoute):
    """Calls its function with the request and the time, and sends the response that comes.

    So the function is `async (request: Request, now: Now) -> Response`, no dependency of a router
    counts, and what it raises is answered as everywhere. It is published as any other route.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)  # which says which there are
            return
        response = await self.endpoint(request=Request(scope, receive, send), now=_now(scope))
        await response(scope, receive, send)


class DirectBodyRoute(APIRoute):
    """Calls its function at once if nothing is wrong with the request; else FastAPI says what is.

    The function is `async (body, principal: CurrentPrincipal, once: OnceOnly, request: Request,
    now: Now) -> Response`, without query parameters, and its router refuses those that come.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive, send)
        try:
            sent = await request.body()
        except ClientDisconnect:
            await super().handle(scope, receive, send)
            return
        given = await self._given(request)
        if given is None:

            async def again() -> Message:
                return {"type": "http.request", "body": sent, "more_body": False}

            await super().handle(scope, again, send)
            return
        response = await self.endpoint(**given, request=request, now=_now(scope))
        await response(scope, receive, send)

    async def _given(self, request: Request) -> dict[str, Any] | None:
        """What the request gives the function, or None if FastAPI has to look at it."""
        headers, key = request.headers, request.headers.get(HEADER)
        principal = verified(request.scope)
        if (
            request.method not in (self.methods or ())
            or request.scope["query_string"]
            or principal is None
            or headers.get("content-type", "").partition(";")[0] != "application/json"
            or (key is not None and not (len(key) <= LONGEST_KEY and KEY.fullmatch(key)))
        ):
            return None
        try:
            body = self._shape.model_validate(await request.json())
        except (ValueError, RecursionError):
            return None
        return {
            "body": body,
            "principal": principal,
            "once": Once(request, principal.account_id, key),
        }

    @property
    def _shape(self) -> Any:
        assert self.body_field is not None
        return self.body_field.field_info.annotation


def _now(scope: Scope) -> datetime:
    overridden = scope["app"].dependency_overrides.get(now)
    moment: datetime = overridden() if overridden else datetime.now(UTC)
    return moment

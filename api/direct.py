"""Routes without FastAPI between the request and their function: searches, every hold.

Around a route's function FastAPI solves dependencies, each with all that it depends on wherever it
is named, and keeps stacks of what they leave open: 0.1 to 0.3 ms of CPU (docs/adr/0037, 0039). Its
layers around the router, which a search is not led through either, are 0.15 more (0041).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dependencies import now, verified
from api.once import HEADER, KEY, LONGEST_KEY, Once

_RAISED = "rides.raised"  # of a request: what its direct route has raised


class DirectRoute(APIRoute):
    """Calls its function with the request and the time, and sends the response that comes.

    So the function is `async (request: Request, now: Now) -> Response`, no dependency of a router
    counts, and what it raises is answered as everywhere. It is published as any other route.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what `DirectRoutes` does not: another method, or what the function has raised."""
        if _RAISED in scope:
            raise scope[_RAISED]
        await super().handle(scope, receive, send)

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> Response:
        """What its function answers; raises what that raises."""
        request = Request(scope, receive, send)
        response: Response = await self.endpoint(request=request, now=_now(scope))
        return response


class DirectRoutes:
    """Wraps the router and what FastAPI puts around it: direct routes are asked before them.

    An error goes their way, to the handlers that make answers of errors. A route is asked by its
    path as it stands, so one with parameters never is.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._routes = {each.path: each for each in routes if isinstance(each, DirectRoute)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] not in (route.methods or ()):
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response = await route.respond(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - answered by whoever answers all errors
            scope[_RAISED] = error
            await self._app(scope, receive, send)
        else:
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

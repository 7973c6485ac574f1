"""Routes that read their requests themselves, as every search does.

Around a route's function FastAPI solves dependencies and keeps stacks of what they leave open:
0.1 to 0.3 ms of CPU of a search, which has nothing to solve or to leave open (docs/adr/0037).
"""

from datetime import UTC, datetime

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from api.dependencies import now


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
        overridden = scope["app"].dependency_overrides.get(now)
        moment = overridden() if overridden else datetime.now(UTC)
        response = await self.endpoint(request=Request(scope, receive, send), now=moment)
        await response(scope, receive, send)

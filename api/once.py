"""`Idempotency-Key`: a request that is sent again gets the answer that it got, and does nothing.

What is remembered are answers below 500 of requests that were understood. A 5xx and a 429 give the
key up, so that the same request may try again.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

import orjson
import structlog
from fastapi import Depends, Header, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import CurrentPrincipal
from api.errors import MEDIA_TYPE, Problem, booking_problem, problem_response
from api.schemas.common import Body, Shape
from bookings import idempotency
from bookings.errors import BookingError
from bookings.idempotency import Claim, Stored
from bookings.service import RETRIED, RETRIES
from runtime.prepared import Connections, Prepared

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
KEY = re.compile(r"[!-~]+", re.ASCII)
REPLAYED = "Idempotency-Replayed"
PROBLEMS: Mapping[int, str] = {
    409: "The same request is being worked on (`idempotency-in-flight`)",
    422: "The key was used for another request (`idempotency-mismatch`), or the request is wrong",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer before it is sent, so that it can be kept with what it is about."""

    shape: Shape
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)

    def stored(self) -> Stored:
        """What is kept of it."""
        return Stored(self.status, self.headers, self.shape.model_dump_json(by_alias=True))


class Once:
    """Runs a route's work once per key; without a key, each time."""

    def __init__(self, request: Request, account_id: int, key: str | None) -> None:
        self._request = request
        self._sessions = request.app.state.sessions
        self._connections: Connections = request.app.state.connections
        self._account_id = account_id
        self._key = key

    async def together(
        self, body: Body | None, work: Callable[[AsyncSession], Awaitable[Answer]]
    ) -> Response:
        """The answer of `work`, which commits with it in one transaction."""

        async def attempt(mine: Claim | None) -> Stored:
            async with self._sessions.begin() as session:
                stored = (await work(session)).stored()
                if mine is not None:
                    await idempotency.store(_asking(session), mine, stored)
            return stored

        return await self._answer(body, attempt)

    async def directly(
        self, body: Body | None, work: Callable[[Prepared], Awaitable[Answer]]
    ) -> Response:
        """As `together`, for work that needs no session and is done by its last question.

        It is done again when PostgreSQL chose it as a deadlock's victim.
        """

        async def attempt(mine: Claim | None) -> Stored:
            async with self._connections.connection() as connection:
                if mine is None:
                    return (await work(connection)).stored()
                try:
                    async with connection.transaction() as last:
                        stored = (await work(connection)).stored()
                        last.append(idempotency.storing(mine, stored))
                except idempotency.Lost as error:
                    raise idempotency.LostClaimError from error
                return stored

        async def attempts(mine: Claim | None) -> Stored:
            for _ in range(RETRIES):
                with suppress(*RETRIED):
                    return await attempt(mine)
            return await attempt(mine)

        return await self._answer(body, attempts)

    async def apart(self, body: Body | None, work: Callable[[], Awaitable[Answer]]) -> Response:
        """The answer of `work`, which commits by itself and may safely be repeated."""

        async def attempt(mine: Claim | None) -> Stored:
            stored = (await work()).stored()
            if mine is not None:
                await self._store(mine, stored)
            return stored

        return await self._answer(body, attempt)

    async def _answer(
        self, body: Body | None, attempt: Callable[[Claim | None], Awaitable[Stored]]
    ) -> Response:
        mine = None
        if self._key is not None:
            claimed = await self._claim(self._key, body)
            if isinstance(claimed, Stored):
                return _replayed(claimed)
            mine = claimed
        try:
            stored = await attempt(mine)
        except idempotency.LostClaimError as error:
            raise _in_flight() from error
        except (BookingError, Problem) as error:
            return await self._refused(mine, error)
        except BaseException:
            await self._release(mine)
            raise
        return Response(stored.body, stored.status, stored.headers, "application/json")

    async def _claim(self, key: str, body: Body | None) -> Claim | Stored:
        said = [self._request.url.path, None if body is None else body.model_dump(mode="json")]
        try:
            return await idempotency.claim(
                self._connections,
                account_id=self._account_id,
                route=self._request.scope["route"].path,
                key=key,
                fingerprint=hashlib.sha256(orjson.dumps(said)).hexdigest(),
            )
        except idempotency.InFlightError as error:
            raise _in_flight() from error
        except idempotency.DifferentRequestError as error:
            raise Problem(
                422,
                "idempotency-mismatch",
                "The key belongs to another request",
                f"This {HEADER} was sent with another request: make a new one for each.",
            ) from error

    async def _refused(self, mine: Claim | None, error: BookingError | Problem) -> Response:
        problem = error if isinstance(error, Problem) else booking_problem(self._request, error)
        answer = problem_response(problem)
        later = problem.status == HTTPStatus.TOO_MANY_REQUESTS
        if later or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            await self._release(mine)
        elif mine is not None:
            stored = Stored(problem.status, problem.headers, bytes(answer.body).decode())
            with suppress(idempotency.LostClaimError):
                await self._store(mine, stored)
        return answer

    async def _store(self, mine: Claim, stored: Stored) -> None:
        async with self._connections.connection() as connection:
            await idempotency.store(connection.ask, mine, stored)

    async def _release(self, mine: Claim | None) -> None:
        if mine is not None:
            await idempotency.release(self._sessions, mine)


def _asking(session: AsyncSession) -> idempotency.Ask:
    """Asks in the session's transaction."""

    async def ask(statement: str, values: dict[str, Any]) -> Sequence[Any]:
        return (await (await session.connection()).exec_driver_sql(statement, values)).all()

    return ask


def _in_flight() -> Problem:
    return Problem(
        409,
        "idempotency-in-flight",
        "The same request is being worked on",
        f"Ask again with the same {HEADER} in a moment.",
        headers={"Retry-After": "1"},
    )


def _replayed(stored: Stored) -> Response:
    body: Any = orjson.loads(stored.body)
    media = "application/json"
    if stored.status >= HTTPStatus.BAD_REQUEST:
        # The answer is that of then; what is looked up in the logs is this request.
        body["requestId"] = structlog.contextvars.get_contextvars().get("request_id", "")
        media = MEDIA_TYPE
    headers = {**stored.headers, REPLAYED: "true"}
    return Response(orjson.dumps(body), stored.status, headers, media)


async def once(
    request: Request,
    principal: CurrentPrincipal,
    key: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="made by you, a new one for each thing that you want done, such as a UUID: "
            "sent again with it, the same request gets the same answer, for 24 hours",
            examples=["0f7c3a52-5a0e-4a53-9d3c-0f5e5b1f6c2d"],
            min_length=1,
            max_length=LONGEST_KEY,
            pattern=f"^{KEY.pattern}$",
        ),
    ] = None,
) -> Once:
    """What runs a route's work once per key."""
    return Once(request, principal.account_id, key)


OnceOnly = Annotated[Once, Depends(once)]

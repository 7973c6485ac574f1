"""The application over this worker's database, and a client that holds every answer to OpenAPI."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from accounts.tokens import sign_token
from api.app import create_app
from api.dependencies import now

# Noon in Honolulu, where the factory's vehicles stand.
NOW = datetime(2027, 5, 20, 22, tzinfo=UTC)


class Client:
    """Requests against the application, as `account` of `role` if one is given."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, secret: str) -> None:
        self.app = app
        self.portal = portal
        self.secret = secret

    def token(self, account: int, role: str = "renter") -> str:
        return sign_token(account, role, secret=self.secret)

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx2.Response:
        return self.request("POST", path, json=json, **options)

    def patch(self, path: str, json: Any, **options: Any) -> httpx2.Response:
        return self.request("PATCH", path, json=json, **options)

    def put(self, path: str, json: Any, **options: Any) -> httpx2.Response:
        return self.request("PUT", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> httpx2.Response:
        return self.request("DELETE", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self.all_at_once([(method, path, options)])[0]

    def all_at_once(self, requests: list[tuple[str, str, dict[str, Any]]]) -> list[httpx2.Response]:
        """The answers to requests that run at the same time, in their order."""
        answers = self.portal.call(self._send, requests)
        for answer in answers:
            self.hold_to_contract(answer)
        return answers

    async def _send(self, requests):
        import asyncio

        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(
                *(
                    client.request(method, path, **self._signed(options))
                    for method, path, options in requests
                )
            )

    def _signed(self, options: dict[str, Any]) -> dict[str, Any]:
        options = dict(options)
        if (account := options.pop("account", None)) is not None:
            token = self.token(account, options.pop("role", "renter"))
            options["headers"] = {"Authorization": f"Bearer {token}"} | options.get("headers", {})
        return options

    def hold_to_contract(self, answer: httpx2.Response) -> None:
        """The status is declared, the media type too, and the body has the declared shape."""
        template, declared = self._operation(answer)
        if answer.status_code == 204:
            assert declared is not None
            assert "content" not in declared["responses"]["204"]
            assert answer.content == b""
            return
        media = answer.headers["content-type"].partition(";")[0]
        if declared is None:
            assert answer.status_code in (404, 405)
        asked = None if declared is None else (template, answer.request.method.lower())
        body = answer.json() if media.endswith("json") else answer.text
        _shape(self.app, asked, answer.status_code, media).validate(body)
        if answer.is_error and media == "application/problem+json":
            assert answer.json()["status"] == answer.status_code
            assert answer.json()["requestId"] == answer.headers["x-request-id"]

    def _operation(self, answer: httpx2.Response) -> tuple[str, dict[str, Any] | None]:
        for template, operations in self.app.openapi()["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), answer.request.url.path):
                return template, operations.get(answer.request.method.lower())
        return "", None


@cache  # made once: of all schemas it takes longer than most requests
def _shape(
    app: FastAPI, operation: tuple[str, str] | None, status: int, media: str
) -> jsonschema_rs.Validator:
    """What the contract says of an answer; of no operation, a problem's shape."""
    published = app.openapi()
    schema = {"$ref": "#/components/schemas/Problem"}
    if operation:
        template, method = operation
        responses = published["paths"][template][method]["responses"]
        schema = responses[str(status)]["content"][media]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": published["components"]})


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """An event loop in a thread, where the application lives."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def app(settings, portal) -> Iterator[FastAPI]:
    app = create_app(settings)
    with portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield app


@pytest.fixture
def client(app, portal, settings, conn) -> Iterator[Client]:
    """A client on an emptied database at NOW."""
    app.dependency_overrides[now] = lambda: NOW
    portal.call(app.state.attempts.reset)
    yield Client(app, portal, settings.require_secret())
    app.dependency_overrides.clear()


def problem(answer: httpx2.Response) -> tuple[int, str, dict[str, str]]:
    """What a test wants to know of a problem: status, the end of its type, wrong fields."""
    document = answer.json()
    wrong = {error["pointer"]: error["message"] for error in document["errors"]}
    return answer.status_code, document["type"].rpartition(":")[2], wrong

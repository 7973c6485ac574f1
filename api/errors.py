"""Every error answer: RFC 9457 problems, and which problem each domain error becomes.

A problem's `type` is `urn:island-rides:problem:<code>`; clients switch on its end, never on the
text. `Problem` is for what only HTTP can get wrong; the rooms below raise their own errors.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from accounts.errors import (
    AccountError,
    AlreadyRegisteredError,
    InvalidChallengeError,
    InvalidCodeError,
    InvalidCredentialsError,
    InvalidFieldError,
    InvalidFlowError,
    InvalidLinkError,
    InvalidRefreshTokenError,
    LinkedToAnotherError,
    ProviderFailedError,
    RefreshTokenJustUsedError,
    SecondFactorLockedError,
    SecondFactorOffError,
    SecondFactorOnError,
    SignInUnavailableError,
    TooManyAttemptsError,
    UnknownAccountError,
    UnknownProviderError,
    UnverifiedAddressError,
)
from accounts.tokens import InvalidTokenError
from api.schemas.common import FieldError, ProblemDocument
from bookings.errors import (
    AlreadyReviewedError,
    BlockNotFoundError,
    BookingError,
    BookingNotAwaitingHostError,
    BookingNotCancellableError,
    BookingNotFoundError,
    BookingNotPayableError,
    BookingNotReschedulableError,
    BookingNotReviewableError,
    ChatEndedError,
    ClientIdUsedError,
    CostsMoreError,
    DaysNotFreeError,
    HoldExpiredError,
    InvalidDatesError,
    InvalidQuoteError,
    NotYourPartError,
    OwnVehicleError,
    PaymentDeclinedError,
    PaymentsUnavailableError,
    PhotoNotFoundError,
    PhotoOrderError,
    PriceChangedError,
    ReviewNotFoundError,
    ReviewWindowOverError,
    TooManyError,
    TooManyMessagesError,
    UnknownRenterError,
    VehicleArchivedError,
    VehicleHasBookingsError,
    VehicleNotFoundError,
    VehicleUnavailableError,
)
from search.engine import SearchUnavailableError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:island-rides:problem:"
STATUS_OF: Mapping[type[AccountError | BookingError], int] = {
    InvalidFieldError: 422,
    InvalidCredentialsError: 401,
    InvalidRefreshTokenError: 401,
    InvalidChallengeError: 401,
    InvalidCodeError: 401,
    UnknownAccountError: 401,
    InvalidLinkError: 400,
    InvalidFlowError: 400,
    UnverifiedAddressError: 403,
    UnknownProviderError: 404,
    AlreadyRegisteredError: 409,
    LinkedToAnotherError: 409,
    RefreshTokenJustUsedError: 409,
    SecondFactorOnError: 409,
    SecondFactorOffError: 409,
    SecondFactorLockedError: 429,
    TooManyAttemptsError: 429,
    ProviderFailedError: 502,
    SignInUnavailableError: 503,
    VehicleNotFoundError: 404,
    BookingNotFoundError: 404,
    VehicleUnavailableError: 409,
    BookingNotCancellableError: 409,
    OwnVehicleError: 403,
    InvalidDatesError: 422,
    InvalidQuoteError: 422,
    UnknownRenterError: 401,
    VehicleArchivedError: 409,
    VehicleHasBookingsError: 409,
    DaysNotFreeError: 409,
    TooManyError: 409,
    BlockNotFoundError: 404,
    PhotoNotFoundError: 404,
    PhotoOrderError: 409,
    NotYourPartError: 403,
    PaymentDeclinedError: 402,
    HoldExpiredError: 409,
    BookingNotPayableError: 409,
    BookingNotAwaitingHostError: 409,
    BookingNotReschedulableError: 409,
    BookingNotReviewableError: 409,
    ReviewWindowOverError: 409,
    AlreadyReviewedError: 409,
    ReviewNotFoundError: 404,
    CostsMoreError: 409,
    PriceChangedError: 409,
    PaymentsUnavailableError: 503,
    ChatEndedError: 409,
    ClientIdUsedError: 409,
    TooManyMessagesError: 429,
}
# More would not help the reader, and a body of a million unknown fields must not echo back.
MOST_ERRORS = 50
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})

log = structlog.get_logger()


class Problem(Exception):  # noqa: N818 - it is what RFC 9457 calls the answer that it becomes
    """An error that only HTTP knows; becomes the answer as it is.

    Attributes:
        status: the HTTP status.
        code: the stable end of `type`, such as `invalid-cursor`.
        title: the same for every occurrence of `code`.
        detail: this occurrence, and what to do about it.
        errors: which parameters or body fields are wrong.
        headers: extra response headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def invalid_request(errors: Sequence[FieldError]) -> Problem:
    """The 422 that names every wrong parameter or body field."""
    shown = errors[:MOST_ERRORS]
    detail = "; ".join(f"{error.pointer or 'body'}: {error.message}" for error in shown[:3])
    return Problem(422, "invalid-request", "The request is not valid", detail, errors=shown)


def unauthorized(code: str, detail: str) -> Problem:
    """The 401 that says which credentials are wanted (RFC 6750)."""
    challenge = 'Bearer realm="island-rides"'
    if code == "invalid-token":
        challenge += ', error="invalid_token"'
    return Problem(401, code, "Not signed in", detail, headers={"WWW-Authenticate": challenge})


def document(problem: Problem) -> ProblemDocument:
    """What is sent; its `requestId` is the one that the middleware bound to this request."""
    return ProblemDocument(
        type=TYPE_PREFIX + problem.code,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        errors=problem.errors,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )


def problem_response(problem: Problem) -> Response:
    """The answer."""
    return Response(
        orjson.dumps(document(problem).model_dump(by_alias=True)),
        problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def unexpected(error: Exception) -> Response:
    """The 500 for what nobody foresaw: the log has the traceback, the answer only the id."""
    log.error("request failed", exc_info=error)
    return problem_response(
        Problem(
            500,
            "internal-error",
            "Something went wrong on our side",
            "Nothing was changed. Try again, and tell us the requestId if it stays.",
        )
    )


def problem_responses(described: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses=` for a route: status → when it is answered, each a Problem."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": when, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status, when in described.items()
    }


def install(app: FastAPI) -> None:
    """Register the handlers. What none of them takes is the middleware's: `unexpected`."""
    for error, handler in (
        (Problem, _on_problem),
        (AccountError, _on_account_error),
        (BookingError, _on_booking_error),
        (InvalidTokenError, _on_invalid_token),
        (RequestValidationError, _on_invalid_request),
        (WebSocketRequestValidationError, _on_invalid_request),
        (HTTPException, _on_http_exception),
        (PoolTimeoutError, _on_database_busy),
        (DBAPIError, _on_database_error),
        (psycopg.Error, _on_database_error),
        (SearchUnavailableError, _on_search_unavailable),
    ):
        app.add_exception_handler(error, handler)


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _on_booking_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BookingError)
    return problem_response(booking_problem(request, error))


def booking_problem(request: Request, error: BookingError) -> Problem:
    """What an error of renting becomes over HTTP."""
    if isinstance(error, UnknownRenterError):
        return unauthorized("invalid-token", str(error))
    # A field is a JSON pointer where there is a body, else a parameter's name.
    lead = "/" if request.method in BODY_METHODS else ""
    wrong = error.fields if isinstance(error, InvalidDatesError | InvalidQuoteError) else ()
    status = STATUS_OF[type(error)]
    headers = {}
    if isinstance(error, TooManyMessagesError):
        headers["Retry-After"] = str(error.seconds)
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return Problem(
        status,
        error.code,
        error.title,
        str(error),
        errors=[FieldError(pointer=lead + name, message=message) for name, message in wrong],
        headers=headers,
    )


async def _on_account_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, AccountError)
    if isinstance(error, InvalidFieldError):
        field = FieldError(pointer=f"/{error.field}", message=str(error))
        return problem_response(invalid_request([field]))
    status = STATUS_OF[type(error)]
    if status == HTTPStatus.UNAUTHORIZED:
        return problem_response(unauthorized(error.code, str(error)))
    headers = {}
    if isinstance(error, TooManyAttemptsError | SecondFactorLockedError):
        headers["Retry-After"] = str(error.seconds)
    elif isinstance(error, SignInUnavailableError):
        headers["Retry-After"] = "1"
    return problem_response(Problem(status, error.code, error.title, str(error), headers=headers))


async def _on_invalid_token(_: Request, error: Exception) -> Response:
    return problem_response(unauthorized("invalid-token", str(error)))


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
    return problem_response(
        invalid_request([_field_error(request, each) for each in error.errors()[:MOST_ERRORS]])
    )


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != phrase else HTTPStatus(error.status_code).description
    return problem_response(
        Problem(
            error.status_code,
            phrase.lower().replace(" ", "-"),
            phrase,
            detail or phrase,
            headers=error.headers,
        )
    )


async def _on_database_busy(_: Request, error: Exception) -> Response:
    log.warning("no database connection became free", error=str(error))
    return problem_response(_unavailable())


async def _on_database_error(_: Request, error: Exception) -> Response:
    # OperationalError: no connection, statement timeout, a deadlock that retries did not end.
    unavailable = OperationalError, InterfaceError, psycopg.OperationalError
    if isinstance(error, unavailable):
        log.warning("database unavailable", error=str(getattr(error, "orig", error)))
        return problem_response(_unavailable())
    return unexpected(error)


async def _on_search_unavailable(_: Request, error: Exception) -> Response:
    return problem_response(
        Problem(
            503,
            "search-unavailable",
            "Search does not answer",
            str(error),
            headers={"Retry-After": "1"},
        )
    )


def _unavailable() -> Problem:
    return Problem(
        503,
        "database-unavailable",
        "The database does not answer",
        "Nothing was changed. Try again in a moment.",
        headers={"Retry-After": "1"},
    )


def _field_error(request: Request, error: Mapping[str, Any]) -> FieldError:
    """FastAPI's `loc` as a parameter's name or, for a body, a JSON pointer."""
    place, *path = error["loc"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if place != "body":
        return FieldError(pointer=".".join(map(str, path)), message=message)
    if error["type"] == "json_invalid":
        return FieldError(
            pointer="", message=f"not JSON at character {path[0]}: {error['ctx']['error']}"
        )
    if not path:
        return FieldError(
            pointer="", message="send a JSON object with Content-Type: application/json"
        )
    if error["type"] == "extra_forbidden":
        message = f"unknown field; the fields are {', '.join(_body_fields(request))}"
    return FieldError(pointer=_json_pointer(path), message=message)


def _body_fields(request: Request) -> Iterable[str]:
    model = request.scope["route"].body_field.field_info.annotation
    return (field.alias or name for name, field in model.model_fields.items())


def _json_pointer(path: Iterable[Any]) -> str:
    # A lone surrogate is legal in JSON text but not in UTF-8, in which the answer goes back.
    parts = (str(part).encode("utf-8", "replace").decode() for part in path)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)

import json

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.dependencies import one_transaction
from runtime.settings import Settings
from tests.api.conftest import problem
from tests.factory import store_account, store_vehicle


def logged(capsys):
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"].startswith("request")]


@pytest.mark.parametrize("path", ["/nothing", "/v1/vehicles/", "/v1", "/"])
def test_an_unknown_path_is_a_problem(client, path):
    assert problem(client.get(path)) == (404, "not-found", {})


@pytest.mark.parametrize("path", ["/v1/vehicles/7", "/v1/search/vehicles"])
def test_a_method_that_a_path_does_not_have_is_a_problem_that_names_those_it_has(client, path):
    answer = client.request("DELETE", path)
    assert problem(answer) == (405, "method-not-allowed", {})
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("path", "there_are"),
    [
        ("/health", "there are none"),
        ("/v1/vehicles/7", "there are none"),
        ("/v1/vehicles/7/availability", "the parameters are from, to"),
        ("/v1/vehicles/7/quote", "the parameters are start, end"),
        ("/v1/vehicles/7/reviews", "the parameters are limit, cursor"),
    ],
)
def test_an_unknown_parameter_is_refused_with_those_that_there_are(client, path, there_are):
    # The path's own errors may come beside it.
    _, code, wrong = problem(client.get(path, params={"colour": "red"}))
    assert code == "invalid-request"
    assert wrong["colour"] == f"unknown; {there_are}"


def test_a_parameter_that_comes_twice_is_refused(client, conn):
    path = f"/v1/vehicles/{store_vehicle(conn)}/reviews?limit=1&limit=2"
    assert problem(client.get(path)) == (
        422,
        "invalid-request",
        {"limit": "may be given only once"},
    )


@pytest.mark.parametrize(
    ("content", "headers", "message"),
    [
        (b"{", {"Content-Type": "application/json"}, "not JSON at character 1"),
        (b"7", {"Content-Type": "application/json"}, "send a JSON object"),
        (b"[]", {"Content-Type": "application/json"}, "send a JSON object"),
        (b"null", {"Content-Type": "application/json"}, "send a JSON object"),
        (b"{}", {"Content-Type": "text/plain"}, "send a JSON object with Content-Type"),
        (b"{}", {}, "send a JSON object with Content-Type"),
        (b"", {}, "send a JSON object with Content-Type"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_as_a_whole(
    client, conn, content, headers, message
):
    answer = client.request(
        "POST", "/v1/bookings", content=content, headers=headers, account=store_account(conn)
    )
    status, code, wrong = problem(answer)
    assert (status, code, list(wrong)) == (422, "invalid-request", [""])
    assert message in wrong[""]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"\\ud800": 1}', 422),
        (b'{"start": "\\u0000"}', 422),
        (b"\xff", 400),
        (b'{"vehicleId": 1' + b"0" * 5000 + b"}", 400),
        (b"[" * 20_000, 400),
        (b'{"start": "' + b"1" * 70_000 + b'"}', 413),
    ],
)
def test_a_hostile_body_is_refused_without_trouble(client, conn, content, status):
    answer = client.request(
        "POST",
        "/v1/bookings",
        content=content,
        headers={"Content-Type": "application/json"},
        account=store_account(conn),
    )
    assert answer.status_code == status


def test_a_million_mistakes_are_not_echoed(client, conn):
    body = dict.fromkeys([f"field{n}" for n in range(1000)])
    answer = client.post("/v1/bookings", body, account=store_account(conn))
    assert len(answer.json()["errors"]) == 50


@pytest.fixture
def failing(app):
    """Make whatever asks for a session fail with an error."""

    def with_error(error):
        async def fail():
            raise error

        app.dependency_overrides[one_transaction] = fail

    return with_error


def test_an_unexpected_error_is_500_without_a_word_of_it_and_logged_with_the_id(
    client, failing, capsys
):
    failing(RuntimeError("the password is hunter2"))
    answer = client.get("/v1/vehicles/7")
    assert problem(answer) == (500, "internal-error", {})
    assert "hunter2" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    failure, request = logged(capsys)
    assert failure["request_id"] == request["request_id"] == answer.json()["requestId"]
    assert "hunter2" in failure["exception"]
    assert request["status"] == 500


def test_an_unexpected_error_of_a_search_is_answered_alike(client, monkeypatch, capsys):
    """Though it is asked before the layers that answer errors."""

    def fail(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("api.understanding.first_page_of", fail)
    answer = client.get("/v1/search/vehicles")
    assert problem(answer) == (500, "internal-error", {})
    assert "hunter2" not in answer.text
    failure, request = logged(capsys)
    assert failure["request_id"] == request["request_id"] == answer.json()["requestId"]
    assert (request["route"], request["status"]) == ("/v1/search/vehicles", 500)


def test_no_free_connection_is_503_with_retry_after(client, failing):
    failing(PoolTimeoutError("QueuePool limit"))
    answer = client.get("/v1/vehicles/7")
    assert problem(answer) == (503, "database-unavailable", {})
    assert answer.headers["retry-after"] == "1"


def test_a_database_that_does_not_answer_is_503_with_retry_after(client, app, monkeypatch):
    from models.session import async_engine, sessions

    gone = Settings(database_url="postgresql://rides@127.0.0.1:1/rides")
    monkeypatch.setitem(app.state._state, "sessions", sessions(async_engine(gone)))
    answer = client.get("/v1/vehicles/7")
    assert problem(answer) == (503, "database-unavailable", {})
    assert answer.headers["retry-after"] == "1"
    assert "127.0.0.1" not in answer.text


def test_a_sane_request_id_comes_back_and_another_is_replaced(client):
    sent = client.get("/health/live", headers={"X-Request-Id": "screen-7.a_b"})
    assert sent.headers["x-request-id"] == "screen-7.a_b"
    for strange in ("short", "x" * 65, "seven\tor eight", "{{injected}}"):
        answer = client.get("/health/live", headers={"X-Request-Id": strange})
        assert len(answer.headers["x-request-id"]) == 32


def test_every_answer_carries_the_security_headers(client):
    for path in ("/health/live", "/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_request_is_one_log_line_without_what_is_nobodys_business(client, conn, capsys):
    vehicle = store_vehicle(conn)
    client.get(f"/v1/vehicles/{vehicle}/reviews", params={"limit": 7}, account=1)
    client.get("/v1/secret/path")
    found, unmatched = logged(capsys)
    assert found.pop("ms") > 0
    assert found.pop("timestamp")
    assert found.pop("request_id")
    assert found == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "route": "/v1/vehicles/{id}/reviews",
        "status": 200,
    }
    assert unmatched["route"] == "unmatched"

"""Our requests to Stripe, held to its specification by stripe-mock; its answers in our words."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from bookings.payments import stripe as behind
from bookings.payments.port import DeclinedError, GatewayError, Intent, NewIntent
from bookings.payments.stripe import StripeGateway
from models import PaymentStatus
from tests.bookings import stripe_mock

pytestmark = pytest.mark.anyio
KEY = "sk_test_123"
NEW = NewIntent("rides-abc", 16_500, "USD", 42)


@pytest.fixture(scope="module")
def address():
    with stripe_mock.running() as address:
        yield address


class Recorder:
    """Passes everything on to stripe-mock, and writes down what it was."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.seen = []

    async def __call__(self, request):
        body = await request.text()
        self.seen.append((request.path, request.headers.get("Idempotency-Key"), body))
        async with (
            aiohttp.ClientSession() as http,
            http.request(
                request.method,
                self.upstream + request.path_qs,
                data=body,
                headers={
                    "Authorization": request.headers["Authorization"],
                    "Content-Type": request.headers.get("Content-Type", ""),
                },
            ) as answer,
        ):
            return web.Response(
                body=await answer.read(), status=answer.status, content_type="application/json"
            )


@pytest.fixture
async def recorded(address):
    """A gateway, and what it has sent."""
    async for gateway, handler in served(Recorder(address)):
        yield gateway, handler.seen


async def served(handler):
    """A gateway to a server that answers by `handler`."""
    server = web.ServerRunner(web.Server(handler))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    host, port = server.addresses[0]
    gateway = StripeGateway(KEY, address=f"http://{host}:{port}")
    yield gateway, handler
    await gateway.close()
    await server.cleanup()


async def test_every_request_is_one_that_stripe_understands_and_carries_a_key(recorded):
    gateway, seen = recorded
    intent = await gateway.create(NEW)
    assert intent.id.startswith("pi_")
    assert intent.client_secret
    await gateway.confirm(intent.id, key="rides-abc-confirm", method="pm_card_visa")
    await gateway.capture(intent.id, key="rides-abc-capture")
    await gateway.void(intent.id, key="rides-abc-void")
    refund = await gateway.refund(intent.id, key="rides-abc-refund-7", refund_id=7, cents=500)
    assert refund.startswith("re_")
    assert [(path.removeprefix("/v1/").replace(intent.id, "pi"), key) for path, key, _ in seen] == [
        ("payment_intents", "rides-abc-create"),
        ("payment_intents/pi/confirm", "rides-abc-confirm"),
        ("payment_intents/pi/capture", "rides-abc-capture"),
        ("payment_intents/pi/cancel", "rides-abc-void"),
        ("refunds", "rides-abc-refund-7"),
    ]
    made = seen[0][2]
    for said in ("amount=16500", "currency=usd", "capture_method=manual", "rides-abc"):
        assert said in made


async def test_what_stripe_does_not_understand_is_a_refusal(recorded):
    """stripe-mock does check: this amount is none."""
    gateway, _ = recorded
    with pytest.raises(DeclinedError):
        await gateway.create(NewIntent("rides-abc", "many", "USD", 42))


def error(status, kind, **details):
    async def handler(request):
        body = {"error": {"type": kind, "message": "No.", **details}}
        return web.json_response(body, status=status)

    return handler


@pytest.mark.parametrize(
    ("handler", "raised", "message"),
    [
        (
            error(402, "card_error", code="card_declined", decline_code="insufficient_funds"),
            DeclinedError,
            "insufficient_funds",
        ),
        (error(402, "card_error", code="expired_card"), DeclinedError, "expired_card"),
        (error(400, "invalid_request_error", code="resource_missing"), DeclinedError, "missing"),
        (error(400, "idempotency_error"), GatewayError, "IdempotencyError"),
        (error(401, "authentication_error"), GatewayError, "AuthenticationError 401"),
        (error(429, "rate_limit_error"), GatewayError, "RateLimitError 429"),
        (error(500, "api_error"), GatewayError, "APIError 500"),
    ],
)
async def test_stripes_errors_are_refusals_or_no_answer(handler, raised, message):
    async for gateway, _ in served(handler):
        with pytest.raises(raised, match=message):
            await gateway.confirm("pi_1", key="k", method="pm_card_visa")


async def test_no_server_is_no_answer():
    gateway = StripeGateway(KEY, address="http://127.0.0.1:1")
    with pytest.raises(GatewayError, match="APIConnectionError"):
        await gateway.create(NEW)
    await gateway.close()


@pytest.mark.parametrize(
    ("status", "known"),
    [
        ("requires_payment_method", PaymentStatus.OPEN),
        ("requires_action", PaymentStatus.OPEN),
        ("processing", PaymentStatus.OPEN),
        ("requires_capture", PaymentStatus.AUTHORISED),
        ("succeeded", PaymentStatus.CAPTURED),
        ("canceled", PaymentStatus.VOIDED),
    ],
)
async def test_what_an_intent_says_of_itself(status, known):
    async def handler(request):
        intent = {"id": "pi_1", "object": "payment_intent", "status": status}
        return web.json_response(intent | {"amount_received": 9, "client_secret": "s"})

    async for gateway, _ in served(handler):
        confirmed = await gateway.confirm("pi_1", key="k", method="pm_card_visa")
        assert confirmed == Intent("pi_1", known, 9, "s")


@pytest.mark.parametrize("what", ["capture", "void"])
async def test_what_is_past_that_is_told_as_it_is(what):
    """A void that crosses a capture: Stripe refuses it, and what counts is what has happened."""

    async def handler(request):
        if request.method == "POST":
            return await error(400, "invalid_request_error", code="unexpected_state")(request)
        intent = {"id": "pi_1", "object": "payment_intent", "status": "succeeded"}
        return web.json_response(intent | {"amount_received": 16_500, "client_secret": "s"})

    async for gateway, _ in served(handler):
        intent = await getattr(gateway, what)("pi_1", key="k")
        assert intent == Intent("pi_1", PaymentStatus.CAPTURED, 16_500, "s")


async def test_the_sdk_does_not_retry_by_itself():
    calls = []

    async def handler(request):
        calls.append(request.path)
        return await error(500, "api_error")(request)

    async for gateway, _ in served(handler):
        with pytest.raises(GatewayError):
            await gateway.create(NEW)
    assert calls == ["/v1/payment_intents"]


async def test_a_mute_server_is_given_up(monkeypatch):
    async def handler(request):
        await asyncio.sleep(5)
        return web.json_response({})

    monkeypatch.setattr(behind, "TIMEOUT_S", 0.2)
    async for gateway, _ in served(handler):
        with pytest.raises(GatewayError):
            await gateway.create(NEW)

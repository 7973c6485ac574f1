"""What the payment provider tells us."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool

from api.dependencies import AppSettings, Now, known_parameters
from api.errors import Problem, problem_responses
from api.schemas.payments import Received

router = APIRouter(
    prefix="/v1/payments", tags=["payments"], dependencies=[Depends(known_parameters)]
)


@router.post(
    "/webhook",
    summary="Events of Stripe",
    responses=problem_responses(
        {
            400: "It is not signed by Stripe, or was more than five minutes ago "
            "(`invalid-signature`)",
            404: "No signing secret is configured (`webhooks-off`)",
            413: "The body is larger than 64 KiB",
        }
    ),
    openapi_extra={
        "requestBody": {
            "description": "an event, as Stripe signed it",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def receive_payment_event(
    request: Request,
    settings: AppSettings,
    now: Now,
    signature: Annotated[
        str | None, Header(alias="Stripe-Signature", description="Stripe's, of the raw body")
    ] = None,
) -> Received:
    """Each event counts once, in whatever order they come."""
    if settings.stripe_webhook_secret is None:
        raise Problem(
            404,
            "webhooks-off",
            "No events are taken here",
            "Set RIDES_STRIPE_WEBHOOK_SECRET to the signing secret of this endpoint.",
        )
    # Stripe's SDK costs half a second of a process's start: not in those that never hear of Stripe.
    from bookings.payments import webhooks

    secret = settings.stripe_webhook_secret.get_secret_value()
    body = await request.body()
    try:
        event = await run_in_threadpool(webhooks.read, body, signature, secret=secret)
    except webhooks.InvalidSignatureError as error:
        raise Problem(
            400,
            "invalid-signature",
            "The event is not signed by Stripe",
            "Only Stripe sends events here; check the endpoint's signing secret.",
        ) from error
    return Received(new=await request.app.state.cashier.take_in(event, now))

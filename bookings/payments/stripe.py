"""Stripe behind the port, by its official SDK: PaymentIntents that are captured by us.

The SDK's own retries are off: the cashier's are the only ones, and they survive the process.
"""

from collections.abc import Awaitable
from typing import NoReturn, TypeVar

import stripe

from bookings.payments.port import DeclinedError, GatewayError, Intent, NewIntent
from models import PaymentStatus

T = TypeVar("T")
TIMEOUT_S = 15  # of a call; three of them are less than a claim's lease
STATUS = {
    "requires_capture": PaymentStatus.AUTHORISED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.VOIDED,
}  # everything else waits for the renter or the bank


class StripeGateway:
    """Implements `port.Gateway` with a secret key; `address` is another server's in tests."""

    name = "stripe"

    def __init__(self, secret_key: str, *, address: str = "https://api.stripe.com") -> None:
        self._http = stripe.AIOHTTPClient(timeout=TIMEOUT_S)
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": address},
            max_network_retries=0,
            http_client=self._http,
        )

    async def create(self, new: NewIntent) -> Intent:
        """Make a PaymentIntent; nothing is taken.

        Raises:
            DeclinedError: Stripe does not take such an amount or currency.
        """
        made = self._client.v1.payment_intents.create_async(
            {
                "amount": new.amount_cents,
                "currency": new.currency.lower(),
                "capture_method": "manual",
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "description": f"Booking {new.booking_id}",
                "metadata": {"payment": new.key, "booking": str(new.booking_id)},
            },
            {"idempotency_key": f"{new.key}-create"},
        )
        return _intent(await _asked(made))

    async def confirm(self, intent_id: str, *, key: str, method: str) -> Intent:
        """Have the card's bank reserve the amount.

        Raises:
            DeclinedError: it refused, or there is no such payment method.
        """
        return _intent(
            await _asked(
                self._client.v1.payment_intents.confirm_async(
                    intent_id, {"payment_method": method}, {"idempotency_key": key}
                )
            )
        )

    async def capture(self, intent_id: str, *, key: str) -> Intent:
        """Take what is reserved."""
        return await self._or_as_it_is(
            intent_id,
            self._client.v1.payment_intents.capture_async(intent_id, {}, {"idempotency_key": key}),
        )

    async def void(self, intent_id: str, *, key: str) -> Intent:
        """Cancel what has not been taken."""
        return await self._or_as_it_is(
            intent_id,
            self._client.v1.payment_intents.cancel_async(intent_id, {}, {"idempotency_key": key}),
        )

    async def refund(self, intent_id: str, *, key: str, refund_id: int, cents: int) -> str:
        """Give some back; Stripe carries it out by itself from here."""
        made = await _asked(
            self._client.v1.refunds.create_async(
                {
                    "payment_intent": intent_id,
                    "amount": cents,
                    "metadata": {"refund": str(refund_id)},
                },
                {"idempotency_key": key},
            )
        )
        return made.id

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def _or_as_it_is(self, intent_id: str, asked: Awaitable[stripe.PaymentIntent]) -> Intent:
        """The answer; where the intent is past that, its present state instead."""
        try:
            return _intent(await _asked(asked))
        except DeclinedError as error:
            now = await _asked(self._client.v1.payment_intents.retrieve_async(intent_id))
            intent = _intent(now)
            if intent.status not in (PaymentStatus.CAPTURED, PaymentStatus.VOIDED):
                raise GatewayError(f"refused, and yet it is {now.status}: {error}") from error
            return intent


async def _asked(call: Awaitable[T]) -> T:
    """The answer of Stripe; its errors in the port's words."""
    try:
        return await call
    except stripe.CardError as error:
        why = error.error.decline_code if error.error is not None else None
        raise DeclinedError(why or error.code or "card_declined") from error
    except stripe.IdempotencyError as error:
        _unanswered(error)
    except stripe.InvalidRequestError as error:
        raise DeclinedError(error.code or "invalid_request") from error
    except stripe.StripeError as error:
        _unanswered(error)


def _unanswered(error: stripe.StripeError) -> NoReturn:
    # Not the message: it can quote what the renter typed.
    raise GatewayError(f"{type(error).__name__} {error.http_status} {error.code}") from error


def _intent(found: stripe.PaymentIntent) -> Intent:
    return Intent(
        found.id,
        STATUS.get(found.status, PaymentStatus.OPEN),
        found.amount_received or 0,
        found.client_secret,
    )

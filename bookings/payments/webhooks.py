"""What a provider tells us by itself: signed, as a fact that stands alone."""

from typing import Any

import stripe

from bookings.payments.port import Intent, ProviderEvent
from models import PaymentStatus

# The events that say something; a fact each, so that their order does not matter.
INTENT_FACTS = {
    "payment_intent.amount_capturable_updated": PaymentStatus.AUTHORISED,
    "payment_intent.succeeded": PaymentStatus.CAPTURED,
    "payment_intent.canceled": PaymentStatus.VOIDED,
}
REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "charge.refund.updated"})
FAILED_REFUND = "refund.failed"


class InvalidSignatureError(Exception):
    """The event was not sent by the provider, or was altered, or is an old one sent again."""


def read(body: bytes, signature: str | None, *, secret: str) -> ProviderEvent:
    """The event in a request's raw body.

    Raises:
        InvalidSignatureError: it is not signed with `secret`, or more than five minutes ago.
    """
    try:
        event = stripe.Webhook.construct_event(body, signature, secret, api_key="unused")
        content: dict[str, Any] = event.to_dict()
        return _facts(content["id"], content["type"], content["data"]["object"])
    except stripe.SignatureVerificationError as error:
        raise InvalidSignatureError(str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidSignatureError(f"not an event: {error!r}") from error


def _facts(event_id: str, kind: str, about: dict[str, Any]) -> ProviderEvent:
    metadata = about.get("metadata") or {}
    key = metadata.get("payment")
    if kind in INTENT_FACTS:
        intent = Intent(about["id"], INTENT_FACTS[kind], int(about.get("amount_received") or 0))
        return ProviderEvent(event_id, kind, about["id"], key, intent=intent)
    if kind in REFUND_EVENTS or kind == FAILED_REFUND:
        done = about.get("status") == "succeeded" and "refund" in metadata
        return ProviderEvent(
            event_id,
            kind,
            about.get("payment_intent"),
            key,
            refund_id=int(metadata["refund"]) if done else None,
            provider_refund=about["id"],
            alarm="a refund has failed: pay it back by hand" if kind == FAILED_REFUND else None,
        )
    return ProviderEvent(event_id, kind, about.get("payment_intent"), key)

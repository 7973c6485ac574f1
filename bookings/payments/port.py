"""What a payment provider does for us; `stripe` and `sandbox` do it.

Every call carries a key, and a call that is repeated with its key happens once. So an answer that
was lost is had by asking again, and that is all that has to be done about crashes.
"""

from dataclasses import dataclass
from typing import Protocol

from models import PaymentStatus


class GatewayError(Exception):
    """The provider did not answer, or not sensibly: whether it acted is unknown. Ask again."""


class DeclinedError(Exception):
    """The provider refused; nothing was taken. The message is its code, such as `card_declined`."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment as the provider has it now; `captured_cents` is what it has taken."""

    id: str
    status: PaymentStatus
    captured_cents: int = 0
    client_secret: str | None = None


@dataclass(frozen=True, slots=True)
class NewIntent:
    """What the provider is asked to be ready to take."""

    key: str
    amount_cents: int
    currency: str
    booking_id: int


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """What a provider tells us by itself: about which payment, and the facts in it."""

    id: str
    type: str
    intent_id: str | None
    key: str | None
    intent: Intent | None = None
    refund_id: int | None = None
    provider_refund: str = ""
    alarm: str | None = None


class Gateway(Protocol):
    """A provider. Every method may raise GatewayError; all amounts are cents."""

    name: str

    async def create(self, new: NewIntent) -> Intent:
        """Prepare a payment; nothing is taken.

        Raises:
            DeclinedError: the provider will not take such a payment.
        """

    async def confirm(self, intent_id: str, *, key: str, method: str) -> Intent:
        """Have the amount reserved on the renter's card.

        Raises:
            DeclinedError: the card or its bank refused.
        """

    async def capture(self, intent_id: str, *, key: str) -> Intent:
        """Take what is reserved; the intent as it is, where there is nothing to take (any more)."""

    async def void(self, intent_id: str, *, key: str) -> Intent:
        """Let go of what is reserved; the intent as it is, where it was already taken."""

    async def refund(self, intent_id: str, *, key: str, refund_id: int, cents: int) -> str:
        """Give some of what was taken back; the provider's id of the refund."""

    async def close(self) -> None:
        """Let go of connections."""

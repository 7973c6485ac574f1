"""Which gateway the settings ask for."""

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bookings.payments.cashier import Cashier
from bookings.payments.port import Gateway
from bookings.payments.sandbox import SandboxGateway
from runtime.settings import Settings


def open_cashier(settings: Settings, sessions: async_sessionmaker[AsyncSession]) -> Cashier:
    """A cashier with the gateway of `settings.payments`.

    Raises:
        RuntimeError: Stripe is asked for and its key is not set.
    """
    return Cashier(sessions, _gateway(settings, sessions))


def _gateway(settings: Settings, sessions: async_sessionmaker[AsyncSession]) -> Gateway | None:
    match settings.payments:
        case "sandbox":
            return SandboxGateway(sessions)
        case "stripe":
            # Costs a process that does not need it half a second.
            from bookings.payments.stripe import StripeGateway

            if settings.stripe_secret_key is None:
                raise RuntimeError(
                    "RIDES_PAYMENTS is stripe, but RIDES_STRIPE_SECRET_KEY is not set: take it "
                    "from the dashboard's API keys"
                )
            key = settings.stripe_secret_key.get_secret_value()
            return StripeGateway(key, address=settings.stripe_url)
        case "none":
            return None

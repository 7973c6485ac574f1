"""Tables and sessions (SQLAlchemy 2, typed), one file per aggregate. No I/O beyond SQL."""

from models.accounts import Account, Role
from models.base import Base
from models.bookings import TAKES_DAYS, Booking, BookingStatus
from models.idempotency import IdempotencyKey
from models.indexing import (
    LIVE_STATES,
    BuildSlice,
    BuildState,
    DeadLetter,
    IndexAudit,
    IndexBuild,
    IndexLag,
    PriceMedian,
    SearchDirty,
)
from models.payments import (
    LedgerEntry,
    Payment,
    PaymentEvent,
    PaymentStatus,
    PaymentTarget,
    Refund,
    SandboxIntent,
    SandboxRefund,
)
from models.popular import PopularSearch
from models.reviews import Review
from models.search import (
    VehicleSearchDocument,
    VehicleSearchRow,
    VehicleSearchText,
    VehicleSearchValue,
)
from models.vehicles import CancellationPolicy, Photo, Vehicle, VehicleFeature, VehicleStatus

__all__ = [
    "LIVE_STATES",
    "TAKES_DAYS",
    "Account",
    "Base",
    "Booking",
    "BookingStatus",
    "BuildSlice",
    "BuildState",
    "CancellationPolicy",
    "DeadLetter",
    "IdempotencyKey",
    "IndexAudit",
    "IndexBuild",
    "IndexLag",
    "LedgerEntry",
    "Payment",
    "PaymentEvent",
    "PaymentStatus",
    "PaymentTarget",
    "Photo",
    "PopularSearch",
    "PriceMedian",
    "Refund",
    "Review",
    "Role",
    "SandboxIntent",
    "SandboxRefund",
    "SearchDirty",
    "Vehicle",
    "VehicleFeature",
    "VehicleSearchDocument",
    "VehicleSearchRow",
    "VehicleSearchText",
    "VehicleSearchValue",
    "VehicleStatus",
]

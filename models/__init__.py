"""Tables and sessions (SQLAlchemy 2, typed), one file per aggregate. No I/O beyond SQL."""

from models.accounts import (
    ACCOUNT_TIERS,
    Account,
    ExternalIdentity,
    RecoveryCode,
    Role,
    SecondFactor,
    Tier,
)
from models.base import Base
from models.blocks import CalendarBlock
from models.bookings import TAKES_DAYS, Booking, BookingStatus
from models.chats import LONGEST_MESSAGE, Chat, Message
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
from models.mails import Mail, MailKind, PasswordReset, Registration
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
from models.reviews import Review, ReviewReport
from models.search import (
    VehicleSearchDocument,
    VehicleSearchRow,
    VehicleSearchText,
    VehicleSearchValue,
)
from models.sign_ins import ProviderFlow, RefreshToken, TokenFamily
from models.vehicles import (
    BOUNDS,
    CancellationPolicy,
    Photo,
    PhotoUpload,
    UploadState,
    Vehicle,
    VehicleFeature,
    VehicleStatus,
)

__all__ = [
    "ACCOUNT_TIERS",
    "BOUNDS",
    "LIVE_STATES",
    "LONGEST_MESSAGE",
    "TAKES_DAYS",
    "Account",
    "Base",
    "Booking",
    "BookingStatus",
    "BuildSlice",
    "BuildState",
    "CalendarBlock",
    "CancellationPolicy",
    "Chat",
    "DeadLetter",
    "ExternalIdentity",
    "IdempotencyKey",
    "IndexAudit",
    "IndexBuild",
    "IndexLag",
    "LedgerEntry",
    "Mail",
    "MailKind",
    "Message",
    "PasswordReset",
    "Payment",
    "PaymentEvent",
    "PaymentStatus",
    "PaymentTarget",
    "Photo",
    "PhotoUpload",
    "PopularSearch",
    "PriceMedian",
    "ProviderFlow",
    "RecoveryCode",
    "RefreshToken",
    "Refund",
    "Registration",
    "Review",
    "ReviewReport",
    "Role",
    "SandboxIntent",
    "SandboxRefund",
    "SearchDirty",
    "SecondFactor",
    "Tier",
    "TokenFamily",
    "UploadState",
    "Vehicle",
    "VehicleFeature",
    "VehicleSearchDocument",
    "VehicleSearchRow",
    "VehicleSearchText",
    "VehicleSearchValue",
    "VehicleStatus",
]

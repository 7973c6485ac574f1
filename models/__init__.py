"""Tables and sessions (SQLAlchemy 2, typed), one file per aggregate. No I/O beyond SQL."""

from models.accounts import Account, Role
from models.base import Base
from models.blocks import CalendarBlock
from models.bookings import TAKES_DAYS, Booking, BookingStatus
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
from models.popular import PopularSearch
from models.reviews import Review
from models.search import (
    VehicleSearchDocument,
    VehicleSearchRow,
    VehicleSearchText,
    VehicleSearchValue,
)
from models.vehicles import (
    BOUNDS,
    Photo,
    PhotoUpload,
    UploadState,
    Vehicle,
    VehicleFeature,
    VehicleStatus,
)

__all__ = [
    "BOUNDS",
    "LIVE_STATES",
    "TAKES_DAYS",
    "Account",
    "Base",
    "Booking",
    "BookingStatus",
    "BuildSlice",
    "BuildState",
    "CalendarBlock",
    "DeadLetter",
    "IndexAudit",
    "IndexBuild",
    "IndexLag",
    "Photo",
    "PhotoUpload",
    "PopularSearch",
    "PriceMedian",
    "Review",
    "Role",
    "SearchDirty",
    "UploadState",
    "Vehicle",
    "VehicleFeature",
    "VehicleSearchDocument",
    "VehicleSearchRow",
    "VehicleSearchText",
    "VehicleSearchValue",
    "VehicleStatus",
]

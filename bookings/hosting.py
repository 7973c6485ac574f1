"""What hosts do with their vehicles: create, edit, list, unlist, archive.

Every function works in the caller's transaction and commits nothing. Whoever is neither the host
nor an admin is told that there is no such vehicle, also of those that everybody can see: what
cannot be changed needs no second answer.
"""

import hashlib
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.tokens import Principal
from bookings.errors import (
    UnknownRenterError,
    VehicleArchivedError,
    VehicleHasBookingsError,
    VehicleNotFoundError,
)
from bookings.rules import local_today
from models import (
    TAKES_DAYS,
    Account,
    Booking,
    CancellationPolicy,
    Photo,
    Role,
    Vehicle,
    VehicleFeature,
    VehicleStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a host says of a vehicle, in the columns and units of `vehicles`, and its features.

    What is not here is not the host's to set: whose it is, its status, what a source counted.
    """

    make: str
    daily_rate_cents: int
    currency: str
    time_zone: str
    model: str | None = None
    year: int | None = None
    title: str | None = None
    description: str = ""
    body: str | None = None
    fuel: str | None = None
    transmission: str | None = None
    seats: int | None = None
    doors: int | None = None
    mileage_km: int | None = None
    weekly_discount_pct: int = 0
    monthly_discount_pct: int = 0
    cleaning_fee_cents: int = 0
    min_days: int = 1
    max_days: int = 365
    notice_days: int = 0
    instant_book: bool = True
    cancellation_policy: str = CancellationPolicy.MODERATE
    lat: Decimal | None = None
    lon: Decimal | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    features: frozenset[str] = frozenset()

    def columns(self) -> dict[str, Any]:
        """The values of the vehicle's row."""
        return {name: getattr(self, name) for name in _COLUMNS}


_COLUMNS = [each.name for each in fields(Terms) if each.name != "features"]


@dataclass(frozen=True, slots=True)
class Owned:
    """A vehicle of whoever asked, as it is now, with its features."""

    vehicle: Vehicle
    features: frozenset[str]

    @property
    def terms(self) -> Terms:
        """What the host said of it."""
        said = {name: getattr(self.vehicle, name) for name in _COLUMNS}
        return Terms(**said, features=self.features)

    @property
    def version(self) -> str:
        """The same for as long as nobody changed what can be edited, by whatever way.

        A hash instead of a counter: an import that rewrites the row need not know about it.
        """
        said = asdict(self.terms) | {
            "features": sorted(self.features),
            "status": self.vehicle.status,
            "host": self.vehicle.host_id,
        }
        return hashlib.sha256(orjson.dumps(said, default=_exactly)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class OwnVehicle:
    """A line of a host's list; `cover` as `photos.url` has it."""

    vehicle: Vehicle
    cover: str | None


async def create(session: AsyncSession, *, principal: Principal, terms: Terms) -> Owned:
    """A listed vehicle of the principal's, who is a host from now on.

    Raises:
        UnknownRenterError: the account does not exist.
    """
    await _become_host(session, principal.account_id)
    values = terms.columns() | {"host_id": principal.account_id}
    vehicle = (await session.scalars(insert(Vehicle).values(values).returning(Vehicle))).one()
    await _store_features(session, vehicle.id, terms.features)
    return Owned(vehicle, terms.features)


async def owned(
    session: AsyncSession, *, vehicle_id: int, principal: Principal, lock: bool = False
) -> Owned:
    """A vehicle of the principal's, an admin's are all; `lock` keeps other changes out.

    Raises:
        VehicleNotFoundError: there is none, or it is somebody else's.
    """
    statement = select(Vehicle).where(Vehicle.id == vehicle_id)
    if not principal.is_admin:
        statement = statement.where(Vehicle.host_id == principal.account_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    vehicle = await session.scalar(statement, execution_options={"populate_existing": True})
    if vehicle is None:
        raise VehicleNotFoundError(vehicle_id)
    features = await session.scalars(
        select(VehicleFeature.feature).where(VehicleFeature.vehicle_id == vehicle_id)
    )
    return Owned(vehicle, frozenset(features))


async def changeable(session: AsyncSession, *, vehicle_id: int, principal: Principal) -> Owned:
    """A vehicle of the principal's that is not archived, locked until the commit.

    Raises:
        VehicleNotFoundError: there is none, or it is somebody else's.
        VehicleArchivedError: it is archived.
    """
    found = await owned(session, vehicle_id=vehicle_id, principal=principal, lock=True)
    if found.vehicle.status == VehicleStatus.ARCHIVED:
        raise VehicleArchivedError(vehicle_id)
    return found


async def edit(session: AsyncSession, before: Owned, terms: Terms) -> Owned:
    """The vehicle with other terms; `before` is what `changeable` gave in this transaction.

    What stays as it is is not written: nothing is indexed again for it. Bookings keep their price.
    """
    vehicle = before.vehicle
    if terms.columns() != before.terms.columns():
        vehicle = await _written(session, vehicle.id, terms.columns())
    if terms.features != before.features:
        await _store_features(session, vehicle.id, terms.features)
    return Owned(vehicle, terms.features)


async def set_status(
    session: AsyncSession,
    *,
    vehicle_id: int,
    principal: Principal,
    status: VehicleStatus,
    now: datetime,
) -> Owned:
    """List, unlist or archive; to the status that it has is no change and the same answer.

    An unlisted vehicle keeps its bookings and takes no new ones. An archived one stays archived.

    Raises:
        VehicleNotFoundError: there is none, or it is somebody else's.
        VehicleArchivedError: it is archived and would be listed or unlisted.
        VehicleHasBookingsError: it would be archived while bookings of it have not ended.
    """
    found = await owned(session, vehicle_id=vehicle_id, principal=principal, lock=True)
    if found.vehicle.status == status:
        return found
    if found.vehicle.status == VehicleStatus.ARCHIVED:
        raise VehicleArchivedError(vehicle_id)
    if status == VehicleStatus.ARCHIVED and await _is_rented(session, found.vehicle, now):
        raise VehicleHasBookingsError(vehicle_id)
    vehicle = await _written(session, vehicle_id, {"status": status})
    return Owned(vehicle, found.features)


async def list_own(
    session: AsyncSession, *, account_id: int, before: int | None, limit: int
) -> tuple[list[OwnVehicle], bool]:
    """A page of the account's vehicles of every status, newest first, and whether there are more.

    `before` is the id of the last one of the page before; None for the first page.
    """
    cover = (
        select(Photo.url)
        .where(Photo.vehicle_id == Vehicle.id)
        .order_by(Photo.position)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(Vehicle, cover)
        .where(Vehicle.host_id == account_id)
        .order_by(Vehicle.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(Vehicle.id < before)
    found = [OwnVehicle(*row) for row in await session.execute(statement)]
    return found[:limit], len(found) > limit


async def _become_host(session: AsyncSession, account_id: int) -> None:
    """Make a renter a host; a token that was signed before says renter until the next one."""
    role = await session.scalar(
        select(Account.role).where(Account.id == account_id).with_for_update(key_share=True)
    )
    if role is None:
        raise UnknownRenterError
    if role == Role.RENTER:
        await session.execute(
            update(Account).where(Account.id == account_id).values(role=Role.HOST)
        )


async def _written(session: AsyncSession, vehicle_id: int, values: dict[str, Any]) -> Vehicle:
    return (
        await session.scalars(
            update(Vehicle)
            .where(Vehicle.id == vehicle_id)
            .values(values)
            .returning(Vehicle)
            .execution_options(populate_existing=True)
        )
    ).one()


async def _store_features(session: AsyncSession, vehicle_id: int, features: frozenset[str]) -> None:
    mine = VehicleFeature.vehicle_id == vehicle_id
    await session.execute(
        delete(VehicleFeature).where(mine, VehicleFeature.feature.not_in(features))
    )
    if features:
        rows = [{"vehicle_id": vehicle_id, "feature": each} for each in sorted(features)]
        await session.execute(insert(VehicleFeature).values(rows).on_conflict_do_nothing())


async def _is_rented(session: AsyncSession, vehicle: Vehicle, now: datetime) -> bool:
    """Whether a booking ends after today where the vehicle stands."""
    statement = select(
        exists().where(
            Booking.vehicle_id == vehicle.id,
            Booking.status.in_(TAKES_DAYS),
            func.upper(Booking.during) > local_today(vehicle, now),
        )
    )
    return bool(await session.scalar(statement))


def _exactly(value: object) -> str:
    """A position as PostgreSQL holds it, however it was written."""
    assert isinstance(value, Decimal)
    return f"{value:.6f}"

"""The vehicle as a renter sees it before booking: everything public."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.tokens import Principal
from bookings.errors import VehicleNotFoundError
from models import Account, Photo, Review, Vehicle, VehicleFeature, VehicleStatus


@dataclass(frozen=True, slots=True)
class VehicleDetail:
    """A vehicle with what hangs on it.

    `photos` are as they are stored. `rating` is hundredths, None without reviews; it and
    `review_count` count the reviews that a source had of its own and those written here.
    """

    vehicle: Vehicle
    host_name: str
    features: list[str]
    photos: list[str]
    rating: int | None
    review_count: int


async def visible(session: AsyncSession, *, vehicle_id: int, viewer: Principal | None) -> Vehicle:
    """The row of a vehicle that `detail` would show to the viewer.

    Raises:
        VehicleNotFoundError: there is none that the viewer may see.
    """
    vehicle = await session.get(Vehicle, vehicle_id)
    if vehicle is None or not _may_see(viewer, vehicle):
        raise VehicleNotFoundError(vehicle_id)
    return vehicle


async def detail(
    session: AsyncSession, *, vehicle_id: int, viewer: Principal | None
) -> VehicleDetail:
    """A listed vehicle; an unlisted or archived one for its host and for admins only.

    Raises:
        VehicleNotFoundError: there is none that the viewer may see.
    """
    statement = (
        select(Vehicle, Account.display_name)
        .join(Account, Account.id == Vehicle.host_id)
        .where(Vehicle.id == vehicle_id)
    )
    found = (await session.execute(statement)).one_or_none()
    if found is None or not _may_see(viewer, found[0]):
        raise VehicleNotFoundError(vehicle_id)
    vehicle, host_name = found
    features = await session.scalars(
        select(VehicleFeature.feature)
        .where(VehicleFeature.vehicle_id == vehicle_id)
        .order_by(VehicleFeature.feature.collate("C"))
    )
    photos = await session.scalars(
        select(Photo.url).where(Photo.vehicle_id == vehicle_id).order_by(Photo.position)
    )
    count, total = (
        await session.execute(
            select(func.count(), func.coalesce(func.sum(Review.rating), 0)).where(
                Review.vehicle_id == vehicle_id, Review.hidden_at.is_(None)
            )
        )
    ).one()
    return VehicleDetail(
        vehicle=vehicle,
        host_name=host_name,
        features=list(features),
        photos=list(photos),
        rating=_rating(vehicle, count, total),
        review_count=count + vehicle.imported_review_count,
    )


def _may_see(viewer: Principal | None, vehicle: Vehicle) -> bool:
    if vehicle.status == VehicleStatus.LISTED:
        return True
    return viewer is not None and (viewer.is_admin or viewer.account_id == vehicle.host_id)


def _rating(vehicle: Vehicle, count: int, total: int) -> int | None:
    """As the view `vehicle_documents` weighs it; a test holds the two to each other."""
    weight = 0 if vehicle.imported_rating is None else max(vehicle.imported_review_count, 1)
    weighed = count + weight
    if not weighed:
        return None
    return ((vehicle.imported_rating or 0) * weight + total + weighed // 2) // weighed

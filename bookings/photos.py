"""Photos as hosts handle them: asked for, reported as uploaded, shown, put in order, removed.

Nothing here touches a stored object: what is to be done with those stands in `photo_uploads`, and
the worker does it (bookings/photo_work.py). Works in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.tokens import Principal
from bookings.errors import PhotoNotFoundError, PhotoOrderError, TooManyError
from bookings.hosting import changeable
from bookings.vehicles import visible
from models import Photo, PhotoUpload, UploadState

MOST_PHOTOS = 20
# Whose turn it is, in the words of the contract. What is published or removed is no host's concern.
_STATUS = {UploadState.PENDING: "pending", UploadState.UPLOADED: "processing"} | {
    UploadState.REFUSED: "refused"
}


class PhotoStatus(StrEnum):
    """pending: upload it; processing: wait; ready: everybody sees it; refused: see why."""

    PENDING = "pending"
    PROCESSING = "processing"
    READY = "ready"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A photo, wherever it is on its way; `url` and the variants' keys as they are stored."""

    id: int
    status: PhotoStatus
    url: str | None = None
    variants: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None

    @classmethod
    def ready(cls, photo: Photo) -> "PhotoView":
        """One that everybody sees."""
        return cls(photo.id, PhotoStatus.READY, photo.url, photo.variants)

    @classmethod
    def on_its_way(cls, upload: PhotoUpload) -> "PhotoView":
        """One that only its host sees."""
        status = PhotoStatus(_STATUS[UploadState(upload.state)])
        return cls(upload.id, status, reason=upload.reason)


def raw_key(photo_id: int) -> str:
    """Where a client uploads to: a prefix that nobody reads but the worker."""
    return f"uploads/{photo_id}"


def folder(photo_id: int) -> str:
    """The prefix of all that is stored of one photo, and of nothing else."""
    return f"photos/{photo_id}/"


async def ask(
    session: AsyncSession, *, vehicle_id: int, principal: Principal, content_type: str, size: int
) -> PhotoUpload:
    """A place for one more photo of a vehicle; what is uploaded to it becomes the last one.

    Raises:
        VehicleNotFoundError: there is no such vehicle, or it is somebody else's.
        VehicleArchivedError: it is archived.
        TooManyError: with those on their way there are 20.
    """
    await changeable(session, vehicle_id=vehicle_id, principal=principal)
    count = select(func.count())
    there = await session.scalar(count.where(Photo.vehicle_id == vehicle_id))
    coming = await session.scalar(
        count.where(
            PhotoUpload.vehicle_id == vehicle_id,
            PhotoUpload.state.in_((UploadState.PENDING, UploadState.UPLOADED)),
        )
    )
    if (there or 0) + (coming or 0) >= MOST_PHOTOS:
        raise TooManyError(vehicle_id, MOST_PHOTOS, "photos")
    statement = insert(PhotoUpload).values(
        id=func.nextval("photos_id_seq"),
        vehicle_id=vehicle_id,
        content_type=content_type,
        bytes=size,
    )
    return (await session.scalars(statement.returning(PhotoUpload))).one()


async def uploaded(
    session: AsyncSession, *, vehicle_id: int, photo_id: int, principal: Principal
) -> PhotoView:
    """Have an upload looked at; saying so again changes nothing and tells how far it is.

    Raises:
        VehicleNotFoundError: there is no such vehicle, or it is somebody else's.
        VehicleArchivedError: it is archived.
        PhotoNotFoundError: the vehicle has no such photo.
    """
    await changeable(session, vehicle_id=vehicle_id, principal=principal)
    await session.execute(
        update(PhotoUpload)
        .where(
            PhotoUpload.id == photo_id,
            PhotoUpload.vehicle_id == vehicle_id,
            PhotoUpload.state == UploadState.PENDING,
        )
        .values(state=UploadState.UPLOADED, changed_at=func.now())
    )
    for each in await _all(session, vehicle_id):
        if each.id == photo_id:
            return each
    raise PhotoNotFoundError(photo_id)


async def gallery(
    session: AsyncSession, *, vehicle_id: int, viewer: Principal | None
) -> list[PhotoView]:
    """The photos in order; its host and admins also see those on their way, and the refused ones.

    Raises:
        VehicleNotFoundError: there is none that the viewer may see.
    """
    vehicle = await visible(session, vehicle_id=vehicle_id, viewer=viewer)
    theirs = viewer is not None and (viewer.is_admin or viewer.account_id == vehicle.host_id)
    return await (_all if theirs else _ready)(session, vehicle_id)


async def reorder(
    session: AsyncSession, *, vehicle_id: int, principal: Principal, ids: Sequence[int]
) -> list[PhotoView]:
    """Put the photos that are ready into the order of `ids`; the first becomes the cover.

    Raises:
        VehicleNotFoundError: there is no such vehicle, or it is somebody else's.
        VehicleArchivedError: it is archived.
        PhotoOrderError: `ids` does not name each of them once.
    """
    await changeable(session, vehicle_id=vehicle_id, principal=principal)
    there = await session.scalars(select(Photo.id).where(Photo.vehicle_id == vehicle_id))
    if sorted(ids) != sorted(there):
        raise PhotoOrderError(vehicle_id)
    await session.execute(
        text(
            "UPDATE photos SET position = wanted.n - 1"
            " FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted(id, n)"
            " WHERE photos.id = wanted.id AND position <> wanted.n - 1"
        ),
        {"ids": list(ids)},
    )
    return await _all(session, vehicle_id)


async def remove(
    session: AsyncSession, *, vehicle_id: int, photo_id: int, principal: Principal
) -> None:
    """Take a photo away, wherever it is; its objects follow when the worker comes to them.

    Raises:
        VehicleNotFoundError: there is no such vehicle, or it is somebody else's.
        VehicleArchivedError: it is archived.
        PhotoNotFoundError: the vehicle has no such photo.
    """
    await changeable(session, vehicle_id=vehicle_id, principal=principal)
    this = (Photo.id == photo_id, Photo.vehicle_id == vehicle_id)
    gone = await session.scalar(delete(Photo).where(*this).returning(Photo))
    on_its_way = await session.scalar(
        update(PhotoUpload)
        .where(
            PhotoUpload.id == photo_id,
            PhotoUpload.vehicle_id == vehicle_id,
            PhotoUpload.state != UploadState.REMOVED,
        )
        # The lease stays: whoever works on it is done before its objects are removed.
        .values(state=UploadState.REMOVED, reason=None, changed_at=func.now())
        .returning(PhotoUpload.id)
    )
    if gone is None and on_its_way is None:
        raise PhotoNotFoundError(photo_id)
    if gone is not None and gone.variants and on_its_way is None:
        session.add(
            PhotoUpload(
                id=photo_id,
                vehicle_id=vehicle_id,
                state=UploadState.REMOVED,
                content_type="",
                bytes=1,
            )
        )
        await session.flush()


async def _ready(session: AsyncSession, vehicle_id: int) -> list[PhotoView]:
    found = await session.scalars(
        select(Photo).where(Photo.vehicle_id == vehicle_id).order_by(Photo.position),
        execution_options={"populate_existing": True},
    )
    return [PhotoView.ready(photo) for photo in found]


async def _all(session: AsyncSession, vehicle_id: int) -> list[PhotoView]:
    uploads = await session.scalars(
        select(PhotoUpload)
        .where(PhotoUpload.vehicle_id == vehicle_id, PhotoUpload.state.in_(_STATUS))
        .order_by(PhotoUpload.id),
        execution_options={"populate_existing": True},
    )
    coming = [PhotoView.on_its_way(each) for each in uploads]
    return await _ready(session, vehicle_id) + coming

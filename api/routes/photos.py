"""Photos of a vehicle: asked for here, uploaded to the object store, looked at by the worker."""
# ruff: noqa: FAST003 - `id` and `photoId` are aliases

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from api import write_tokens
from api.dependencies import (
    AppSettings,
    CurrentPrincipal,
    Now,
    OptionalPrincipal,
    Session,
    known_parameters,
)
from api.errors import problem_responses
from api.routes.hosting import ARCHIVED, BODY, MINE
from api.routes.vehicles import NOT_FOUND, VehicleId
from api.schemas.common import Id
from api.schemas.photos import (
    PhotoIn,
    PhotoList,
    PhotoOrder,
    PhotoOut,
    PhotoUploadOut,
    UploadOut,
)
from bookings import photos
from bookings.photos import PhotoStatus

NO_PHOTO = problem_responses(
    {404: "You have no such vehicle (`vehicle-not-found`), or it no such photo (`photo-not-found`)"}
)

router = APIRouter(
    prefix="/v1/vehicles",
    tags=["hosting"],
    dependencies=[Depends(known_parameters)],
    responses=problem_responses({401: "There is no valid bearer token"}),
)

PhotoId = Annotated[Id, Path(alias="photoId", description="the photo", examples=[12])]


@router.get(
    "/{id}/photos",
    tags=["vehicles"],
    summary="Photos, the cover first",
    responses=NOT_FOUND | problem_responses({401: "A bearer token was sent and is not valid"}),
    openapi_extra={"security": [{}]},  # added to the bearer token: it may be left out
)
async def list_photos(
    vehicle_id: VehicleId, viewer: OptionalPrincipal, session: Session, settings: AppSettings
) -> PhotoList:
    """The host also sees those that are not ready yet, and why one was refused."""
    found = await photos.gallery(session, vehicle_id=vehicle_id, viewer=viewer)
    return PhotoList.of(found, settings.media_address)


@router.post(
    "/{id}/photos",
    status_code=201,
    summary="Add a photo",
    response_description="Where and how to upload it",
    responses=BODY
    | MINE
    | {201: write_tokens.ANSWER}
    | problem_responses(
        {409: "There are 20 (`too-many`), or the vehicle is archived (`vehicle-archived`)"}
    ),
)
async def create_photo(
    vehicle_id: VehicleId,
    body: PhotoIn,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    now: Now,
    request: Request,
    response: Response,
) -> PhotoUploadOut:
    """Upload the file as `upload` says, then tell `…/photos/{photoId}/uploaded`."""
    photo = await photos.ask(
        session,
        vehicle_id=vehicle_id,
        principal=principal,
        content_type=body.content_type,
        size=body.bytes,
    )
    upload = request.app.state.store.sign_upload(
        photos.raw_key(photo.id), body.content_type, body.bytes
    )
    await write_tokens.stamp(response, session, settings)
    return PhotoUploadOut(id=photo.id, status=PhotoStatus.PENDING, upload=UploadOut.of(upload, now))


@router.post(
    "/{id}/photos/{photoId}/uploaded",
    summary="Say that a photo was uploaded",
    responses=NO_PHOTO | ARCHIVED | {200: write_tokens.ANSWER},
)
async def photo_uploaded(
    vehicle_id: VehicleId,
    photo_id: PhotoId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> PhotoOut:
    """It is looked at within seconds, then ready or refused: ask `…/photos` again."""
    photo = await photos.uploaded(
        session, vehicle_id=vehicle_id, photo_id=photo_id, principal=principal
    )
    await write_tokens.stamp(response, session, settings)
    return PhotoOut.of(photo, settings.media_address)


@router.put(
    "/{id}/photos/order",
    summary="Put photos in order",
    responses=BODY
    | MINE
    | {200: write_tokens.ANSWER}
    | problem_responses(
        {
            409: "`ids` does not name each ready photo once (`photos-changed`), or the vehicle is "
            "archived (`vehicle-archived`)"
        }
    ),
)
async def order_photos(
    vehicle_id: VehicleId,
    body: PhotoOrder,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> PhotoList:
    """The first becomes the cover, which searches show."""
    found = await photos.reorder(session, vehicle_id=vehicle_id, principal=principal, ids=body.ids)
    await write_tokens.stamp(response, session, settings)
    return PhotoList.of(found, settings.media_address)


@router.delete(
    "/{id}/photos/{photoId}",
    status_code=204,
    summary="Remove a photo",
    response_description="Nobody sees it any more; its files go within a minute or two",
    responses=NO_PHOTO | ARCHIVED | {204: write_tokens.ANSWER},
)
async def delete_photo(
    vehicle_id: VehicleId,
    photo_id: PhotoId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> None:
    """Whatever its status is."""
    await photos.remove(session, vehicle_id=vehicle_id, photo_id=photo_id, principal=principal)
    await write_tokens.stamp(response, session, settings)

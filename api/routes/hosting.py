"""Vehicles of whoever is signed in: create, edit, list, unlist, archive, keep days."""
# ruff: noqa: FAST003 - `id` and `blockId` are aliases

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api import cursors, preconditions, write_tokens
from api.dependencies import AppSettings, CurrentPrincipal, Now, Session, known_parameters
from api.errors import problem_responses
from api.merge_patch import merged
from api.preconditions import ETAG, IfMatch
from api.routes.vehicles import BAD_CURSOR, Cursor, Limit, VehicleId
from api.schemas.common import Id
from api.schemas.hosting import (
    BlockIn,
    BlockList,
    BlockOut,
    OwnVehicleOut,
    OwnVehiclePage,
    VehicleIn,
    VehiclePatch,
    said,
)
from api.schemas.vehicles import VehicleOut
from bookings import blocks, hosting
from bookings import vehicles as showroom
from bookings.hosting import Owned
from models import VehicleStatus

BODY = problem_responses({400: "The body is not UTF-8", 413: "The body is larger than 64 KiB"})
MINE = problem_responses({404: "You have no such vehicle (`vehicle-not-found`)"})
ARCHIVED = problem_responses({409: "It is archived and stays as it is (`vehicle-archived`)"})
WRITTEN: dict[int | str, dict[str, Any]] = {
    200: {"headers": write_tokens.ANSWER["headers"] | ETAG["headers"]}
}

router = APIRouter(
    prefix="/v1/vehicles",
    tags=["hosting"],
    dependencies=[Depends(known_parameters)],
    responses=problem_responses({401: "There is no valid bearer token"}),
)

BlockId = Annotated[Id, Path(alias="blockId", description="the block", examples=[5])]


@router.post(
    "",
    status_code=201,
    summary="Offer a vehicle",
    response_description="Listed; `Location` is the vehicle",
    responses=BODY | {201: WRITTEN[200]},
)
async def create_vehicle(
    body: VehicleIn,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> VehicleOut:
    """Listed at once: found within a second or so. The first one makes a renter a host."""
    created = await hosting.create(session, principal=principal, terms=body.terms())
    response.headers["Location"] = f"/v1/vehicles/{created.vehicle.id}"
    return await _answer(created, principal, session, settings, response)


@router.get("", summary="My vehicles, newest first", responses=BAD_CURSOR)
async def list_own_vehicles(
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> OwnVehiclePage:
    """All of them, whatever their status."""
    of = f"vehicles of {principal.account_id}"
    before = None if cursor is None else cursors.decode(settings, of, cursor)["id"]
    found, has_more = await hosting.list_own(
        session, account_id=principal.account_id, before=before, limit=limit
    )
    last = {"id": found[-1].vehicle.id} if has_more else {}
    return OwnVehiclePage(
        items=[OwnVehicleOut.of(each, settings.media_address) for each in found],
        has_more=has_more,
        next_cursor=cursors.encode(settings, of, last) if has_more else None,
    )


@router.patch(
    "/{id}",
    summary="Change a vehicle",
    responses=BODY
    | MINE
    | ARCHIVED
    | WRITTEN
    | problem_responses(
        {
            412: "Somebody changed it since you read it (`changed-meanwhile`)",
            428: "There is no `If-Match` (`precondition-required`)",
        }
    ),
)
async def edit_vehicle(
    vehicle_id: VehicleId,
    body: VehiclePatch,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
    if_match: IfMatch = None,
) -> VehicleOut:
    """A JSON merge patch (RFC 7396): what is left out stays, null takes a value away.

    What is booked keeps its price and its days.
    """
    before = await hosting.changeable(session, vehicle_id=vehicle_id, principal=principal)
    preconditions.require(if_match, before.version)
    patch = body.model_dump(exclude_unset=True, by_alias=True)
    after = await hosting.edit(session, before, _patched(before, patch).terms())
    return await _answer(after, principal, session, settings, response)


@router.post("/{id}/list", summary="List a vehicle", responses=MINE | ARCHIVED | WRITTEN)
async def list_vehicle(
    vehicle_id: VehicleId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    now: Now,
    response: Response,
) -> VehicleOut:
    """It can be found and booked again."""
    changed = await hosting.set_status(
        session, vehicle_id=vehicle_id, principal=principal, status=VehicleStatus.LISTED, now=now
    )
    return await _answer(changed, principal, session, settings, response)


@router.post("/{id}/unlist", summary="Unlist a vehicle", responses=MINE | ARCHIVED | WRITTEN)
async def unlist_vehicle(
    vehicle_id: VehicleId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    now: Now,
    response: Response,
) -> VehicleOut:
    """Nobody finds it or books it any more; what is booked stays booked."""
    changed = await hosting.set_status(
        session, vehicle_id=vehicle_id, principal=principal, status=VehicleStatus.UNLISTED, now=now
    )
    return await _answer(changed, principal, session, settings, response)


@router.post(
    "/{id}/archive",
    summary="Archive a vehicle",
    responses=MINE
    | WRITTEN
    | problem_responses({409: "Bookings of it have not ended (`vehicle-has-bookings`)"}),
)
async def archive_vehicle(
    vehicle_id: VehicleId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    now: Now,
    response: Response,
) -> VehicleOut:
    """For good. It is kept for the bookings that were made of it."""
    changed = await hosting.set_status(
        session, vehicle_id=vehicle_id, principal=principal, status=VehicleStatus.ARCHIVED, now=now
    )
    return await _answer(changed, principal, session, settings, response)


@router.get("/{id}/blocks", summary="Days that I keep", responses=MINE)
async def list_blocks(
    vehicle_id: VehicleId, principal: CurrentPrincipal, session: Session, now: Now
) -> BlockList:
    """Those that have not ended. What everybody sees of them is in the availability."""
    found = await blocks.blocks(session, vehicle_id=vehicle_id, principal=principal, now=now)
    return BlockList(items=[BlockOut.of(each) for each in found])


@router.post(
    "/{id}/blocks",
    status_code=201,
    summary="Keep days",
    responses=BODY
    | MINE
    | {201: write_tokens.ANSWER}
    | problem_responses(
        {
            409: "Days are booked or blocked (`days-not-free`), there are 100 blocks "
            "(`too-many`), or the vehicle is archived (`vehicle-archived`)"
        }
    ),
)
async def create_block(
    vehicle_id: VehicleId,
    body: BlockIn,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    now: Now,
    response: Response,
) -> BlockOut:
    """Nobody can book them; renters see them as taken, like booked ones."""
    block = await blocks.block(
        session,
        vehicle_id=vehicle_id,
        principal=principal,
        start=body.start,
        end=body.end,
        note=body.note,
        now=now,
    )
    await write_tokens.stamp(response, session, settings)
    return BlockOut.of(block)


@router.delete(
    "/{id}/blocks/{blockId}",
    status_code=204,
    summary="Give days back",
    response_description="They can be booked again",
    responses=ARCHIVED
    | {204: write_tokens.ANSWER}
    | problem_responses({404: "You have no such vehicle, or it no such block (`block-not-found`)"}),
)
async def delete_block(
    vehicle_id: VehicleId,
    block_id: BlockId,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> None:
    """All days of one block."""
    await blocks.unblock(session, vehicle_id=vehicle_id, block_id=block_id, principal=principal)
    await write_tokens.stamp(response, session, settings)


def _patched(before: Owned, patch: dict[str, Any]) -> VehicleIn:
    """What the host would have sent to create the vehicle as it shall be now.

    Raises:
        RequestValidationError: nobody could have; answered as 422 with pointers into the patch.
    """
    try:
        return VehicleIn.model_validate(merged(said(before.terms), patch))
    except ValidationError as error:
        wrong = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(wrong) from error


async def _answer(
    owned: Owned,
    principal: CurrentPrincipal,
    session: Session,
    settings: AppSettings,
    response: Response,
) -> VehicleOut:
    preconditions.tag(response, owned.version)
    await write_tokens.stamp(response, session, settings)
    shown = await showroom.detail(session, vehicle_id=owned.vehicle.id, viewer=principal)
    return VehicleOut.of(shown, settings.media_address)

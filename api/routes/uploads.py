"""What an object store does, where a folder stands in for one: takes uploads, serves photos.

Not part of the contract: clients send what an upload's address and headers say, wherever it leads.
"""

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.errors import Problem
from bookings.photo_work import IMMUTABLE
from runtime.object_store import FolderStore, NotGrantedError
from runtime.settings import Settings

router = APIRouter(include_in_schema=False)


class ForEver(StaticFiles):
    """Files whose names change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be kept."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = IMMUTABLE
        # Another site's page may show it, as from a CDN.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


def install(app: FastAPI, settings: Settings) -> None:
    """Serve the folder, where there is no bucket; `uploads/` in it is nobody's to read."""
    if not settings.media_bucket:
        app.include_router(router)
        folder = settings.media_dir / "photos"
        app.mount("/media/photos", ForEver(directory=folder, check_dir=False))


@router.put("/v1/uploads/{token}", status_code=200)
async def upload(token: str, request: Request) -> Response:
    """Store the body, if it is what the address was signed for."""
    store: FolderStore = request.app.state.store
    try:
        grant = store.granted(token)
    except NotGrantedError as error:
        raise Problem(
            403,
            "upload-not-granted",
            "This is no address to upload to",
            "Ask for a new one with POST …/photos: each is good for 15 minutes.",
        ) from error
    if request.headers.get("content-type") != grant.content_type:
        raise _other(f"Send it with Content-Type: {grant.content_type}, as it was asked for.")
    if request.headers.get("content-length") != str(grant.size):
        raise _other(f"The file was said to have {grant.size} bytes: ask again for another one.")
    content = await request.body()
    await run_in_threadpool(store.write, grant.key, content, grant.content_type, "")
    return Response()


def _other(detail: str) -> Problem:
    return Problem(400, "another-upload", "This is not what the address was made for", detail)

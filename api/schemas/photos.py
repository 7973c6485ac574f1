"""Shapes of photos."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field

from api import media
from api.schemas.common import LARGEST_ID, Body, Shape
from bookings.photos import MOST_PHOTOS, PhotoStatus, PhotoView
from bookings.pictures import MOST_BYTES
from runtime.object_store import Upload


class PhotoIn(Body):
    """The file that is going to be uploaded."""

    content_type: Literal["image/jpeg", "image/png", "image/webp"] = Field(
        description="what it is; its content must agree", examples=["image/jpeg"]
    )
    bytes: Annotated[int, Field(strict=True, ge=1, le=MOST_BYTES)] = Field(
        description="its size, exactly: the upload of another is refused", examples=[2400000]
    )


class UploadOut(Shape):
    """The request to upload it with; the file is its body."""

    method: str = Field(description="of the request", examples=["PUT"])
    url: str = Field(
        description="where to send it, without your bearer token",
        examples=["https://media.s3.amazonaws.com/uploads/12?X-Amz-Signature=9d1a"],
    )
    headers: dict[str, str] = Field(
        description="to be sent as they are", examples=[{"Content-Type": "image/jpeg"}]
    )
    expires_at: datetime = Field(
        description="the address is no good after", examples=["2027-05-20T22:15:00Z"]
    )

    @classmethod
    def of(cls, upload: Upload, now: datetime) -> Self:
        """The shape of an upload that was signed now."""
        return cls(
            method=upload.method,
            url=upload.url,
            headers=upload.headers,
            expires_at=now + timedelta(seconds=upload.expires_s),
        )


class PhotoUploadOut(Shape):
    """A photo that is to be uploaded."""

    id: int = Field(description="the photo", examples=[12])
    status: PhotoStatus = Field(description="pending: upload it now", examples=["pending"])
    upload: UploadOut = Field(description="how")


class VariantOut(Shape):
    """One size of a photo; its content never changes."""

    width: int = Field(description="pixels", examples=[800])
    height: int = Field(description="pixels", examples=[600])
    url: str = Field(
        description="WebP, to be kept for ever",
        examples=["https://cdn.example.com/photos/12/4f1d.webp"],
    )


class PhotoOut(Shape):
    """A photo; only its host and admins see others than ready ones."""

    id: int = Field(description="the photo", examples=[12])
    status: PhotoStatus = Field(description="ready ones come first, in their order")
    url: str | None = Field(
        description="for lists, 800 pixels wide; null unless ready",
        examples=["https://cdn.example.com/photos/12/4f1d.webp"],
    )
    variants: list[VariantOut] = Field(
        description="narrowest first; empty of a picture that its source keeps"
    )
    reason: str | None = Field(
        description="why it was refused; null if it was not",
        examples=["The file is not image/jpeg."],
    )

    @classmethod
    def of(cls, photo: PhotoView, media_url: str) -> Self:
        """The shape of a photo that is read at `media_url`."""
        return cls(
            id=photo.id,
            status=photo.status,
            url=media.address(media_url, photo.url),
            variants=[
                VariantOut(
                    width=each["width"],
                    height=each["height"],
                    url=f"{media_url}/{each['key']}",
                )
                for each in photo.variants
            ],
            reason=photo.reason,
        )


class PhotoList(Shape):
    """All photos of a vehicle; there are at most 20."""

    items: list[PhotoOut] = Field(description="the photos, the cover first")

    @classmethod
    def of(cls, photos: list[PhotoView], media_url: str) -> Self:
        """The shape of photos that are read at `media_url`."""
        return cls(items=[PhotoOut.of(each, media_url) for each in photos])


class PhotoOrder(Body):
    """The photos that are ready, each once, in their new order."""

    ids: Annotated[
        list[Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]],
        Field(max_length=10 * MOST_PHOTOS),
    ] = Field(description="the first becomes the cover", examples=[[14, 12, 13]])

"""Uploaded bytes → pictures that can be shown: checked, without metadata, in three sizes.

Nothing that a client says is believed. The bytes decide what it is, its header how many pixels it
would take, before a single one is decoded.
"""

import hashlib
import struct
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms, ImageOps

MOST_BYTES = 15_000_000
SMALLEST_SIDE = 300  # pixels; below it is a thumbnail of something
LARGEST_SIDE = 16_000
MOST_PIXELS = 50_000_000  # more than a telephone's camera makes; 200 MB once decoded
WIDTHS = (320, 800, 1600)  # of a list on a telephone, of a card, of a page
CARD_WIDTH = 800
TALLEST = 2  # times as high as wide
QUALITY = 80
STORED_TYPE = "image/webp"

# Pillow's name of each format that may come, and how its files begin and, for WebP, go on.
_FORMATS = {
    "image/jpeg": ("JPEG", b"\xff\xd8\xff", b""),
    "image/png": ("PNG", b"\x89PNG\r\n\x1a\n", b""),
    "image/webp": ("WEBP", b"RIFF", b"WEBP"),
}
CONTENT_TYPES = tuple(_FORMATS)
# Pillow only warns of most bombs. Our bound is lower, and asked before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
# What Pillow raises for files that are not what they say.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    struct.error,
)


class RefusedPictureError(Exception):
    """The bytes are not a picture that can be shown; the message is for whoever uploaded them."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One size of a picture, in pixels; `content` is WebP."""

    width: int
    height: int
    content: bytes

    @property
    def name(self) -> str:
        """Another content has another name, so that a copy can be kept for ever."""
        return f"{hashlib.sha256(self.content).hexdigest()[:32]}.webp"


def variants(content: bytes, content_type: str) -> list[Variant]:
    """The picture in up to three widths, narrowest first; it is never made larger than it is.

    The same bytes give the same variants, so that doing it twice stores nothing twice.

    Raises:
        RefusedPictureError: it is of another type, broken, too small or too large.
    """
    name, start, then = _FORMATS[content_type]
    if not content.startswith(start) or content[8:12] != (then or content[8:12]):
        raise RefusedPictureError(f"The file is not {content_type}.")
    # What is broken may be the metadata alone, which goes anyway: Pillow warns of that.
    quiet = warnings.catch_warnings(action="ignore", category=UserWarning)
    try:
        with quiet, Image.open(BytesIO(content), formats=[name]) as image:
            _check_size(image)
            # JPEG alone can be decoded smaller: a fraction of the time and memory.
            image.draft("RGB", (2 * WIDTHS[-1], 2 * WIDTHS[-1]))
            picture = _upright_in_srgb(image)
            return [_resized(picture, width) for width in _widths(picture.width)]
    except _BROKEN as error:
        raise RefusedPictureError("The file is broken: it cannot be read to its end.") from error


def card(found: list[Variant]) -> Variant:
    """The one for lists: 800 wide, or the widest there is."""
    return next((each for each in found if each.width >= CARD_WIDTH), found[-1])


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if min(width, height) < SMALLEST_SIDE:
        raise RefusedPictureError(
            f"The picture is {width} × {height} pixels: each side needs at least {SMALLEST_SIDE}."  # noqa: RUF001
        )
    if max(width, height) > LARGEST_SIDE or width * height > MOST_PIXELS:
        raise RefusedPictureError(
            f"The picture is {width} × {height} pixels: at most {LARGEST_SIDE:,} a side and "  # noqa: RUF001
            f"{MOST_PIXELS // 1_000_000} million in all can be taken."
        )


def _upright_in_srgb(image: Image.Image) -> Image.Image:
    """Pixels as they are to be seen: turned, in the colours of the web, and nothing beside them."""
    profile = image.info.get("icc_profile")
    picture = ImageOps.exif_transpose(image)
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    if picture.mode != "CMYK":
        picture = picture.convert(mode)
    if profile:
        picture = _in_srgb(picture, profile, mode)
    picture = picture.convert(mode)
    # Position, camera and owner are in here, and formats write it out again unasked.
    picture.info.clear()
    return picture


def _in_srgb(picture: Image.Image, profile: bytes, mode: str) -> Image.Image:
    try:
        given = ImageCms.getOpenProfile(BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, given, srgb, outputMode=mode)
    except ImageCms.PyCMSError:
        return picture  # a profile that does not fit: colours a little off are better than none
    return converted or picture


def _widths(width: int) -> list[int]:
    return sorted({min(each, width) for each in WIDTHS})


def _resized(picture: Image.Image, width: int) -> Variant:
    small = picture.copy()
    small.thumbnail((width, TALLEST * width), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "WEBP", quality=QUALITY)
    return Variant(small.width, small.height, out.getvalue())

"""Pictures for tests, made here: no file of anybody's."""

import random
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image


def picture(
    width: int = 1200, height: int = 900, kind: str = "JPEG", mode: str = "RGB", **options: Any
) -> bytes:
    """A red picture with a blue upper left corner, in the format `kind`."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((20, 20, 220), (0, 0, width // 4, height // 4))
    out = BytesIO()
    image.convert(mode).save(out, kind, **options)
    return out.getvalue()


def noise(width: int, height: int, seed: int = 7) -> bytes:
    """A JPEG that does not compress."""
    image = Image.frombytes(
        "RGB", (width, height), random.Random(seed).randbytes(3 * width * height)
    )
    out = BytesIO()
    image.save(out, "JPEG", quality=95)
    return out.getvalue()


def where_it_was_taken(orientation: int = 1) -> Image.Exif:
    """EXIF with a position in Hilo, a camera and an owner."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Telephone"
    exif[ExifTags.Base.Artist] = "Keala Kahale"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N",
            ExifTags.GPS.GPSLatitude: (19.0, 42.0, 26.6),
            ExifTags.GPS.GPSLongitudeRef: "W",
            ExifTags.GPS.GPSLongitude: (155.0, 5.0, 18.6),
        }
    )
    return exif

"""Only the bytes of an upload are believed, and nothing of them is shown but the picture."""

import os
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from bookings.pictures import (
    CONTENT_TYPES,
    WIDTHS,
    RefusedPictureError,
    card,
    variants,
)
from tests.bookings.pictures import picture, where_it_was_taken

KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


def opened(variant):
    return Image.open(BytesIO(variant.content))


def corner(image):
    """'blue' or 'red' for each corner, from the upper left clockwise."""
    right, below = image.width - 5, image.height - 5
    pixels = [
        image.convert("RGB").getpixel(at) for at in ((5, 5), (right, 5), (right, below), (5, below))
    ]
    return ["blue" if pixel[2] > pixel[0] else "red" for pixel in pixels]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_a_picture_comes_in_three_widths_as_webp(content_type):
    found = variants(picture(2400, 1800, KINDS[content_type]), content_type)
    assert [(each.width, each.height) for each in found] == [(320, 240), (800, 600), (1600, 1200)]
    for each in found:
        with opened(each) as image:
            assert (image.format, image.size) == ("WEBP", (each.width, each.height))
            assert corner(image) == ["blue", "red", "red", "red"]
    assert card(found).width == 800


@pytest.mark.parametrize(
    ("size", "widths", "shown"),
    [
        ((300, 300), [300], 300),
        ((320, 300), [320], 320),
        ((700, 500), [320, 700], 700),
        ((900, 700), [320, 800, 900], 800),
        ((5000, 4000), list(WIDTHS), 800),
    ],
)
def test_none_is_larger_than_the_picture(size, widths, shown):
    found = variants(picture(*size), "image/jpeg")
    assert [each.width for each in found] == widths
    assert card(found).width == shown


def test_what_is_very_tall_is_narrower():
    found = variants(picture(1600, 6400), "image/jpeg")
    assert [(each.width, each.height) for each in found] == [(160, 640), (400, 1600), (800, 3200)]


def test_the_same_bytes_have_the_same_names_and_others_others():
    names = [
        [each.name for each in variants(picture(*size), "image/jpeg")] for size in ((900, 600),) * 2
    ]
    assert names[0] == names[1]
    other = variants(picture(900, 601), "image/jpeg")
    assert not {each.name for each in other} & set(names[0])
    assert len(set(names[0])) == 3


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_where_and_by_whom_it_was_taken_is_gone(content_type):
    given = picture(900, 600, KINDS[content_type], exif=where_it_was_taken())
    with Image.open(BytesIO(given)) as image:  # it was there
        assert image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    for each in variants(given, content_type):
        assert not any(chunk in each.content for chunk in (b"EXIF", b"XMP ", b"ICCP", b"Keala"))
        with opened(each) as image:
            assert not image.getexif()
            assert set(image.info) <= {"loop", "background", "timestamp", "duration"}


@pytest.mark.parametrize(
    ("orientation", "corners", "size"),
    [
        (1, ["blue", "red", "red", "red"], (900, 600)),
        (3, ["red", "red", "blue", "red"], (900, 600)),
        (6, ["red", "blue", "red", "red"], (600, 900)),
        (8, ["red", "red", "red", "blue"], (600, 900)),
    ],
)
def test_a_telephone_held_another_way_shows_the_picture_upright(orientation, corners, size):
    given = picture(900, 600, exif=where_it_was_taken(orientation))
    found = variants(given, "image/jpeg")[-1]
    assert (found.width, found.height) == size
    with opened(found) as image:
        assert corner(image) == corners


@pytest.mark.parametrize(
    ("kind", "content_type", "mode"),
    [
        ("JPEG", "image/jpeg", "L"),
        ("JPEG", "image/jpeg", "CMYK"),
        ("PNG", "image/png", "P"),
        ("PNG", "image/png", "1"),
        ("PNG", "image/png", "I;16"),
        ("PNG", "image/png", "LA"),
        ("WEBP", "image/webp", "RGBA"),
    ],
)
def test_every_kind_of_pixel_becomes_a_picture(kind, content_type, mode):
    source = "L" if mode == "I;16" else mode
    with Image.open(BytesIO(picture(400, 300, "PNG"))) as image:
        out = BytesIO()
        image.convert("RGBA").convert(source).convert(mode).save(out, kind)
    (small, whole) = variants(out.getvalue(), content_type)
    assert (small.width, whole.width) == (320, 400)


def test_what_is_transparent_stays_so():
    with Image.new("RGBA", (400, 300), (0, 0, 0, 0)) as image:
        image.paste((200, 30, 30, 255), (100, 100, 300, 200))
        out = BytesIO()
        image.save(out, "PNG")
    with opened(variants(out.getvalue(), "image/png")[-1]) as shown:
        assert shown.convert("RGBA").getpixel((2, 2))[3] == 0
        assert shown.convert("RGBA").getpixel((200, 150))[3] == 255


def test_colours_of_another_space_are_brought_into_the_webs():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, lab, b"not a profile"):  # the last two do not fit: left as they are
        found = variants(picture(400, 300, icc_profile=profile), "image/jpeg")[-1]
        with opened(found) as image:
            assert corner(image) == ["blue", "red", "red", "red"]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a" + bytes(100),
        b"%PDF-1.7",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
    ],
)
def test_what_is_no_picture_is_refused_by_its_first_bytes(content, content_type):
    with pytest.raises(RefusedPictureError, match=f"^The file is not {content_type}"):
        variants(content, content_type)


@pytest.mark.parametrize("said", CONTENT_TYPES)
@pytest.mark.parametrize("is_", CONTENT_TYPES)
def test_a_picture_that_says_to_be_another_is_refused(said, is_):
    content = picture(400, 300, KINDS[is_])
    if said == is_:
        assert variants(content, said)
    else:
        with pytest.raises(RefusedPictureError, match=f"^The file is not {said}"):
            variants(content, said)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_a_picture_that_was_cut_off_is_refused(content_type):
    content = picture(1200, 900, KINDS[content_type])
    for share in (0.02, 0.5, 0.9):
        with pytest.raises(RefusedPictureError, match="broken"):
            variants(content[: max(20, int(len(content) * share))], content_type)


def png_of(width, height, pixels=b""):
    """A PNG that says to be so large, whatever it holds."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )


def webp_of(width, height):
    """The header of an extended WebP of these pixels, and nothing of them."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


@pytest.mark.parametrize(
    "size", [(8000, 8000), (30_000, 30_000), (2**31 - 1, 2**31 - 1), (16_001, 400)]
)
def test_a_bomb_is_refused_by_its_header(size):
    with pytest.raises(RefusedPictureError, match="at most 16,000 a side and 50 million in all"):
        variants(png_of(*size), "image/png")


def test_a_bomb_in_webp_does_not_go_off():
    with pytest.raises(RefusedPictureError):
        variants(webp_of(16_383, 16_383), "image/webp")


def test_a_bomb_that_lies_about_its_size_is_cut_off():
    """A gigabyte of zeros in a picture of 400 by 300: no more is read than it said."""
    content = png_of(400, 300, bytes(100_000_000))
    assert len(content) < 200_000
    assert variants(content, "image/png")[-1].width == 400


def test_what_is_too_small_to_show_anything_is_refused():
    with pytest.raises(
        RefusedPictureError, match=r"299 . 900 pixels: each side needs at least 300"
    ):
        variants(picture(299, 900), "image/jpeg")


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@settings(max_examples=int(os.environ.get("RIDES_SOAK", "60")), deadline=None)
@given(data=st.data())
def test_broken_bytes_are_refused_or_shown_and_nothing_else_happens(content_type, data):
    content = bytearray(picture(320, 300, KINDS[content_type], exif=where_it_was_taken()))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        found = variants(bytes(content), content_type)
    except RefusedPictureError:
        return
    assert all(each.content.startswith(b"RIFF") for each in found)

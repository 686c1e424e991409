"""Texts in items of AVIF and HEIF, in every form that the format allows."""

from __future__ import annotations

import struct

import pytest

from clipnb.prompts.metadata import embedded_prompt
from tests.prompts.picture_files import TEXT, box, require_text, xmp_of

COMMENT = b"ASCII\0\0\0" + TEXT.encode()
# A directory with the place of EXIF's own directory, in which the comment is the only tag; four bytes in front of it.
EXIF = (
    bytes(4)
    + b"II*\0"
    + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0)
    + struct.pack("<HHHIII", 1, 0x9286, 7, len(COMMENT), 44, 0)
    + COMMENT
)
XMP = xmp_of("<dc:description>a cat</dc:description>").encode()


def picture(
    item: bytes, content: bytes, *, iloc: int = 1, in_meta: bool = False, parts: int = 1, brand: bytes = b"avif"
) -> bytes:
    """A file with one item, in the box `meta` or behind it; `iloc` is the version of the table of places."""
    wide = ">H" if iloc < 2 else ">I"
    number = struct.pack(wide, 7)
    infe = box(b"infe", struct.pack(">I", (2 if iloc < 2 else 3) << 24) + number + bytes(2) + item)
    iinf = box(b"iinf", struct.pack(">IH", 0, 1) + infe)
    ftyp = box(b"ftyp", brand + bytes(4))

    def meta(start: int) -> bytes:
        size = -(-len(content) // parts)
        extents = b"".join(struct.pack(">II", at, min(size, len(content) - at)) for at in range(0, len(content), size))
        method = struct.pack(">H", in_meta) if iloc else b""
        count = struct.pack(">H", len(extents) // 8)
        head = struct.pack(">IH", iloc << 24, 0x4440)  # sizes of places, lengths, and of the base of all places
        places = head + struct.pack(wide, 1) + number + method + bytes(2)
        places += struct.pack(">I", start) + count + extents
        return box(b"meta", bytes(4) + iinf + box(b"iloc", places) + (box(b"idat", content) if in_meta else b""))

    if in_meta:
        return ftyp + meta(0)
    before = len(ftyp + meta(0)) + 8
    return ftyp + meta(before) + box(b"mdat", content)


@pytest.mark.parametrize("brand", [b"avif", b"heic", b"mif1"])
@pytest.mark.parametrize(("iloc", "in_meta"), [(0, False), (1, False), (1, True), (2, False), (2, True)])
@pytest.mark.parametrize("parts", [1, 3])
def test_exif_of_items(brand: bytes, iloc: int, in_meta: bool, parts: int) -> None:
    require_text(picture(b"Exif", EXIF, iloc=iloc, in_meta=in_meta, parts=parts, brand=brand))


@pytest.mark.parametrize("iloc", [0, 1, 2])
def test_xmp_of_items(iloc: int) -> None:
    found = embedded_prompt(picture(b"mime\0application/rdf+xml\0", XMP, iloc=iloc))
    assert found.prompt is not None
    assert (found.prompt.text, found.problems) == ("a cat", ())


def test_items_of_other_kinds_are_passed_over() -> None:
    assert embedded_prompt(picture(b"mime\0text/plain\0", XMP)).prompt is None


def test_boxes_with_long_sizes_and_up_to_the_end() -> None:
    content = picture(b"Exif", EXIF, in_meta=True, brand=b"heic")
    size, kind, body = content[16:20], content[20:24], content[24:]
    assert kind == b"meta"
    long = struct.pack(">I", 1) + kind + struct.pack(">Q", int.from_bytes(size, "big") + 8) + body
    require_text(content[:16] + long)
    require_text(content[:16] + bytes(4) + kind + body)


@pytest.mark.parametrize("cut", [17, 30, 60, 100])
def test_boxes_that_are_cut_off_are_told(cut: int) -> None:
    content = picture(b"Exif", EXIF)
    assert embedded_prompt(content[:cut]).problems == ("its boxes are damaged",)

"""What is decoded and how much of it: limits of formats whose decoders take files at their word."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import Literal

from PIL import Image, ImageFile

from clipnb.errors import ImageError

FORMATS = (
    *("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "HEIF", "JPEG2000", "ICO", "ICNS", "PPM"),
    *("PSD", "PCX", "TGA"),
)
"""What is decoded, as Pillow calls it: raster formats whose decoders start no program and do not interpret anything.

HEIF is read where pillow-heif is installed, or another plugin is registered.
"""
MAX_PIXELS = 80_000_000
"""Largest picture that is decoded, in pixels: width times height."""
MAX_MEMORY = 2**30
"""Most memory that decoding a picture may need, in bytes."""
MAX_BYTES = 256 * 2**20
"""Largest file that is read or downloaded, in bytes."""
_MOST_HEADER_READS, MOST_READS = 8_000, 200_000  # calls of a decoder for more bytes: before, and with the pixels
_MEMORY = {"JPEG2000": 26, "WEBP": 17}  # measured, bytes a pixel; of others at most 13, which fits for all MAX_PIXELS
MOST_RUNS = 4_000_000  # reads of what Pillow decodes in Python, a run of pixels each, in seconds
IN_PYTHON = ("BMP", "DIB", "ICO")
_MOST_SEGMENTS = 10_000  # of a JPEG
_MOST_SCANNED = 64 * MAX_PIXELS  # pixels of a JPEG times its scans, each of which goes through all of them
_SEGMENT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
# Of JPEG 2000: where a picture with its sizes, or a part with a header of its own begins.
_SIZES = re.compile(rb"(?s)\xff\x4f(?=\xff\x51\0[\x29\x2c\x2f\x32]..(.{24}))")
_HEADERS = re.compile(rb"\xff\x4f(?=\xff\x51\0[\x29\x2c\x2f\x32])|\xff\x90\0\x0a")
_BLOCK_BYTES, _TILE_BYTES = 4 * 400, 11_000  # measured, of a block in four components, and of a tile
_TIFF_BYTES = (1, 2, 6, 7)  # kinds of tags that stay bytes
_MOST_TAGS, _MOST_VALUES = 2**16, 2**18  # tags of a TIFF, and numbers in one, such as places of strips


class Reader(io.BytesIO):
    """Bytes that are not read too often: a header of a million parts would keep its decoder busy for minutes."""

    left = _MOST_HEADER_READS

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise CrumbsError
        return super().read(size)


class CrumbsError(Exception):
    """A file has too many parts."""


def require_few_scans(content: bytes, pixels: int, name: str) -> None:
    """Refuse a JPEG of so many scans that the decoder goes through a large picture for minutes."""
    scans, place = 0, 2
    for _ in range(_MOST_SEGMENTS):
        segment = _SEGMENT.search(content, place)
        if segment is None or segment[1] == b"\xd9":  # the end of the picture; more may follow, such as a film
            return
        place = segment.end() + int.from_bytes(content[segment.end() : segment.end() + 2], "big")
        scans += segment[1] == b"\xda"
        if scans * pixels > _MOST_SCANNED:
            break
    raise ImageError(f"{name} has too many parts, such as scans, for a picture")


def require_few_values(content: bytes, name: str) -> None:
    """Refuse very long tags of a TIFF's first directory, or of EXIF, which is one: Pillow makes numbers of them all."""
    content = content.removeprefix(b"Exif\0\0")
    if content[:2] not in (b"II", b"MM") or not set(content[2:4]) & {42, 43}:
        return
    order: Literal["little", "big"] = "little" if content[:2] == b"II" else "big"
    # Widths of a place and of a number of tags; where the first place stands. The second form is that of BigTIFF.
    place, number, at = (8, 8, 8) if 43 in content[2:4] else (4, 2, 4)
    start = int.from_bytes(content[at : at + place], order)
    tags = int.from_bytes(content[start : start + number], order)
    for i in range(min(tags, _MOST_TAGS)):
        tag = content[start + number + i * (4 + 2 * place) :][: 4 + place]
        kind, count = int.from_bytes(tag[2:4], order), int.from_bytes(tag[4:], order)
        if kind not in _TIFF_BYTES and count > _MOST_VALUES:
            raise ImageError(f"{name} has too many parts, such as strips, for a picture")


def require_large_blocks(content: bytes, name: str) -> None:
    """Refuse JPEG 2000, in an icon too, that is cut in so small pieces that their bookkeeping fills the memory."""
    blocks = 0.0  # for a pixel
    for style in _block_styles(content):
        # The style of the whole picture has four bytes more than that of a component, and one less before its flags.
        flags, (levels, width, height, *more) = (style[4], style[9:]) if style[1] == 0x52 else (style[5], style[6:])
        blocks = max(blocks, 2.0 ** -((width & 15) + (height & 15) + 4))
        if flags & 1:  # the precincts of each resolution, the largest last
            precincts = more[2 : levels + 3][::-1]
            blocks = max(blocks, sum(2.0 ** -((size & 15) + (size >> 4) + 2 * i) for i, size in enumerate(precincts)))
    for sizes in _SIZES.finditer(content):
        right, bottom, left, top, width, height = struct.unpack(">6I", sizes[1])
        pixels = (right - left) * (bottom - top)
        pieces = pixels * blocks * _BLOCK_BYTES
        pieces += (right // max(width, 1) + 1) * (bottom // max(height, 1) + 1) * _TILE_BYTES
        if max(pieces - 2**26, 0) + pixels * _MEMORY["JPEG2000"] > MAX_MEMORY:
            raise ImageError(f"{name} has too many pixels or parts, such as tiles, for a picture in JPEG 2000")


def _block_styles(content: bytes) -> Iterator[bytes]:
    """Find the segments that say how pictures and components are cut into blocks."""
    segments = 0
    for header in _HEADERS.finditer(content):
        place = header.end() + (8 if header[0][1] == 0x90 else 0)
        while content[place : place + 1] == b"\xff" and content[place + 1 : place + 2] not in (b"\x90", b"\x93"):
            if content[place + 1 : place + 2] in (b"\x52", b"\x53") and place + 12 < len(content):
                yield content[place : place + 50]
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
            segments += 1
            if segments > MOST_READS:
                raise CrumbsError


def require_raster(image: Image.Image, name: str = "the picture") -> None:
    """Refuse a picture that is not decoded yet and whose decoder may start a program."""
    if isinstance(image, ImageFile.ImageFile) and image.format not in FORMATS:
        raise ImageError(f"{name} is of the format {image.format}, which is not read; use PNG, JPEG, WebP, TIFF, ...")


def require_room(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name} has {width} x {height} pixels; at most {MAX_PIXELS / 1e6:.0f} million are read")
    if width * height == 0:
        raise ImageError(f"{name} has no pixels ({width} x {height})")
    most = MAX_MEMORY // _MEMORY.get(image.format or "", 1)
    if width * height > most:
        raise ImageError(
            f"{name} has {width} x {height} pixels; of {image.format} at most {most / 1e6:.0f} million are read, "
            "whose decoding takes a gigabyte"
        )

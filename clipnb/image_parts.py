"""What stands beside the pixels of a picture's file: told from them, and left out where it is damaged."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST_PARTS = 2**18  # of a file that is taken apart
_PNG = b"\x89PNG\r\n\x1a\n"
_OF_PNG = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")
_ADOBE = 12  # bytes of the segment that says how the colours of a JPEG are meant
_START_OF_SCAN, _COMMENT = 0xDA, 0xFE


def without_extras(content: bytes) -> bytes | None:
    """Return a PNG or JPEG with nothing but its pixels and its orientation; None where it is neither, or in crumbs.

    Profiles, texts, comments and previews may be damaged, or larger than a decoder takes, though the picture is whole.
    """
    if content.startswith(_PNG):
        return _joined(_PNG, _chunks(content))
    if content.startswith(b"\xff\xd8\xff"):
        return _joined(b"\xff\xd8", _segments(content))
    return None


def _joined(start: bytes, parts: Iterator[bytes]) -> bytes | None:
    kept = [start]
    for number, part in enumerate(parts):
        if number > _MOST_PARTS:
            return None
        kept.append(part)
    return b"".join(kept)


def _chunks(content: bytes) -> Iterator[bytes]:
    """Yield what there is of each chunk of a PNG, b"" for those that are left out."""
    place = len(_PNG)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        yield content[place : place + length + 12] if kind in _OF_PNG else b""
        place += length + 12


def _segments(content: bytes) -> Iterator[bytes]:
    """Yield the segments of a JPEG before its pixels, b"" for those that are left out; then all the rest."""
    place = 2
    while content[place : place + 1] == b"\xff" and place + 4 <= len(content):
        marker = content[place + 1]
        if marker == _START_OF_SCAN:
            break
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        body = content[place + 4 : place + 2 + length]
        is_extra = 0xE0 <= marker <= 0xEF or marker == _COMMENT
        is_needed = body.startswith(b"Exif\0\0") or (marker == 0xEE and body[:5] == b"Adobe" and len(body) >= _ADOBE)
        yield b"" if is_extra and not is_needed else content[place : place + 2 + length]
        place += 2 + length
    yield content[place:]

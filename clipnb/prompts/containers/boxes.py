"""The texts of AVIF and HEIF: boxes of the ISO base media file format, whose items are EXIF and XMP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from clipnb.prompts.containers.chunks import MOST_CHUNKS
from clipnb.prompts.containers.exif import read_exif
from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.containers.xmp import read_xmp

_XMP = b"application/rdf+xml"


def read_boxes(file: BinaryIO, texts: Texts) -> None:
    """Read the EXIF and XMP items that the box `meta` names."""
    size = file.seek(0, io.SEEK_END)
    try:
        for kind, start, end in _boxes(file, 0, size):
            if kind == b"meta":
                if texts.affords(end - start, "the box meta"):
                    file.seek(start)
                    _read_items(file, file.read(end - start), texts)
                return
    except EOFError:
        texts.note("its boxes are damaged")


def _boxes(file: BinaryIO, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, start and end of the boxes in a range of a file."""
    for _ in range(MOST_CHUNKS):
        if place >= end:
            return
        file.seek(place)
        header = _Fields(file.read(16))
        size, kind, start = header.number(4), header.take(4), place + 8
        if size == 1:
            size, start = header.number(8), place + 16
        box_end = place + size if size else end
        if not start <= box_end <= end:
            raise EOFError
        yield kind, start, box_end
        place = box_end
    raise EOFError


def _read_items(file: BinaryIO, meta: bytes, texts: Texts) -> None:
    inside = io.BytesIO(meta)
    boxes = {kind: meta[start:end] for kind, start, end in _boxes(inside, 4, len(meta))}
    kinds = _kinds(boxes.get(b"iinf", b""))
    for item, extents in _places(boxes.get(b"iloc", b"")).items():
        if item not in kinds:
            continue
        parts = []
        for in_meta, start, length in extents:
            if not texts.affords(length, "a text of EXIF or XMP"):
                return
            parts.append(_part(io.BytesIO(boxes.get(b"idat", b"")) if in_meta else file, start, length))
        content = b"".join(parts)
        if kinds[item] == b"Exif":
            read_exif(content[4 + int.from_bytes(content[:4], "big") :], texts)
        else:
            read_xmp(content, texts)


def _part(source: BinaryIO, start: int, length: int) -> bytes:
    if start + length > source.seek(0, io.SEEK_END):
        raise EOFError
    source.seek(start)
    return source.read(length)


def _kinds(data: bytes) -> dict[int, bytes]:
    """Return which items are EXIF or XMP."""
    if not data:
        return {}
    version = data[0]
    inside, found = io.BytesIO(data), {}
    for kind, start, end in _boxes(inside, 6 if version == 0 else 8, len(data)):
        fields = _Fields(data[start:end])
        entry_version = fields.number(4) >> 24
        if kind != b"infe" or entry_version < 2:
            continue
        item = fields.number(2 if entry_version == 2 else 4)
        fields.take(2)
        item_kind = fields.take(4)
        if item_kind == b"Exif" or (item_kind == b"mime" and _XMP in fields.rest()):
            found[item] = item_kind
    return found


def _places(data: bytes) -> dict[int, list[tuple[bool, int, int]]]:
    """Return of each item its parts: whether they are in the box `idat`, their start and length."""
    if not data:
        return {}
    fields, found, left = _Fields(data), {}, MOST_CHUNKS
    version = fields.number(4) >> 24
    sizes = fields.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 2 if version < 2 else 4
    for _ in range(fields.number(wide)):
        item = fields.number(wide)
        method = fields.number(2) & 15 if version else 0
        fields.take(2)
        base = fields.number(base_size)
        count = fields.number(2)
        left -= count
        if left < 0:  # parts may take no bytes at all, and so be any number
            raise EOFError
        parts = []
        for _ in range(count):
            fields.take(index_size if version else 0)
            start = base + fields.number(offset_size)
            parts.append((method == 1, start, fields.number(length_size)))
        found[item] = parts
    return found


class _Fields:
    """Bytes that are taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, size: int) -> bytes:
        if self._place + size > len(self._data):
            raise EOFError
        self._place += size
        return self._data[self._place - size : self._place]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        return self._data[self._place :]

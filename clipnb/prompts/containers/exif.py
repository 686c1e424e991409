"""EXIF: the few tags that hold texts, read from its directories without touching anything else."""

from __future__ import annotations

import re
import struct

from clipnb.prompts.containers.texts import Texts, decoded

_TAGS = {0x10E: "ImageDescription", 0x10F: "Make", 0x110: "Model", 0x131: "Software", 0x927C: "MakerNote"}
_USER_COMMENT, _XP_COMMENT, _EXIF_DIRECTORY = 0x9286, 0x9C9C, 0x8769
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 9: 4}  # bytes of a value, by kind; others hold no text
_MARKS = (b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8))
_LONGEST_NOTE = 64  # of a maker's note, which is a word of Fooocus or a secret of a camera
# ComfyUI and its savers put the name of a chunk in front of its text.
_NAMED = re.compile(r"(?i)(prompt|workflow|parameters):\s*(?=\{)")


def read_exif(data: bytes, texts: Texts) -> None:
    """Read the texts of EXIF: `UserComment`, `ImageDescription`, ...; `prompt` and `workflow` of ComfyUI."""
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        texts.note("its EXIF is damaged")
        return
    try:
        tags = _directory(data, order, struct.unpack_from(f"{order}I", data, 4)[0])
        if _EXIF_DIRECTORY in tags:
            place = tags.pop(_EXIF_DIRECTORY)
            tags |= _directory(data, order, struct.unpack(f"{order}I", place[:4])[0])
    except struct.error:
        texts.note("its EXIF is cut off")
        return
    for tag, value in tags.items():
        if tag == _USER_COMMENT:
            texts.keep("UserComment", user_comment(value, little_endian=order == "<"))
        elif tag == _XP_COMMENT:
            texts.keep("XPComment", value.decode("utf-16-le", "replace"))
        elif tag in _TAGS and (tag != 0x927C or len(value) <= _LONGEST_NOTE):
            _keep(_TAGS[tag], decoded(value), texts)


def user_comment(value: bytes, little_endian: bool = False) -> str:
    """Decode a comment whose first eight bytes should name its encoding, and often name a wrong one or none."""
    mark, body = value[:8].upper(), value[8:]
    if mark == _MARKS[1] and re.search(rb"\x1b[$(]", body):
        return body.decode("iso2022_jp", "replace")
    if mark == b"UNICODE\0":
        return decoded(body, likely_utf16=True, little_endian=little_endian)
    return decoded(body if mark in _MARKS else value)


def _keep(name: str, text: str, texts: Texts) -> None:
    named = _NAMED.match(text)
    if named:
        texts.keep(named[1].lower(), text[named.end() :])
    else:
        texts.keep(name, text)


def _directory(data: bytes, order: str, place: int) -> dict[int, bytes]:
    """Return the bytes of the tags that may hold texts."""
    (count,) = struct.unpack_from(f"{order}H", data, place)
    found = {}
    for tag, kind, values, value in struct.iter_unpack(f"{order}HHI4s", data[place + 2 : place + 2 + 12 * count]):
        if tag in found or tag not in (*_TAGS, _USER_COMMENT, _XP_COMMENT, _EXIF_DIRECTORY):
            continue  # a tag that comes again and again would be copied as often
        size = values * _WIDTHS.get(kind, 0)
        start = struct.unpack(f"{order}I", value)[0]
        found[tag] = value[:size] if size <= 4 else data[start : start + size]
    return found

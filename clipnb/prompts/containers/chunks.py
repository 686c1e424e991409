"""The texts of PNG, JPEG and WebP, chunk by chunk; what holds pixels is passed over unread."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO

from clipnb.prompts.containers.exif import read_exif
from clipnb.prompts.containers.texts import Texts, decoded
from clipnb.prompts.containers.xmp import read_xmp

MOST_CHUNKS = 100_000  # of a picture
_XMP, _XMP_JPEG = "XML:com.adobe.xmp", b"http://ns.adobe.com/xap/1.0/\0"
_XMP_EXTENSION = re.compile(rb"(?s)http://ns.adobe.com/xmp/extension/\0(.{32}).{4}(.{4})")
_IPTC_CAPTION = re.compile(rb"(?s)\x1c\x02\x78(..)")
_JPEG_READ = {0xE1, 0xED, 0xFE}  # EXIF and XMP; IPTC; comment


def read_png(file: BinaryIO, texts: Texts) -> None:
    """Read the chunks tEXt, zTXt, iTXt and eXIf, wherever they stand."""
    file.seek(8)
    for _ in range(MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8 or not header[4:].isalpha():
            texts.note("it is cut off or damaged between two chunks")
            return
        length, kind = struct.unpack(">I4s", header)
        if kind == b"IEND":
            return
        if kind in _PNG_READERS and texts.affords(length, f"a chunk {kind.decode()}"):
            body, checksum = file.read(length), file.read(4)
            if len(checksum) < 4:
                texts.note(f"it is cut off in a chunk {kind.decode()}")
                return
            if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(checksum, "big"):
                texts.note(f"a chunk {kind.decode()} is damaged: its checksum is wrong")
            _PNG_READERS[kind](body, texts)
        else:
            file.seek(length + 4, 1)
    texts.note(f"it has more than {MOST_CHUNKS:,} chunks; those behind are not read")


def _plain(body: bytes, texts: Texts) -> None:
    keyword, _, text = body.partition(b"\0")
    _keep(keyword, text, texts)


def _compressed(body: bytes, texts: Texts) -> None:
    keyword, _, rest = body.partition(b"\0")
    _keep(keyword, _inflated(rest[1:], texts, keyword), texts)


def _international(body: bytes, texts: Texts) -> None:
    keyword, _, rest = body.partition(b"\0")
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind language and translated keyword
    _keep(keyword, _inflated(text, texts, keyword) if rest[:1] == b"\1" else text, texts)


def _keep(keyword: bytes, text: bytes, texts: Texts) -> None:
    name = keyword[:79].decode("latin-1")
    if name == _XMP:
        read_xmp(text, texts)
    else:
        texts.keep(name, decoded(text))


def _inflated(data: bytes, texts: Texts, keyword: bytes) -> bytes:
    what = f"the compressed text {keyword[:79].decode('latin-1')!r}"
    try:
        inflater = zlib.decompressobj()
        text = inflater.decompress(data, texts.left + 1)
    except zlib.error:
        texts.note(f"{what} is damaged")
        return b""
    if not inflater.eof and len(text) <= texts.left:
        texts.note(f"{what} is cut off")
    return text if texts.affords(len(text), what) else b""


_PNG_READERS: dict[bytes, Callable[[bytes, Texts], None]] = {
    b"tEXt": _plain,
    b"zTXt": _compressed,
    b"iTXt": _international,
    b"eXIf": read_exif,
}


def read_jpeg(file: BinaryIO, texts: Texts) -> None:
    """Read EXIF, XMP, the caption of IPTC and comments, up to where the pixels begin."""
    extensions: dict[str, dict[bytes, bytes]] = {}
    _read_segments(file, texts, extensions)
    parts = extensions.get(texts.pop("HasExtendedXMP", ""))
    if parts:
        read_xmp(b"".join(parts[place] for place in sorted(parts)), texts)


def _read_segments(file: BinaryIO, texts: Texts, extensions: dict[str, dict[bytes, bytes]]) -> None:
    file.seek(2)
    for _ in range(MOST_CHUNKS):
        header = file.read(4)
        if header[:2] in (b"\xff\xd9", b"\xff\xda"):  # the end, or the pixels
            return
        if header[:2] == b"\xff\xff":  # filled up
            file.seek(-3, 1)
            continue
        if len(header) < 4 or header[0] != 0xFF:
            texts.note("it is cut off or damaged between two segments")
            return
        kind, length = header[1], max(int.from_bytes(header[2:], "big") - 2, 0)
        if kind in _JPEG_READ and texts.affords(length, "a segment"):
            body = file.read(length)
            if len(body) < length:
                texts.note("it is cut off in a segment")
                return
            if extension := _XMP_EXTENSION.match(body):  # XMP that one segment is too small for
                name, place = extension[1].decode("latin-1"), extension[2]
                extensions.setdefault(name, {})[place] = body[extension.end() :]
            else:
                _read_segment(kind, body, texts)
        else:
            file.seek(length, 1)
    texts.note(f"it has more than {MOST_CHUNKS:,} segments; those behind are not read")


def _read_segment(kind: int, body: bytes, texts: Texts) -> None:
    if kind == 0xFE:
        texts.keep("Comment", decoded(body))
    elif body.startswith(b"Exif\0"):
        read_exif(body, texts)
    elif body.startswith(_XMP_JPEG):
        read_xmp(body[len(_XMP_JPEG) :], texts)
    elif caption := _IPTC_CAPTION.search(body) if kind == 0xED else None:
        length = int.from_bytes(caption[1], "big")
        texts.keep("IPTC caption", decoded(body[caption.end() : caption.end() + length]))


def read_webp(file: BinaryIO, texts: Texts) -> None:
    """Read the chunks EXIF and XMP, which stand behind the pixels."""
    file.seek(12)
    readers = {b"EXIF": read_exif, b"XMP ": read_xmp}
    for _ in range(MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            if header:
                texts.note("it is cut off between two chunks")
            return
        kind, length = struct.unpack("<4sI", header)
        if kind in readers and texts.affords(length, f"a chunk {kind.decode()}"):
            body = file.read(length)
            if len(body) < length:
                texts.note(f"it is cut off in a chunk {kind.decode()}")
                return
            readers[kind](body, texts)
            file.seek(length % 2, 1)
        else:
            file.seek(length + length % 2, 1)
    texts.note(f"it has more than {MOST_CHUNKS:,} chunks; those behind are not read")

"""Pictures with texts inside, made as their formats say and as generators write them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping

import pytest
from PIL import Image, PngImagePlugin, features

from clipnb.prompts.metadata import embedded_prompt

FORMATS = ("JPEG", "WEBP", "AVIF")
TEXT = "a cat,\nfur, ☕ 猫\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 7"
XMP = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:xmp='http://ns.adobe.com/xap/1.0/' {attributes}>{elements}"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def png(texts: Mapping[str, str], *, compressed: bool = False, international: bool = False) -> bytes:
    """A PNG with chunks tEXt, zTXt, or iTXt."""
    info, file = PngImagePlugin.PngInfo(), io.BytesIO()
    for name, text in texts.items():
        if international:
            info.add_itxt(name, text, zip=compressed)
        else:
            info.add_text(name, text, zip=compressed)
    Image.new("RGB", (8, 8), "red").save(file, "png", pnginfo=info)
    return file.getvalue()


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks behind its header."""
    plain = png({})
    return plain[:33] + b"".join(chunks) + plain[33:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_exif(kind: str, tags: Mapping[int, object], comment: bytes = b"") -> bytes:
    """A picture with tags of EXIF, and a UserComment."""
    if kind != "JPEG" and not features.check(kind.lower()):
        pytest.skip(f"Pillow has no {kind} here")
    exif, file = Image.Exif(), io.BytesIO()
    for tag, value in tags.items():
        exif[tag] = value
    if comment:
        exif[0x8769] = {0x9286: comment}
    Image.new("RGB", (16, 16), "red").save(file, kind, exif=exif.tobytes())
    return file.getvalue()


def with_xmp(kind: str, xmp: str) -> bytes:
    """A picture with a packet of XMP."""
    packet, file = xmp.encode(), io.BytesIO()
    if kind == "PNG":
        return png({"XML:com.adobe.xmp": xmp}, international=True)
    if kind == "JPEG":
        Image.new("RGB", (16, 16), "red").save(file, kind)
        plain, body = file.getvalue(), b"http://ns.adobe.com/xap/1.0/\0" + packet
        return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
    if not features.check(kind.lower()):
        pytest.skip(f"Pillow has no {kind} here")
    Image.new("RGB", (16, 16), "red").save(file, kind, xmp=packet)
    return file.getvalue()


def xmp_of(elements: str = "", attributes: str = "") -> str:
    return XMP.format(elements=elements, attributes=attributes)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def require_text(content: bytes, *, problems: int = 0) -> None:
    """Check that a picture holds `TEXT`, as A1111 writes it."""
    found = embedded_prompt(content)
    assert found.prompt is not None
    assert (found.generator, found.prompt.text, found.prompt.negative) == ("A1111", "a cat,\nfur, ☕ 猫", "dog")
    assert found.prompt.settings == {"Steps": "20", "Sampler": "Euler a", "Seed": "7"}
    assert len(found.problems) == problems

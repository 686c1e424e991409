"""Texts in chunks of PNG and in segments of JPEG."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from clipnb.prompts.metadata import embedded_prompt
from tests.prompts.picture_files import TEXT, chunk, png, png_with, require_text, xmp_of


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("international", [False, True])
def test_text_chunks_of_png(compressed: bool, international: bool) -> None:
    require_text(png({"parameters": TEXT}, compressed=compressed, international=international))


def test_text_chunk_of_png_in_utf8_instead_of_latin1() -> None:
    require_text(png_with(chunk(b"tEXt", b"parameters\0" + TEXT.encode())))


def test_text_chunk_of_png_in_latin1() -> None:
    found = embedded_prompt(png_with(chunk(b"tEXt", b"parameters\0caf\xe9")))
    assert found.prompt is not None
    assert found.prompt.text == "café"


def test_text_chunk_behind_the_pixels_is_found() -> None:
    plain = png({})
    require_text(plain[:-12] + chunk(b"iTXt", b"parameters\0\0\0\0\0" + TEXT.encode()) + plain[-12:])


def test_wrong_checksum_is_told_and_the_text_is_read() -> None:
    content = png_with(chunk(b"iTXt", b"parameters\0\0\0\0\0" + TEXT.encode())[:-1] + b"x")
    require_text(content, problems=1)
    assert "checksum" in embedded_prompt(content).problems[0]


@pytest.mark.parametrize("where", [20, 60, -10])
def test_png_that_is_cut_off_is_told(where: int) -> None:
    assert "cut off" in embedded_prompt(png({"parameters": TEXT})[:where]).problems[0]


def test_damaged_compressed_text_is_told() -> None:
    found = embedded_prompt(png_with(chunk(b"zTXt", b"parameters\0\0no zlib")))
    assert (found.prompt, found.problems) == (None, ("the compressed text 'parameters' is damaged",))


def test_comment_segment_of_jpeg() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg", comment=TEXT.encode())
    require_text(file.getvalue())


def test_caption_in_iptc() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg")
    caption = b"\x1c\x02\x78\x00\x05a cat"
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0" + bytes([len(caption)]) + caption
    segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    found = embedded_prompt(file.getvalue()[:2] + segment + file.getvalue()[2:])
    assert found.prompt is not None
    assert found.prompt.text == "a cat"


def segment(kind: int, body: bytes) -> bytes:
    return bytes((0xFF, kind)) + (len(body) + 2).to_bytes(2, "big") + body


def jpeg_with(*segments: bytes) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg")
    return file.getvalue()[:2] + b"".join(segments) + file.getvalue()[2:]


def extended_xmp(guid: bytes, text: str) -> list[bytes]:
    """Segments of 40,000 bytes, the last one first."""
    whole, size = xmp_of(f"<dc:description>{text}</dc:description>").encode(), 40_000
    mark = b"http://ns.adobe.com/xmp/extension/\0" + guid + len(whole).to_bytes(4, "big")
    places = range(0, len(whole), size)
    return [segment(0xE1, mark + place.to_bytes(4, "big") + whole[place : place + size]) for place in reversed(places)]


NAMED = xmp_of(attributes="xmlns:xmpNote='http://ns.adobe.com/xmp/note/' xmpNote:HasExtendedXMP='" + "A1" * 16 + "'")
MAIN = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + NAMED.encode())


def test_xmp_that_one_segment_is_too_small_for() -> None:
    text = "a cat, " + "fur, " * 20_000 + "sofa"
    content = jpeg_with(MAIN, *extended_xmp(b"00" * 16, "stale"), *extended_xmp(b"A1" * 16, text))
    found = embedded_prompt(content)
    assert found.prompt is not None
    assert (found.prompt.text, found.problems) == (text, ())


def test_xmp_of_which_a_segment_is_missing_is_told() -> None:
    found = embedded_prompt(jpeg_with(MAIN, *extended_xmp(b"A1" * 16, "fur, " * 20_000)[:-1]))
    assert (found.prompt, found.problems) == (None, ("its XMP is damaged",))

"""Texts in EXIF, whose marks of encodings are often wrong."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from clipnb.prompts.metadata import embedded_prompt
from tests.prompts.picture_files import FORMATS, TEXT, require_text, with_exif


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mark", [b"UNICODE\0", b"Unicode\0", b"ASCII\0\0\0", b"\0" * 8, b"JIS\0\0\0\0\0", b""])
@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-16", "utf-8", "utf-8-sig"])
def test_user_comments_in_every_encoding_under_every_mark(kind: str, mark: bytes, encoding: str) -> None:
    require_text(with_exif(kind, {}, mark + TEXT.encode(encoding)))


def test_bytes_that_are_no_text_are_no_description() -> None:
    comment = b"ASCII\0\0\0" + bytes([1, 200, 0, 0, 7, 9, 130, 0, 0, 5]) * 20
    assert embedded_prompt(with_exif("JPEG", {}, comment)).prompt is None


def test_user_comment_in_jis() -> None:
    comment = b"JIS\0\0\0\0\0" + "猫、毛皮\nSteps: 20, Seed: 1".encode("iso2022_jp")
    found = embedded_prompt(with_exif("JPEG", {}, comment))
    assert found.prompt is not None
    assert found.prompt.text == "猫、毛皮"


def test_user_comment_of_a_language_without_blanks_in_utf16() -> None:
    found = embedded_prompt(with_exif("JPEG", {}, b"UNICODE\0" + "猫与狗的照片".encode("utf-16-be")))
    assert found.prompt is not None
    assert found.prompt.text == "猫与狗的照片"


def test_exif_chunk_of_png() -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x8769] = {0x9286: b"UNICODE\0" + TEXT.encode("utf-16-be")}
    Image.new("RGB", (8, 8)).save(file, "png", exif=exif.tobytes())
    require_text(file.getvalue())


@pytest.mark.parametrize("kind", FORMATS)
def test_image_description(kind: str) -> None:
    require_text(with_exif(kind, {0x010E: TEXT.encode()}))


def test_comment_for_windows() -> None:
    require_text(with_exif("JPEG", {0x9C9C: TEXT.encode("utf-16-le")}))


@pytest.mark.parametrize("kind", FORMATS)
def test_exif_that_is_cut_off_is_told(kind: str) -> None:
    content = with_exif(kind, {}, b"ASCII\0\0\0" + TEXT.encode())
    found = embedded_prompt(content[: content.index(b"ASCII")])
    assert found.prompt is None
    assert found.problems


@pytest.mark.parametrize("text", ["OLYMPUS DIGITAL CAMERA", "CREATOR: gd-jpeg v1.0, quality = 90", "Created with GIMP"])
def test_words_of_cameras_and_programs_are_no_prompts(text: str) -> None:
    assert embedded_prompt(with_exif("JPEG", {0x010E: text})).prompt is None

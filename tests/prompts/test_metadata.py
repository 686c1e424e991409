"""Prompts inside pictures: containers, encodings, damage."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

import clipnb
from clipnb.errors import PromptsError
from clipnb.prompts.metadata import embedded_prompt
from tests.prompts.picture_files import FORMATS, chunk, png, png_with, with_exif, with_xmp, xmp_of

TEXT = "a cat,\nfur, ☕ 猫\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 7"


def require_text(content: bytes, *, problems: int = 0) -> None:
    found = embedded_prompt(content)
    assert found.prompt is not None
    assert (found.generator, found.prompt.text, found.prompt.negative) == ("A1111", "a cat,\nfur, ☕ 猫", "dog")
    assert found.prompt.settings == {"Steps": "20", "Sampler": "Euler a", "Seed": "7"}
    assert len(found.problems) == problems


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


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mark", [b"UNICODE\0", b"Unicode\0", b"ASCII\0\0\0", b"\0" * 8, b"JIS\0\0\0\0\0", b""])
@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-16", "utf-8", "utf-8-sig"])
def test_user_comments_in_every_encoding_under_every_mark(kind: str, mark: bytes, encoding: str) -> None:
    require_text(with_exif(kind, {}, mark + TEXT.encode(encoding)))


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
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + TEXT.encode("utf-16-be")
    Image.new("RGB", (8, 8)).save(file, "png", exif=exif.tobytes())
    require_text(file.getvalue())


@pytest.mark.parametrize("kind", FORMATS)
def test_image_description(kind: str) -> None:
    require_text(with_exif(kind, {0x010E: TEXT.encode()}))


def test_comment_for_windows() -> None:
    require_text(with_exif("JPEG", {0x9C9C: TEXT.encode("utf-16-le")}))


def test_comment_segment_of_jpeg() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg", comment=TEXT.encode())
    require_text(file.getvalue())


@pytest.mark.parametrize("kind", ["PNG", *FORMATS])
@pytest.mark.parametrize("form", ["attribute", "element", "languages"])
def test_description_in_xmp(kind: str, form: str) -> None:
    text = "a cat &amp; &lt;fur&gt;"
    languages = f"<rdf:Alt><rdf:li xml:lang='x-default'>{text}</rdf:li><rdf:li xml:lang='de'>Katze</rdf:li></rdf:Alt>"
    xmp = {
        "attribute": xmp_of(attributes=f"dc:description='{text}'"),
        "element": xmp_of(f"<dc:description>{text}</dc:description>"),
        "languages": xmp_of(f"<dc:description>{languages}</dc:description>"),
    }[form]
    found = embedded_prompt(with_xmp(kind, xmp))
    assert found.prompt is not None
    assert (found.prompt.text, found.generator) == ("a cat & <fur>", "description")


def test_caption_in_iptc() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg")
    caption = b"\x1c\x02\x78\x00\x05a cat"
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0" + bytes([len(caption)]) + caption
    segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    found = embedded_prompt(file.getvalue()[:2] + segment + file.getvalue()[2:])
    assert found.prompt is not None
    assert found.prompt.text == "a cat"


@pytest.mark.parametrize("text", ["OLYMPUS DIGITAL CAMERA", "CREATOR: gd-jpeg v1.0, quality = 90", "Created with GIMP"])
def test_words_of_cameras_and_programs_are_no_prompts(text: str) -> None:
    assert embedded_prompt(with_exif("JPEG", {0x010E: text})).prompt is None


@pytest.mark.parametrize("kind", ["PNG", *FORMATS, "GIF"])
def test_picture_without_texts_has_no_prompt(kind: str) -> None:
    if kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        pytest.skip(f"Pillow has no {kind} here")
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, kind)
    found = embedded_prompt(file.getvalue())
    assert (found.prompt, found.generator) == (None, "")
    assert bool(found.problems) == (kind == "GIF")


def test_path_bytes_and_file_give_the_same_and_leave_the_picture_as_it_is(tmp_path: Path) -> None:
    content = png({"parameters": TEXT})
    path = tmp_path / "cat.png"
    path.write_bytes(content)
    of_path = embedded_prompt(path)
    with path.open("rb") as file:
        of_file = embedded_prompt(file, "cat.png")
    assert of_path.prompt is not None
    assert of_file.prompt is not None
    assert of_path.prompt.text == of_file.prompt.text
    assert (of_path.prompt.picture, of_file.prompt.source) == (str(path), "cat.png")
    assert path.read_bytes() == content
    assert clipnb.embedded_prompt(content).prompt == embedded_prompt(content).prompt


def test_unreadable_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(PromptsError, match="there is no picture"):
        embedded_prompt(tmp_path / "missing.png")
    with pytest.raises(PromptsError, match="is a folder"):
        embedded_prompt(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PromptsError, match="no regular file"):
        embedded_prompt(tmp_path / "pipe.png")


def test_what_is_no_picture_is_told() -> None:
    assert "no PNG" in embedded_prompt(b"no picture").problems[0]


def test_wrong_checksum_is_told_and_the_text_is_read() -> None:
    content = png_with(chunk(b"iTXt", b"parameters\0\0\0\0\0" + TEXT.encode())[:-1] + b"x")
    require_text(content, problems=1)
    assert "checksum" in embedded_prompt(content).problems[0]


@pytest.mark.parametrize("where", [20, 60, -10])
def test_png_that_is_cut_off_is_told(where: int) -> None:
    assert "cut off" in embedded_prompt(png({"parameters": TEXT})[:where]).problems[0]


@pytest.mark.parametrize("kind", FORMATS)
def test_exif_that_is_cut_off_is_told(kind: str) -> None:
    content = with_exif(kind, {}, b"ASCII\0\0\0" + TEXT.encode())
    found = embedded_prompt(content[: content.index(b"ASCII")])
    assert found.prompt is None
    assert found.problems


def test_damaged_compressed_text_is_told() -> None:
    found = embedded_prompt(png_with(chunk(b"zTXt", b"parameters\0\0no zlib")))
    assert (found.prompt, found.problems) == (None, ("the compressed text 'parameters' is damaged",))


WHOLE = [
    png({"parameters": TEXT, "prompt": '{"1": {}}'}),
    with_exif("JPEG", {}, b"UNICODE\0" + TEXT.encode("utf-16-be")),
    with_xmp("JPEG", xmp_of("<dc:description>a cat</dc:description>")),
    *(with_exif(kind, {}, b"ASCII\0\0\0" + TEXT.encode()) for kind in ("WEBP", "AVIF") if features.check(kind.lower())),
]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damaged_pictures_are_never_an_exception(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, min(len(whole), 600) - 1))
        whole[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    embedded_prompt(bytes(whole[: data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))]))


@given(st.sampled_from([content[:12] for content in WHOLE]), st.binary(max_size=300))
def test_any_bytes_behind_a_signature_are_taken(signature: bytes, content: bytes) -> None:
    embedded_prompt(signature + content)

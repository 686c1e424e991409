"""Prompts inside pictures, read from paths, bytes and files, whole and damaged."""

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
from tests.prompts.picture_files import FORMATS, TEXT, png, with_exif, with_xmp, xmp_of


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

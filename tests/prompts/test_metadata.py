"""Prompts inside pictures: every generator by its published format, in every container; damage and bombs."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin, features

from clipnb.errors import PromptsError
from clipnb.prompts.generators import GENERATORS
from clipnb.prompts.metadata import embedded_prompt, parse_dump, parse_parameters

A1111_TEXT = 'a cat,\nfur, ☕\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 7, Hashes: "a: 1, b"'


def png(texts: dict[str, str], *, compressed: bool = False, international: bool = False) -> bytes:
    info, file = PngImagePlugin.PngInfo(), io.BytesIO()
    for name, text in texts.items():
        if international:
            info.add_itxt(name, text, zip=compressed)
        else:
            info.add_text(name, text, zip=compressed)
    Image.new("RGB", (8, 8), "red").save(file, "png", pnginfo=info)
    return file.getvalue()


def with_comment(kind: str, comment: bytes) -> bytes:
    """A picture with an EXIF UserComment as its generator writes it."""
    file, exif = io.BytesIO(), Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    Image.new("RGB", (16, 16), "red").save(file, kind, exif=exif.tobytes())
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("name", sorted(GENERATORS))
@pytest.mark.parametrize("compressed", [False, True])
def test_the_example_of_a_generator_is_read_back(name: str, compressed: bool) -> None:
    texts, wanted = GENERATORS[name].example
    if any(":" in key for key in texts):
        pytest.skip("its example stands in XMP")
    found = embedded_prompt(png(dict(texts), compressed=compressed, international=True))
    assert found.generator == name
    assert found.prompt is not None
    assert (found.prompt.text, found.prompt.negative) == (wanted.text, wanted.negative)
    assert found.prompt.settings == wanted.settings
    assert not found.problems


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"UNICODE\0", "utf-16-be"), (b"UNICODE\0", "utf-16-le"), (b"UNICODE\0", "utf-8"), (b"\0" * 8, "utf-8")],
)
def test_comments_of_exif_in_every_encoding_that_tools_write(kind: str, mark: bytes, encoding: str) -> None:
    if not features.check(kind.lower().replace("jpeg", "jpg")):
        pytest.skip(f"Pillow has no {kind} here")
    found = embedded_prompt(with_comment(kind, mark + A1111_TEXT.encode(encoding)))
    assert found.prompt is not None
    assert (found.generator, found.prompt.text, found.prompt.negative) == ("A1111", "a cat,\nfur, ☕", "dog")
    assert found.prompt.settings["Sampler"] == "Euler a"


def test_parameters_keep_line_breaks_and_quoted_values() -> None:
    found = parse_parameters(A1111_TEXT)
    assert found.text == "a cat,\nfur, ☕"
    assert found.settings["Hashes"] == "a: 1, b"
    assert found.settings["Steps"] == "20"


def test_a_dump_is_read_record_by_record() -> None:
    texts = [prompt.text for prompt in parse_dump("a\nSteps: 1, Seed: 2\n\nb\nNegative prompt: c\nSteps: 3, Seed: 4\n")]
    assert texts == ["a", "b"]


@given(st.text())
def test_no_parameters_fail_or_lose_text(text: str) -> None:
    found = parse_parameters(text)
    kept = "".join((found.text, found.negative, *found.settings, *found.settings.values()))
    words = {word for word in text.split() if word.isalpha()}
    assert all(word in kept or word in "Negative prompt" for word in words)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_pictures_are_never_an_exception(data: st.DataObject) -> None:
    whole = bytearray(
        data.draw(st.sampled_from([png({"parameters": A1111_TEXT}), with_comment("JPEG", b"ASCII\0\0\0x")]))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    embedded_prompt(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@given(st.binary(max_size=300))
def test_any_bytes_are_taken(content: bytes) -> None:
    assert embedded_prompt(content).prompt is None


def test_a_text_that_inflates_to_a_gigabyte_is_left_out() -> None:
    squeeze = zlib.compressobj(9)
    body = b"".join([*(squeeze.compress(bytes(2**20)) for _ in range(1024)), squeeze.flush()])
    bomb = png({})[:33] + chunk(b"zTXt", b"parameters\0\0" + body) + png({})[33:]
    tracemalloc.start()
    found = embedded_prompt(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.prompt is None
    assert found.problems
    assert peak < 100 * 2**20


@pytest.mark.parametrize("what", ["chunks", "depth", "circle", "numbers"])
def test_hostile_texts_end_soon(what: str) -> None:
    deep = '{"prompt": ' + "[" * 100_000
    circle = '{"1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0], "negative": ["2", 0]}}, "2": '
    circle += '{"class_type": "StringConcat", "inputs": {"text_a": ["2", 0], "text_b": ["2", 0], "clip": ["1", 0]}}}'
    hostile = {
        "chunks": png({})[:33] + chunk(b"tEXt", b"a\0b") * 1_000_000 + png({})[33:],
        "depth": png({"Comment": deep, "prompt": deep, "workflow": deep, "parameters": deep}),
        "circle": png({"prompt": circle}),
        "numbers": png({"prompt": "9" * 100_000, "parameters": "Steps: " + "9" * 100_000}),
    }[what]
    start = time.process_time()
    embedded_prompt(hostile)
    assert time.process_time() - start < 5


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    found = embedded_prompt(tmp_path / "a.png")
    assert found.prompt is None
    assert "no PNG" in found.problems[0]
    with pytest.raises(PromptsError, match="no picture"):
        embedded_prompt(tmp_path / "missing.png")
    with pytest.raises(PromptsError, match="folder"):
        embedded_prompt(tmp_path)


def test_entities_of_xmp_are_not_expanded() -> None:
    xmp = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<rdf:Description><dc:description><rdf:Alt><rdf:li>&b;</rdf:li></rdf:Alt></dc:description></rdf:Description>"
        "</rdf:RDF></x:xmpmeta>"
    )
    found = embedded_prompt(png({"XML:com.adobe.xmp": xmp}, international=True))
    assert found.prompt is None or "aaaa" not in found.prompt.text

"""Texts inside pictures: nothing in them takes long, fills the memory, or expands.

What must take linear time is given at a size that takes hours otherwise.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clipnb.prompts.containers.chunks import MOST_CHUNKS
from clipnb.prompts.containers.texts import LONGEST_TEXT, MOST_TEXT
from clipnb.prompts.generators.comfyui import MOST_LINKS
from clipnb.prompts.metadata import embedded_prompt, parse_parameters
from tests.prompts.picture_files import box, chunk, png, png_with, with_exif, with_xmp, xmp_of


@contextmanager
def bounded_memory(megabytes: int = 300) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 2**20


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_text_that_inflates_to_a_gigabyte_is_left_out(kind: bytes) -> None:
    squeeze = zlib.compressobj(9)
    first, next_ = (squeeze.compress(bytes(2**20)) + squeeze.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    body = first + next_ * 1023
    flags = {b"zTXt": b"\0", b"iTXt": b"\1\0\0\0"}[kind]
    bomb = png_with(chunk(kind, b"parameters\0" + flags + body))
    with bounded_memory(100):
        found = embedded_prompt(bomb)
    assert found.prompt is None
    assert "16 MiB" in found.problems[0]


def test_many_texts_together_have_a_limit() -> None:
    part = chunk(b"tEXt", b"a\0" + b"x" * 2**20)
    content = png_with(part * (MOST_TEXT // 2**20 + 4))
    assert "16 MiB" in embedded_prompt(content).problems[0]


class Counted(io.BytesIO):
    """A file that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize(
    ("start", "repeated"),
    [
        (png({})[:33], chunk(b"tEXt", b"a\0")),
        (png({})[:33], chunk(b"teXt", b"")),
        (b"\xff\xd8", b"\xff"),
        (b"\xff\xd8\xff", b"\xe5\0\0\xff"),
        (b"\xff\xd8\xff", b"\xfe\0\3x\xff"),
        (b"RIFF\0\0\0\0WEBP", b"VP8 \0\0\0\0"),
        (b"RIFF\0\0\0\0WEBP", b"XMP \2\0\0\0<>"),
        (box(b"ftyp", b"avif\0\0\0\0"), box(b"free", b"")),
    ],
)
def test_ten_million_chunks_are_given_up(start: bytes, repeated: bytes) -> None:
    file = Counted(start + repeated * 10_000_000)
    found = embedded_prompt(file)
    assert found.prompt is None
    assert found.problems
    assert file.reads < 4 * MOST_CHUNKS


def test_items_of_avif_whose_parts_take_no_bytes_are_refused() -> None:
    parts = struct.pack(">IHH", 0, 0, 65535) + b"".join(struct.pack(">HHH", i, 0, 65535) for i in range(65535))
    infe = box(b"infe", struct.pack(">IHH4s", 2 << 24, 1, 0, b"Exif"))
    iinf = box(b"iinf", struct.pack(">IH", 0, 1) + infe)
    meta = box(b"meta", bytes(4) + iinf + box(b"iloc", parts))
    with bounded_memory():
        assert embedded_prompt(box(b"ftyp", b"avif\0\0\0\0") + meta).problems == ("its boxes are damaged",)


@pytest.mark.parametrize("place", [2**32 - 1, 2**63 - 1, 2**64 - 1])
def test_items_of_avif_beyond_the_file_are_told(tmp_path: Path, place: int) -> None:
    iloc = box(b"iloc", struct.pack(">IHHHHHQQ", 0, 0x8800, 1, 1, 0, 1, place, 8))
    iinf = box(b"iinf", struct.pack(">IH", 0, 1) + box(b"infe", struct.pack(">IHH4s", 2 << 24, 1, 0, b"Exif")))
    (tmp_path / "a.avif").write_bytes(box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", bytes(4) + iinf + iloc))
    assert embedded_prompt(tmp_path / "a.avif").problems == ("its boxes are damaged",)


def test_exif_whose_directory_names_itself_and_endless_values() -> None:
    entry = struct.pack("<HHI4s", 0x8769, 4, 1, struct.pack("<I", 8))
    endless = struct.pack("<HHI4s", 0x9286, 7, 2**32 - 1, struct.pack("<I", 8))
    exif = b"II*\0" + struct.pack("<IH", 8, 2) + entry + endless + bytes(4)
    with bounded_memory():
        embedded_prompt(png_with(chunk(b"eXIf", exif)))


def test_long_tag_of_exif_that_comes_65535_times_is_copied_once() -> None:
    length = 8 * 2**20
    tag = struct.pack("<HHII", 0x9286, 7, length, 8)
    exif = b"II*\0" + struct.pack("<IH", 8, 65535) + tag * 65535 + bytes(length)
    assert embedded_prompt(png_with(chunk(b"eXIf", exif))).prompt is None


def test_item_of_avif_in_a_hundred_thousand_parts() -> None:
    parts = struct.pack(">IHHHHH", 0, 0x4400, 2, 1, 0, 50_000) + struct.pack(">II", 0, 160) * 50_000
    parts += struct.pack(">HHH", 2, 0, 50_000) + struct.pack(">II", 0, 160) * 50_000
    infe = [box(b"infe", struct.pack(">IHH4s", 2 << 24, item, 0, b"Exif")) for item in (1, 2)]
    meta = box(b"meta", bytes(4) + box(b"iinf", struct.pack(">IH", 0, 2) + b"".join(infe)) + box(b"iloc", parts))
    with bounded_memory(100):
        assert embedded_prompt(box(b"ftyp", b"avif\0\0\0\0") + meta).problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_of_xmp_are_not_expanded(encoding: str) -> None:
    entities = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 10))
    xmp = f"<!DOCTYPE x [<!ENTITY e0 'aaaaaaaaaa'>{entities}]>" + xmp_of("<dc:description>&e9;</dc:description>")
    with bounded_memory():
        found = embedded_prompt(png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode(encoding))))
    assert found.prompt is None
    assert found.problems == ("its XMP has a document type, which is not read",)


def test_files_that_xmp_names_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    xmp = f"<!DOCTYPE x [<!ENTITY e SYSTEM 'file://{tmp_path}/secret'>]>"
    found = embedded_prompt(with_xmp("JPEG", xmp + xmp_of("<dc:description>&e;</dc:description>")))
    assert found.prompt is None


def test_xmp_nested_without_end() -> None:
    with bounded_memory():
        embedded_prompt(with_xmp("PNG", xmp_of("<dc:description>" + "<a>" * 300_000)))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_of_depth_100000_is_told(opening: str) -> None:
    deep = '{"prompt": ' + opening * 100_000
    texts = dict.fromkeys(("prompt", "workflow", "parameters", "Comment", "invokeai_metadata", "sd-metadata"), deep)
    found = embedded_prompt(png(texts))
    assert found.prompt is None
    assert any("too deeply" in problem for problem in found.problems)


@pytest.mark.parametrize("depth", range(50, 1000, 50))
def test_json_that_is_just_not_too_deep_is_written_out(depth: int) -> None:
    embedded_prompt(png({"invokeai_metadata": '{"positive_prompt": "a", "x": ' + "[" * depth + "]" * depth + "}"}))


def test_numbers_of_a_million_digits_cost_nothing() -> None:
    content = png({"parameters": '{"sui_image_params": {"prompt": "a", "seed": ' + "9" * 1_000_000 + "}}"})
    with bounded_memory():
        assert embedded_prompt(content).prompt is not None


def test_numbers_that_are_alike_take_the_room_of_one() -> None:
    content = png({"invokeai_metadata": '{"positive_prompt": "a", "x": {"y": [' + "1," * 2_000_000 + "1]}}"})
    with bounded_memory(100):
        assert embedded_prompt(content).prompt is not None


def graph(nodes: dict[str, dict[str, object]]) -> bytes:
    sampler = {
        "class_type": "KSampler",
        "inputs": {name: ["1", 0] for name in ("positive", "negative", "latent_image")},
    }
    kind = {"class_type": "StringConcatenate"}
    return png(
        {"prompt": json.dumps({"0": sampler, **{key: kind | {"inputs": value} for key, value in nodes.items()}})}
    )


def test_circles_in_a_graph_end() -> None:
    content = graph(
        {"1": {"string_a": ["2", 0], "string_b": "a cat"}, "2": {"string_a": ["1", 0], "string_b": ["2", 0]}}
    )
    found = embedded_prompt(content)
    assert found.prompt is not None
    assert found.prompt.text == "a cat"


def test_literal_that_is_linked_in_a_circle() -> None:
    nodes = {"1": {"string": "a cat", "seed": ["2", 0]}, "2": {"seed": ["2", 0]}}
    assert embedded_prompt(graph(nodes)).prompt is not None


def test_chain_of_20000_nodes_is_given_up() -> None:
    content = graph({str(i): {"string_a": [str(i + 1), 0], "string_b": f"t{i}"} for i in range(1, 20_000)})
    with bounded_memory():
        found = embedded_prompt(content)
    assert f"{MOST_LINKS} links" in found.problems[0]


def test_chain_of_nodes_in_a_graph_without_a_sampler_is_given_up() -> None:
    nodes = {
        str(i): {"class_type": "CLIPTextEncode", "inputs": {"text": [str(i + 1), 0]}} for i in range(MOST_LINKS + 2)
    }
    assert f"{MOST_LINKS} links" in embedded_prompt(png({"prompt": json.dumps(nodes)})).problems[0]


def test_texts_that_double_at_every_node_are_given_up() -> None:
    nodes = {
        str(i): {"string_a": [str(i + 1), 0], "string_b": [str(i + 1), 0], "delimiter": "x"} for i in range(1, 100)
    }
    with bounded_memory():
        found = embedded_prompt(graph({**nodes, "100": {"string": "abc"}}))
    assert "characters" in found.problems[0]


def test_text_that_a_hundred_thousand_links_join_is_given_up() -> None:
    links = {f"string_{number}": ["2", 0] for number in range(100_000)}
    with bounded_memory():
        found = embedded_prompt(graph({"1": {"delimiter": "", **links}, "2": {"string": "x" * 1_000_000}}))
    assert "characters" in found.problems[0]


def test_texts_that_are_too_long_are_not_joined_again_for_each_sampler() -> None:
    nodes: dict[str, object] = {"t": {"class_type": "String", "inputs": {"string": "x" * 3_000_000}}}
    for number in range(20_000):
        texts = {f"text_{i}": ["t", 0] for i in range(4)}
        nodes[f"e{number}"] = {"class_type": "CLIPTextEncode", "inputs": {"delimiter": "", **texts}}
        nodes[f"k{number}"] = {"class_type": "KSampler", "inputs": {"positive": [f"e{number}", 0]}}
    found = embedded_prompt(png({"prompt": json.dumps(nodes)}))
    assert found.prompt is None
    assert "characters" in found.problems[0]


@pytest.mark.parametrize(
    "piece",
    [
        "a,",
        'a: "',
        "a: [1,",
        'a: ["",',
        "a: {",
        "a: ",
        "a",
        " ",
        "\n",
        "Steps: 1\n",
        "Negative prompt:",
        "\\",
        'a: "\\\\',
    ],
)
def test_settings_of_any_form_take_linear_time(piece: str) -> None:
    parse_parameters("a cat\nSteps: 1, " + piece * 3_000_000)


def test_lists_inside_lists_that_are_never_closed() -> None:
    parse_parameters("a cat\nSteps: 1, " + "[1," * 900 + "1," * 1_000_000)


def test_parameters_beyond_a_million_characters_are_told() -> None:
    found = embedded_prompt(png({"parameters": "Steps: 1," + "a," * LONGEST_TEXT}))
    assert found.prompt is None
    assert "1,000,000 characters" in found.problems[0]


def test_problems_do_not_grow_without_end() -> None:
    bad = b"".join(chunk(b"zTXt", b"%d\0\0x" % i) for i in range(10_000))
    assert len(embedded_prompt(png_with(bad)).problems) <= 20


def test_no_picture_is_decoded() -> None:
    program = "import sys, clipnb.prompts.metadata as m; m.embedded_prompt(b'x'); print('PIL' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_lying_marks_of_comments_never_raise() -> None:
    for mark in (b"UNICODE\0", b"JIS\0\0\0\0\0", b"ASCII\0\0\0", b"\xff" * 8):
        for body in (b"\xd8\x00" * 5, b"\xff\xfe\x00", b"\x1b$B\x80", bytes(range(256))):
            embedded_prompt(with_exif("JPEG", {}, mark + body))

"""Files whole, damaged, turned, enormous and of formats that are not read."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageOps

from clipnb import images
from clipnb.errors import ImageError
from tests.images.made import encoded, gradient


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


NOISE = np.random.default_rng(0).bytes(2_500_000)

IN_PNG = {
    "profile of 2 MB": chunk(b"iCCP", b"p\0\0" + zlib.compress(NOISE)),
    "profile of another method": chunk(b"iCCP", b"p\0\7" + zlib.compress(b"x")),
    "text of 3 MB": chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 3_000_000)),
    "text of 80 MB": chunk(b"tEXt", b"k\0" + b"x" * 80_000_000),
    "damaged text": chunk(b"tEXt", b"k\0hello")[:-4] + b"\0\0\0\0",
    "no EXIF": chunk(b"eXIf", b"garbage!!!!"),
    "short resolution": chunk(b"pHYs", b"\0" * 3),
    "short gamma": chunk(b"gAMA", b"\0"),
    "short animation": chunk(b"acTL", b"\0"),
}

IN_JPEG = {
    "short colours": segment(0xEE, b"Adobe\0"),
    "no EXIF": segment(0xE1, b"Exif\0\0garbage!!!"),
    "part of a profile": segment(0xE2, b"ICC_PROFILE\0\1\3" + b"x" * 100),
    "damaged resources": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x05abc"),
    "short beginning": segment(0xE0, b"JFIF\0\1"),
}


def test_camera_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter turn clockwise
    turned = images.open_image(encoded(gradient(40, 30), "JPEG", exif=exif))
    assert turned.size == (30, 40)


def test_an_animation_gives_its_first_frame() -> None:
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    animated = encoded(red, "GIF", save_all=True, append_images=[blue])
    assert images.open_image(animated).getpixel((0, 0)) == (255, 0, 0)


def test_truncated_file(tmp_path: Path) -> None:
    content = encoded(gradient(200, 200), "JPEG")
    (tmp_path / "half.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match=r"half\.jpg is damaged"):
        images.open_image(tmp_path / "half.jpg")


@pytest.mark.parametrize("error", [RuntimeError("no item\n in it"), AssertionError(), KeyError("3"), MemoryError()])
def test_whatever_a_decoder_raises_is_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Image.Image:
        raise error  # as those of AVIF and ICNS do with damaged files

    monkeypatch.setitem(Image.OPEN, "PNG", (fail, None))
    with pytest.raises(ImageError, match=r"holiday is damaged: .+") as told:
        images.open_image(b"something", "holiday")
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"not a picture at all", b"\x89PNG\r\n\x1a\n"])
def test_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"text\.png"):
        images.open_image(tmp_path / "text.png")


@pytest.mark.parametrize("side", [9100, 100_000])
def test_enormous_pictures_are_refused_before_they_are_decoded(side: int) -> None:
    with pytest.raises(ImageError, match="million"):
        images.open_image(png_that_claims(side, side))


@pytest.mark.parametrize("damage", IN_PNG.values(), ids=IN_PNG.keys())
def test_a_png_is_whole_whatever_stands_beside_its_pixels(damage: bytes) -> None:
    whole = encoded(gradient())
    turned = Image.Exif()
    turned[0x0112] = 3
    for content in (whole, encoded(gradient(), exif=turned) if b"eXIf" not in damage else whole):
        opened = images.open_image(content[:33] + damage + content[33:] + b"and what follows its end")
        assert np.array_equal(np.asarray(opened), np.asarray(images.open_image(content)))


@pytest.mark.parametrize("damage", IN_JPEG.values(), ids=IN_JPEG.keys())
def test_a_jpeg_is_whole_whatever_stands_beside_its_pixels(damage: bytes) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    for content in (encoded(gradient(), "JPEG"), encoded(gradient(), "JPEG", exif=turned)):
        damaged = content[:2] + damage + (content[2:] if damage[1] != 0xE0 else content[20:]) + b"and what follows"
        opened = images.open_image(damaged)
        assert opened.size in ((40, 30), (30, 40))
        if b"Exif" not in damage:  # the first one counts
            assert np.array_equal(np.asarray(opened), np.asarray(images.open_image(content)))


def test_webp_with_damaged_exif_is_whole() -> None:
    assert images.open_image(encoded(gradient(), "WEBP", exif=b"Exif\0\0garbage")).size == (40, 30)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_is_turned_once_and_as_pillow_does(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    content = encoded(gradient(), "PNG", exif=exif)
    opened = images.open_image(content)
    assert np.array_equal(np.asarray(opened), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content)))))
    assert images.open_image(opened) is opened


def test_no_warning_stands_beside_the_error(recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(ImageError, match="10000 x 10000 pixels"):
        images.open_image(png_that_claims(10_000, 10_000))
    assert not recwarn.list


def test_heif_asks_for_its_plugin_and_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"\0\0\0\x18ftypheic\0\0\0\0"
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match="pip install pillow-heif"):
        images.open_image(content)

    def register() -> None:
        monkeypatch.setitem(Image.OPEN, "HEIF", (lambda *_: gradient(), None))

    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(register_heif_opener=register))
    assert images.open_image(content).size == (40, 30)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_warning_of_damaged_exif_comes_from_reading(kind: str, recwarn: pytest.WarningsRecorder) -> None:
    whole = Image.Exif()
    whole[0x0112], whole[0x010F], whole[0x0110] = 6, "a maker" * 9, "a model" * 9
    torn = whole.tobytes()[:40]
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, kind, exif=torn)
    assert images.open_image(file.getvalue()).getpixel((0, 0))[1] < 9
    assert [str(one.message) for one in recwarn] == []
    opened = Image.open(file)
    recwarn.clear()  # of what Pillow said when it was asked itself
    images.open_image(opened)
    assert [str(one.message) for one in recwarn] == []

"""Pictures of every kind come out as plain RGB; what is none is refused in plain words."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clipnb import images
from clipnb.errors import ImageError, OutputError


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], -1).astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    opened = images.open_image(gradient().convert(mode))
    assert opened.mode == "RGB"
    assert opened.size == (40, 30)


def test_transparency_is_laid_over_white() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert images.open_image(encoded(clear)).getpixel((0, 0)) == (255, 255, 255)


def test_transparent_palette_colour_is_laid_over_white() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([0, 0, 255] + [0] * 765)
    assert images.open_image(encoded(palette, transparency=0)).getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bits_keep_their_brightness() -> None:
    deep = Image.fromarray(np.full((4, 4), 32896, dtype=np.uint16))
    assert images.open_image(encoded(deep)).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_floats_keep_their_brightness(white: float) -> None:
    levels = np.linspace(0, white, 256, dtype=np.float32).reshape(16, 16)
    image = images.open_image(encoded(Image.fromarray(levels), "TIFF"))
    assert np.array_equal(np.asarray(image)[..., 0].ravel(), np.arange(256))


def test_camera_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter turn clockwise
    turned = images.open_image(encoded(gradient(40, 30), "JPEG", exif=exif))
    assert turned.size == (30, 40)


def test_an_animation_gives_its_first_frame() -> None:
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    animated = encoded(red, "GIF", save_all=True, append_images=[blue])
    assert images.open_image(animated).getpixel((0, 0)) == (255, 0, 0)


def test_what_needs_no_change_is_not_copied() -> None:
    picture = gradient()
    assert images.open_image(picture) is picture


def test_there_and_back_again_changes_nothing() -> None:
    picture = gradient()
    tensor = images.to_tensor(picture)
    assert tensor.shape == (3, 30, 40)
    assert tensor.dtype == torch.float32
    assert np.array_equal(np.asarray(images.to_pil(tensor)), np.asarray(picture))


def test_bytes_are_the_tensor_in_a_quarter_of_the_size() -> None:
    pixels = images.to_bytes(gradient())
    assert pixels.dtype == torch.uint8
    assert pixels.is_contiguous()
    assert torch.equal(pixels.float() / 255, images.to_tensor(gradient()))


def test_arrays_of_both_kinds() -> None:
    eight_bit = np.asarray(gradient())
    assert np.array_equal(np.asarray(images.open_image(eight_bit)), eight_bit)
    assert np.array_equal(np.asarray(images.open_image(eight_bit / 255.0)), eight_bit)


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((2, 2, 2, 2)), "no picture"),
        (np.zeros((5, 5, 2)), "no picture"),
        (np.full((5, 5, 3), 7.0), "divide"),
        (np.zeros((5, 5), dtype=np.int64), "uint8"),
        (np.zeros((0, 5, 3), dtype=np.uint8), "no pixels"),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray, word: str) -> None:
    with pytest.raises(ImageError, match=word):
        images.open_image(array)


def test_truncated_file(tmp_path: Path) -> None:
    content = encoded(gradient(200, 200), "JPEG")
    (tmp_path / "half.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match=r"half\.jpg is damaged"):
        images.open_image(tmp_path / "half.jpg")


@pytest.mark.parametrize("error", [RuntimeError("no item\n in it"), AssertionError(), IndexError("3"), MemoryError()])
def test_whatever_a_decoder_raises_is_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Image.Image:
        raise error  # as those of AVIF and ICNS do with damaged files

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageError, match=r"holiday is damaged: .+") as told:
        images.open_image(b"something", "holiday")
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"not a picture at all", b"\x89PNG\r\n\x1a\n"])
def test_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"text\.png"):
        images.open_image(tmp_path / "text.png")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no picture"):
        images.open_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="is a folder"):
        images.open_image(tmp_path)


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9100, 100_000])
def test_enormous_pictures_are_refused_before_they_are_decoded(side: int) -> None:
    with pytest.raises(ImageError, match="million"):
        images.open_image(png_that_claims(side, side))


def test_an_address_that_does_not_answer() -> None:
    with pytest.raises(ImageError, match="cannot download"):
        images.open_image("http://127.0.0.1:9/picture.png")


def test_saving_by_suffix(tmp_path: Path) -> None:
    path = images.save_image(images.to_tensor(gradient()), tmp_path / "new" / "a.png")
    assert np.array_equal(np.asarray(images.open_image(path)), np.asarray(gradient()))
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


def test_saving_under_a_strange_suffix(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"use \.png"):
        images.save_image(gradient(), tmp_path / "a.docx")
    assert not list(tmp_path.iterdir())


def test_saving_where_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="choose another folder"):
        images.save_image(gradient(), tmp_path / "file" / "a.png")


@pytest.mark.parametrize("path", ["a\0b.png", "~nobody-at-all/x.png"])
def test_what_is_no_path_is_told(path: str) -> None:
    with pytest.raises(ImageError):
        images.open_image(path)


def test_a_format_that_is_only_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no picture format"):
        images.save_image(Image.new("RGB", (1, 1)), tmp_path / "x.psd")

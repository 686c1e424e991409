"""Pictures of every kind come out as plain RGB; what is none is refused in plain words."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps, PngImagePlugin

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


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_light_artwork_is_laid_over_black_and_dark_over_white(mode: str) -> None:
    for level, expected in ((250, (0, 0, 0)), (170, (255, 255, 255)), (0, (255, 255, 255))):
        art = Image.new("RGBA", (300, 200), (level, level, level, 0))
        art.paste((level, level, level, 255), (100, 50, 200, 150))
        if mode == "PA":
            drawn = art.convert("L").convert("P")
            drawn.putalpha(art.getchannel("A"))  # which `convert("PA")` of Pillow 11 loses
        else:
            drawn = art.convert(mode)
        opened = images.open_image(encoded(drawn, "TIFF" if mode == "PA" else "PNG"))
        assert opened.getpixel((0, 0)) == expected
        assert opened.getpixel((150, 100)) == (level, level, level)
        assert images.backdrop_of(opened) == ("black" if level == 250 else "")


@pytest.mark.parametrize(("backdrop", "colour"), [("white", (255, 255, 255)), ("#336699", (0x33, 0x66, 0x99))])
def test_a_backdrop_may_be_chosen(backdrop: str, colour: tuple[int, int, int]) -> None:
    art = Image.new("RGBA", (30, 30), (255, 255, 255, 0))
    opened = images.open_image(art, backdrop=backdrop)
    assert opened.getpixel((0, 0)) == colour
    assert not images.backdrop_of(opened)


@pytest.mark.parametrize("backdrop", ["plaid", "", None, 7])
def test_a_backdrop_that_is_no_colour_is_told(backdrop: str) -> None:
    with pytest.raises(ImageError, match="a backdrop is 'auto' or a colour"):
        images.open_image(gradient(), backdrop=backdrop)


def test_a_text_in_a_file_is_not_taken_for_the_chosen_backdrop() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("backdrop", "black")
    assert not images.backdrop_of(images.open_image(encoded(gradient(), pnginfo=info)))


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


def sources(content: bytes, folder: Path) -> list[object]:
    """The same picture through every entrance."""
    path = folder / "a.png"
    path.write_bytes(content)
    inline = f"data:image/png;base64,{b64encode(content).decode()}"
    return [path, str(path), content, bytearray(content), io.BytesIO(content), inline, f"data:,{quote(content)}"]


def test_a_picture_comes_in_by_every_entrance(tmp_path: Path) -> None:
    pixels = np.asarray(gradient())
    for source in sources(encoded(gradient()), tmp_path):
        assert np.array_equal(np.asarray(images.open_image(source)), pixels)
    tensor = images.to_tensor(gradient())
    for made in (tensor, tensor[None], tensor.double(), tensor.permute(1, 2, 0), (255 * tensor).round().byte()):
        assert np.array_equal(np.asarray(images.open_image(made)), pixels)
    assert images.open_image(tensor.bfloat16()).size == (40, 30)
    assert images.open_image(tensor[0]).size == (40, 30)


def test_half_a_picture_is_an_error_by_every_entrance(tmp_path: Path) -> None:
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)))
    half = content[: len(content) // 2]
    for source in [*sources(half, tmp_path), Image.open(io.BytesIO(half))]:
        with pytest.raises(ImageError, match="is damaged") as told:
            images.open_image(source)
        assert len(str(told.value)) < 400


def closed_image() -> Image.Image:
    image = Image.open(io.BytesIO(encoded(gradient())))
    image.close()
    return image


@pytest.mark.parametrize(
    "source",
    [
        *([0] * 10_000, None, 7, object(), {"a": 1}),
        *(np.array([object()] * 9).reshape(3, 3), np.full((3, 3), "a"), np.zeros((3, 3), complex)),
        *(np.zeros((10_000, 10_000), np.uint8), torch.zeros(2, 3, 9, 9), torch.zeros(0), torch.full((3, 9, 9), 7.0)),
        *(io.StringIO("text"), "data:image/png;base64,????", "data:nothing", "data:," + "x" * 10_000, "x" * 10_000),
        *(closed_image(), Image.new("RGB", (0, 9)), torch.zeros(3, 9, 9, device="meta")),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_picture_is_told_shortly(source: object) -> None:
    with pytest.raises(ImageError) as told:
        images.open_image(source)
    assert len(str(told.value)) < 400


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

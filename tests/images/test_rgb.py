"""Pixels of any kind become eight bits of RGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from clipnb import images
from clipnb.errors import ImageError
from tests.images.made import encoded, gradient


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


def test_what_needs_no_change_is_not_copied() -> None:
    picture = gradient()
    assert images.open_image(picture) is picture

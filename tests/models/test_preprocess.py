"""The square that an encoder looks at is what scaling the whole picture and cutting would give."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clipnb.models.preprocess import centre_square, cut_of_scaled

BICUBIC = Image.Resampling.BICUBIC


def texture(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).normal(128, 40, (height, width, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("size", [(90, 60), (61, 200), (333, 57), (24, 24), (17, 40)])
def test_only_what_is_cut_out_is_computed(size: tuple[int, int]) -> None:
    picture = texture(*size)
    scaled = (24 * size[0] // min(size), 24 * size[1] // min(size))
    left, top = round((scaled[0] - 24) / 2), round((scaled[1] - 24) / 2)
    whole = picture.resize(scaled, BICUBIC).crop((left, top, left + 24, top + 24))
    square = centre_square(picture, 24, BICUBIC)
    difference = np.abs(np.asarray(whole, dtype=int) - np.asarray(square))
    assert difference.mean() < 0.5, "nothing but rounding differs"


def test_a_corner_is_where_it_was() -> None:
    picture = texture(80, 50)
    whole = picture.resize((64, 40), BICUBIC).crop((30, 3, 62, 35))
    square = cut_of_scaled(picture, (64, 40), (30, 3), 32, BICUBIC)
    assert np.abs(np.asarray(whole, dtype=int) - np.asarray(square)).mean() < 0.5


def test_a_thread_of_pixels_takes_no_more_memory_than_others() -> None:
    assert centre_square(Image.new("RGB", (1, 50_000), "red"), 224, BICUBIC).getpixel((9, 9)) == (255, 0, 0)

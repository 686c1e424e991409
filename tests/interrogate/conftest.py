"""A small encoder and pictures that tests of interrogation share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clipnb.interrogate import Interrogator, Settings
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model

SMALL_LISTS = {
    "mediums": ["a photo", "an oil painting", "a woodcut"],
    "movements": ["cubism", "baroque", "ukiyo-e"],
    "artists": ["Hokusai", "Frida Kahlo"],
    "trendings": ["ArtStation", "Flickr"],
    "flavors": [
        f"{colour} {thing}" for colour in ("red", "green", "dark", "pale") for thing in ("sky", "light", "sea")
    ],
    "negative": ["blurry", "watermark", "cropped"],
    "objects": ["a cup of coffee", "a cat", "a lighthouse", "a pair of shoes"],
}


@pytest.fixture(scope="session")
def encoder(tiny_clip: str) -> DualEncoder:
    return load_model(tiny_clip, "cpu")


@pytest.fixture(scope="session")
def lite() -> DualEncoder:
    return load_model("lite", "cpu")


@pytest.fixture
def photo() -> Image.Image:
    import skimage.data

    return Image.fromarray(skimage.data.coffee())


@pytest.fixture
def small_lists() -> dict[str, list[str]]:
    return SMALL_LISTS


@pytest.fixture
def small(encoder: DualEncoder, tmp_path: Path) -> Callable[..., Interrogator]:
    """Make an interrogator with small lists, the small encoder and a cache of its own."""

    def make(**changes: object) -> Interrogator:
        settings = Settings(quiet=True, cache_path=tmp_path / "tables").changed(**changes)
        return Interrogator(encoder, labels=SMALL_LISTS, settings=settings)

    return make


@pytest.fixture
def drawn(tmp_path: Path) -> Callable[[int], Path]:
    """Make a folder of small pictures that are all different, every tenth one damaged."""

    def draw(count: int) -> Path:
        folder = tmp_path / "drawn"
        folder.mkdir()
        noise = np.random.default_rng(0)
        for number in range(count):
            path = folder / f"{number:05}.png"
            Image.fromarray(noise.integers(0, 255, (48, 40, 3), dtype=np.uint8)).save(path)
            if number % 10 == 3:
                path.write_bytes(path.read_bytes()[: 20 * (number % 4)])
        return folder

    return draw

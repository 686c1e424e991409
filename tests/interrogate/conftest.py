"""A small encoder and pictures that tests of interrogation share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from clipnb.interrogate import Interrogator, Settings
from clipnb.models.encoder import DualEncoder
from clipnb.models.registry import load_model

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

"""Every entrance of a picture."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import torch
from PIL import Image

from clipnb import images
from clipnb.errors import ImageError
from tests.images.made import encoded, gradient


def sources(content: bytes, folder: Path) -> list[object]:
    """The same picture through every entrance."""
    path = folder / "a.png"
    path.write_bytes(content)
    inline = f"data:image/png;base64,{b64encode(content).decode()}"
    return [path, str(path), content, bytearray(content), io.BytesIO(content), inline, f"data:,{quote(content)}"]


def closed_image() -> Image.Image:
    image = Image.open(io.BytesIO(encoded(gradient())))
    image.close()
    return image


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


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no picture"):
        images.open_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="is a folder"):
        images.open_image(tmp_path)


def test_an_address_that_does_not_answer() -> None:
    with pytest.raises(ImageError, match="cannot download"):
        images.open_image("http://127.0.0.1:9/picture.png")


@pytest.mark.parametrize("path", ["a\0b.png", "~nobody-at-all/x.png"])
def test_what_is_no_path_is_told(path: str) -> None:
    with pytest.raises(ImageError):
        images.open_image(path)


def test_a_picture_comes_in_by_every_entrance(tmp_path: Path) -> None:
    pixels = np.asarray(gradient())
    for source in sources(encoded(gradient()), tmp_path):
        assert np.array_equal(np.asarray(images.open_image(source)), pixels)
    tensor = images.to_tensor(gradient())
    for made in (tensor, tensor[None], tensor.double(), tensor.permute(1, 2, 0), (255 * tensor).round().byte()):
        assert np.array_equal(np.asarray(images.open_image(made)), pixels)
    assert images.open_image(tensor.bfloat16()).size == (40, 30)
    assert images.open_image(tensor[0]).size == (40, 30)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_no_numbers_are_no_picture(value: float) -> None:
    tensor = images.to_tensor(gradient())
    tensor[1, 2, 3] = value
    for made in (tensor, tensor.permute(1, 2, 0).numpy(), tensor.half()):
        with pytest.raises(ImageError, match="values that are no numbers"):
            images.open_image(made)


def test_half_a_picture_is_an_error_by_every_entrance(tmp_path: Path) -> None:
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)))
    half = content[: len(content) // 2]
    for source in [*sources(half, tmp_path), Image.open(io.BytesIO(half))]:
        with pytest.raises(ImageError, match="is damaged") as told:
            images.open_image(source)
        assert len(str(told.value)) < 400


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

"""Pictures as tensors, and written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clipnb import images
from clipnb.errors import ImageError, OutputError
from tests.images.made import gradient


def test_there_and_back_again_changes_nothing() -> None:
    picture = gradient()
    tensor = images.to_tensor(picture)
    assert tensor.shape == (3, 30, 40)
    assert tensor.dtype == torch.float32
    assert np.array_equal(np.asarray(images.to_pil(tensor)), np.asarray(picture))


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4), (4, 4, 3), (1, 3, 4, 4), (3, 0, 4)])
def test_a_tensor_that_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"a picture is a tensor \[3, H, W\], not "):
        images.to_pil(torch.zeros(shape))


def test_bytes_are_the_tensor_in_a_quarter_of_the_size() -> None:
    pixels = images.to_bytes(gradient())
    assert pixels.dtype == torch.uint8
    assert pixels.is_contiguous()
    assert torch.equal(pixels.float() / 255, images.to_tensor(gradient()))


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


def test_a_format_that_is_only_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no picture format"):
        images.save_image(Image.new("RGB", (1, 1)), tmp_path / "x.psd")

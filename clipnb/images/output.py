"""Pictures as tensors, and written to files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipnb.errors import ImageError
from clipnb.files import claim, given_back, write_atomically
from clipnb.images.rgb import to_rgb

if TYPE_CHECKING:
    from torch import Tensor


def to_tensor(image: Image.Image) -> Tensor:
    """Return a PIL image of any mode as float32 [3, H, W], RGB in [0, 1]."""
    return to_bytes(image).float() / 255.0


def to_bytes(image: Image.Image) -> Tensor:
    """Return a PIL image of any mode as uint8 [3, H, W], RGB, without torch's threads: for threads that read ahead."""
    import torch

    return torch.from_numpy(np.array(to_rgb(image)).transpose(2, 0, 1).copy())


def to_pil(pixels: Tensor) -> Image.Image:
    """Return a float tensor [3, H, W], clamped to [0, 1], as a PIL image of mode "RGB".

    Raises:
        ImageError: it has another shape.
    """
    if pixels.ndim != 3 or len(pixels) != 3 or not pixels.numel():
        raise ImageError(f"a picture is a tensor [3, H, W], not {list(pixels.shape)}")
    eight_bit = pixels.detach().float().clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(eight_bit.permute(1, 2, 0).cpu().numpy())


def to_png(picture: Image.Image) -> bytes:
    """Return a picture as the content of a PNG file."""
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    return encoded.getvalue()


def save_image(image: Image.Image | Tensor, path: Path) -> Path:
    """Write a picture; nothing is overwritten.

    Args:
        image: a PIL image, or a tensor [3, H, W] in [0, 1].
        path: where to; the suffix gives the format (.png, .jpg, .webp, ...). A name that is taken gets a number.

    Returns:
        Where it was written.

    Raises:
        ImageError: the suffix names no picture format.
        OutputError: the place cannot be written to.
    """
    require_writable(path)
    target = claim(path)
    with given_back(target):
        return write_image(image, target)


def write_image(image: Image.Image | Tensor, path: Path) -> Path:
    """Write a picture, as `save_image` does, to a name that was claimed for it: what is there is replaced."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    require_writable(path)
    encoded = io.BytesIO()
    encoded.name = path.name  # by which Pillow chooses the format
    with write_atomically(path) as temporary:
        picture.save(encoded)  # into memory: written by Pillow, a file that a full disk cuts off would count as whole
        temporary.write_bytes(encoded.getvalue())  # no view: one that an error keeps crashes Python 3.12.1
    return path


def require_writable(path: Path) -> None:
    """Check that the suffix of a path names a format that pictures are written in.

    Raises:
        ImageError: it does not.
    """
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise ImageError(f"cannot write {path.name}: {path.suffix or 'no suffix'} is no picture format; use .png")

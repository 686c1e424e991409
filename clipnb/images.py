"""Pictures in and out: files, bytes, URLs, arrays <-> RGB pictures and float tensors."""

from __future__ import annotations

import io
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Union

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from clipnb.errors import ImageError, first_line, reason
from clipnb.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

MAX_PIXELS = 80_000_000
"""Largest picture that is decoded, in pixels: width times height."""
MAX_BYTES = 256 * 2**20
"""Largest file that is read or downloaded, in bytes."""
_TIMEOUT = 30.0  # seconds without an answer from a server
_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")

ImageSource = Union[str, Path, bytes, "Image.Image", "np.ndarray[tuple[int, ...], np.dtype[np.generic]]"]


def open_image(source: ImageSource, name: str = "") -> Image.Image:
    """Open a picture from wherever it is, as plain RGB.

    The orientation that a camera noted (EXIF) is applied, transparency is laid over white, 16 bits
    and floats (in [0, 1], or in [0, 255]) become 8, and of an animation the first frame is taken.

    Args:
        source: a path, an http(s) URL, the bytes of an image file, a PIL image of any mode, or an
            array [H, W] or [H, W, 3 or 4] of uint8 or of floats in [0, 1].
        name: what errors call it; its path or URL unless given.

    Returns:
        A PIL image of mode "RGB"; `source` itself where it is one that needs no change.

    Raises:
        ImageError: it is missing, no picture, damaged, or larger than `MAX_PIXELS`.
    """
    if isinstance(source, Image.Image):
        return _decode(source, name or "the picture")
    if isinstance(source, np.ndarray):
        return _decode(_from_array(source), name or "the array")
    if isinstance(source, bytes):
        return _from_bytes(source, name or "the upload")
    name = name or str(source)
    return _from_bytes(read_image_file(source, name), name)


def read_image_file(source: str | Path, name: str = "") -> bytes:
    """Read the bytes of an image file, without looking at them.

    Args:
        source: a path, or an http(s) URL.
        name: what errors call it; its path or URL unless given.

    Raises:
        ImageError: it is missing, no file, unreadable, or larger than `MAX_BYTES`.
    """
    text = str(source)
    if is_url(text):
        return _download(text)
    if "\0" in text:
        raise ImageError(f"there is no picture {name or text!r}: a path holds no null character")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:  # ~somebody who has no home here
        raise ImageError(f"cannot read {name or text}: {error}") from error
    return _read(path, name or text)


def is_url(source: str) -> bool:
    """Tell whether a picture is named by a URL that can be downloaded."""
    return source.startswith(("http://", "https://"))


def to_tensor(image: Image.Image) -> Tensor:
    """Turn a picture into a float tensor.

    Args:
        image: a PIL image of any mode.

    Returns:
        float32 [3, H, W], RGB in [0, 1].
    """
    return to_bytes(image).float() / 255.0


def to_bytes(image: Image.Image) -> Tensor:
    """Turn a picture into a tensor of a quarter of the size, without torch's threads: for threads that read ahead.

    Args:
        image: a PIL image of any mode.

    Returns:
        uint8 [3, H, W], RGB.
    """
    import torch

    return torch.from_numpy(np.array(_to_rgb(image)).transpose(2, 0, 1).copy())


def to_pil(pixels: Tensor) -> Image.Image:
    """Turn a float tensor into a picture.

    Args:
        pixels: [3, H, W], RGB; values outside [0, 1] are clamped.

    Returns:
        A PIL image of mode "RGB".
    """
    eight_bit = pixels.detach().float().clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(eight_bit.permute(1, 2, 0).cpu().numpy())


def save_image(image: Image.Image | Tensor, path: Path) -> Path:
    """Write a picture so that the name holds the whole file or nothing new.

    Args:
        image: a PIL image, or a tensor [3, H, W] in [0, 1].
        path: where to; the suffix gives the format (.png, .jpg, .webp, ...).

    Returns:
        The path.

    Raises:
        ImageError: the suffix names no picture format.
        OutputError: the place cannot be written to.
    """
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise ImageError(f"cannot write {path.name}: {path.suffix or 'no suffix'} is no picture format; use .png")
    with write_atomically(path) as temporary:
        picture.save(temporary)
    return path


def _read(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(f"{name} is a folder; name a picture in it")
        if path.exists() and not path.is_file():
            raise ImageError(f"{name} is no file")  # a pipe would be waited for without end
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ImageError(f"{name} has {size / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} MiB are read")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"there is no picture {name}") from None
    except OSError as error:
        raise ImageError(f"cannot read {name}: {reason(error)}") from error


def _download(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "clipnb"})  # noqa: S310 - http(s) only, checked above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        raise ImageError(f"cannot download {url}: {why}") from error
    if len(content) > MAX_BYTES:
        raise ImageError(f"{url} is larger than {MAX_BYTES // 2**20} MiB")
    return content


def _from_bytes(content: bytes, name: str) -> Image.Image:
    try:
        return _decode(Image.open(io.BytesIO(content)), name)
    except UnidentifiedImageError:
        raise ImageError(f"{name} is no picture that can be read (PNG, JPEG, WebP, GIF, TIFF, BMP, ...)") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has too many pixels; at most {MAX_PIXELS / 1e6:.0f} million are read") from None
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files raise anything at all
        raise ImageError(f"{name} is damaged: {first_line(error)}") from error


def _decode(image: Image.Image, name: str) -> Image.Image:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name} has {width} x {height} pixels; at most {MAX_PIXELS / 1e6:.0f} million are read")
    if width * height == 0:
        raise ImageError(f"{name} has no pixels ({width} x {height})")
    image.load()  # a truncated file shows here, not later
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    return _to_rgb(ImageOps.exif_transpose(image) if turned else image)  # which copies what needs no turning


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode in _DEEP_MODES:
        deep = np.asarray(image, dtype=np.float64)
        scale = 257.0 if deep.max(initial=0) > 255 else 1.0  # mode "I" also holds 8-bit values
        image = Image.fromarray(np.clip(deep / scale, 0, 255).round().astype(np.uint8))
    if image.mode == "F":
        levels = np.nan_to_num(np.asarray(image))
        scale = 255.0 if levels.max(initial=0) <= 1 else 1.0  # most programs write floats in [0, 1]
        image = Image.fromarray(np.clip(levels * scale, 0, 255).round().astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _from_array(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Image.Image:
    shape = " x ".join(map(str, array.shape))
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise ImageError(f"an array of {shape} is no picture; use [H, W] or [H, W, 3]")
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.floating):
        values = np.nan_to_num(array.astype(np.float64))
        if values.max(initial=0.0) > 1.0 or values.min(initial=0.0) < 0.0:
            raise ImageError("a picture of floats has values in [0, 1]; divide by the largest, or give uint8")
        array = (values * 255).round().astype(np.uint8)
    if array.dtype != np.uint8:
        raise ImageError(f"a picture is of uint8 or of floats in [0, 1], not {array.dtype}")
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)

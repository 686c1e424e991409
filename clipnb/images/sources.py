"""Where pictures come from: files, URLs, bytes, open files, PIL images, arrays, tensors."""

from __future__ import annotations

import sys
from base64 import b64decode
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Union
from urllib.parse import unquote_to_bytes

import numpy as np
from PIL import Image

from clipnb.download import download, is_url
from clipnb.errors import ImageError, reason, shortened
from clipnb.files import read_bytes
from clipnb.images.decode import decode, from_bytes, in_words
from clipnb.images.limits import MAX_BYTES, MAX_PIXELS
from clipnb.images.rgb import require_backdrop

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST_NAME = 200  # characters that an error calls a picture
Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
ImageSource = Union[str, Path, bytes, bytearray, memoryview, IO[bytes], "Image.Image", Array, "Tensor"]


def open_image(source: ImageSource, name: str = "", *, side: int = 0, backdrop: str = "auto") -> Image.Image:
    """Open a picture from wherever it is, as plain RGB.

    The orientation that a camera noted (EXIF) is applied, transparency is laid over a backdrop, 16 bits
    and floats (in [0, 1], or in [0, 255]) become 8, and of an animation the first frame is taken. What stands beside
    the pixels, such as profiles and texts, is no part of the picture, damaged or not.

    Args:
        source: a path, an http(s) or `data:` URL, the bytes of an image file, a file that is open for reading them, a
            PIL image of any mode, an array [H, W] or [H, W, 3 or 4], or a tensor of this shape or [3 or 4, H, W];
            of uint8, or of floats in [0, 1].
        name: what errors call it; its path or URL unless given.
        side: pixels of the shorter side that are enough; a JPEG is then decoded to a half, quarter or eighth of its
            size, which is several times as fast. 0 decodes it as it is.
        backdrop: what shows through transparency: a colour such as "white" or "#336699"; "auto" is white, and black
            under what would vanish on white.

    Returns:
        A PIL image of mode "RGB"; `source` itself where it is one that needs no change.

    Raises:
        ImageError: it is missing, no picture of `FORMATS`, damaged, larger than `MAX_PIXELS`, or its decoding needs
            more than `MAX_MEMORY`.
    """
    require_backdrop(backdrop)
    if isinstance(source, (Image.Image, np.ndarray)) or _is_tensor(source):
        name = name or ("the picture" if isinstance(source, Image.Image) else "the array")
        with in_words(name):
            image = source if isinstance(source, Image.Image) else _from_array(source)
            return decode(image, name, backdrop)
    if isinstance(source, (str, Path)):
        name = name or shortened(str(source), _LONGEST_NAME)
        return from_bytes(read_image_file(source, name), name, side, backdrop)
    return from_bytes(_bytes_of(source, name or "the upload"), name or "the upload", side, backdrop)


def read_image_file(source: str | Path, name: str = "") -> bytes:
    """Return the bytes of an image file at a path, an http(s) or `data:` URL, without looking at them.

    Args:
        source: a path, or a URL.
        name: what errors call it; its path or URL unless given.

    Raises:
        ImageError: it is missing, no file, unreadable, or larger than `MAX_BYTES`.
    """
    text = str(source)
    name = name or shortened(text, _LONGEST_NAME)
    if text[:5].lower() == "data:":
        return _inline(text, name)
    if is_url(text):
        try:
            return download(text, MAX_BYTES)[1]
        except OSError as error:
            raise ImageError(f"cannot download {name}: {reason(error)}") from error
    try:
        return read_bytes(text, MAX_BYTES)
    except FileNotFoundError:
        raise ImageError(f"there is no picture {name}") from None
    except IsADirectoryError:
        raise ImageError(f"{name} is a folder; name a picture in it") from None
    except OSError as error:
        raise ImageError(f"cannot read {name}: {reason(error)}") from error


def _is_tensor(source: object) -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.Tensor)


def _bytes_of(source: object, name: str) -> bytes:
    """Return the bytes that something holds, or that an open file gives."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    read = getattr(source, "read", None)
    if read is None:
        known = "a path, a URL, bytes, an open file, a PIL image, an array or a tensor"
        raise ImageError(f"{type(source).__name__} is no picture; give {known}")
    try:
        content = read(MAX_BYTES + 1)
    except Exception as error:  # a file of any kind, closed, of text, or at the other end of a wire
        raise ImageError(f"cannot read {name}: {shortened(reason(error), 200)}") from error
    if not isinstance(content, bytes):
        raise ImageError(f"{name} gives {type(content).__name__}, not bytes; open the file with 'rb'")
    if len(content) > MAX_BYTES:
        raise ImageError(f"cannot read {name}: larger than {MAX_BYTES // 2**20} MiB")
    return content


def _inline(url: str, name: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma or len(body) > 2 * MAX_BYTES:
        raise ImageError(f"{name} is no data: URL of a picture, or a too long one")
    try:
        return b64decode(unquote_to_bytes(body)) if head.lower().endswith(";base64") else unquote_to_bytes(body)
    except ValueError:
        raise ImageError(f"{name} is no data: URL of a picture: its base64 is damaged") from None


def _from_array(source: Any) -> Image.Image:
    array = source if isinstance(source, np.ndarray) else _array_of(source)
    shape = " x ".join(map(str, array.shape))
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise ImageError(f"an array of {shape} is no picture; use [H, W] or [H, W, 3]")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise ImageError(f"the array has {shape} values; at most {MAX_PIXELS / 1e6:.0f} million pixels are read")
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.floating):
        values = array.astype(np.float64)
        if not np.isfinite(values).all():
            raise ImageError("the picture has values that are no numbers (NaN, infinity); replace them first")
        if values.max(initial=0.0) > 1.0 or values.min(initial=0.0) < 0.0:
            raise ImageError("a picture of floats has values in [0, 1]; divide by the largest, or give uint8")
        array = (values * 255).round().astype(np.uint8)
    if array.dtype != np.uint8:
        raise ImageError(f"a picture is of uint8 or of floats in [0, 1], not {array.dtype}")
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _array_of(tensor: Tensor) -> Array:
    """Return a tensor as an array, its channels last."""
    values = tensor.detach().cpu()
    values = values[0] if values.ndim == 4 and len(values) == 1 else values
    if values.ndim == 3 and values.shape[0] in (1, 3, 4) and values.shape[2] not in (1, 3, 4):
        values = values.permute(1, 2, 0)
    array: Array = (values.float() if values.is_floating_point() else values).numpy()
    return array

"""From the bytes of an image file to a picture, or an error in words."""

from __future__ import annotations

import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from clipnb.errors import ImageError, first_line, shortened
from clipnb.image_names import is_avif, is_heif
from clipnb.image_parts import without_extras
from clipnb.images.limits import (
    FORMATS,
    IN_PYTHON,
    MAX_PIXELS,
    MOST_READS,
    MOST_RUNS,
    CrumbsError,
    Reader,
    require_few_scans,
    require_few_values,
    require_large_blocks,
    require_raster,
    require_room,
)
from clipnb.images.rgb import eight_bit, to_rgb

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FILTERS = threading.RLock()
_WITH_ORIENTATION = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_WHOLE = (ImageError, Image.DecompressionBombError, CrumbsError, MemoryError)
"""Errors that nothing beside the pixels is the cause of."""


def from_bytes(content: bytes, name: str, side: int, backdrop: str) -> Image.Image:
    Image.init()
    if is_heif(content) and "HEIF" not in Image.OPEN:
        _register_heif(name)
    if is_avif(content) and "AVIF" not in Image.OPEN:
        raise ImageError(f"{name} is AVIF, which needs: pip install 'pillow>=11.3'")
    with in_words(name):
        try:
            return _from_file(content, name, side, backdrop)
        except _WHOLE:
            raise
        except Exception:
            bare = without_extras(content)
            if bare is None or len(bare) == len(content):
                raise
        return _from_file(bare, name, side, backdrop)


def _from_file(content: bytes, name: str, side: int, backdrop: str) -> Image.Image:
    require_few_values(content, name)
    image = _opened(Reader(content))
    if image.format in ("JPEG", "MPO"):
        require_few_scans(content, image.width * image.height, name)
    if image.format in ("JPEG2000", "ICNS"):
        require_large_blocks(content, name)
    if image.format == "PPM":
        image = _portable(image, content)
    if side:
        require_room(image, name)
        image.draft(None, (side, side))
    return decode(image, name, backdrop)


def _register_heif(name: str) -> None:
    try:
        import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise ImageError(f"{name} is HEIF, which needs: pip install pillow-heif") from None


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """Raise whatever a decoder raises as `ImageError`."""
    try:
        yield
    except UnidentifiedImageError:
        raise ImageError(f"{name} is no picture that can be read (PNG, JPEG, WebP, GIF, TIFF, BMP, ...)") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has too many pixels; at most {MAX_PIXELS / 1e6:.0f} million are read") from None
    except CrumbsError:
        raise ImageError(f"{name} has too many parts, such as comments, for a picture") from None
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files raise anything at all
        raise ImageError(f"{name} is damaged: {shortened(first_line(error), 200)}") from error


def _opened(reader: Reader) -> Image.Image:
    """Open as `Image.open` does, which besides warns of sizes that are refused in words here."""
    first = reader.read(16)
    for kind in FORMATS:
        if kind not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[kind]
        try:
            fits = accept is None or accept(first)
            if not fits or isinstance(fits, str):  # a text says what is missing to read it
                continue
            reader.seek(0)
            with _without_warnings():
                image = factory(reader, "")
        except (SyntaxError, IndexError, TypeError, struct.error):  # it is of another format
            continue
        reader.left = MOST_RUNS if image.format in IN_PYTHON else MOST_READS
        return image
    raise UnidentifiedImageError


def _portable(image: Image.Image, content: bytes) -> Image.Image:
    """Decode a PPM or PGM whose values are text or do not end at 255, for which Pillow has a slow loop in Python."""
    decoder, _, start, arguments = image.tile[0]  # type: ignore[attr-defined]  # of every ImageFile
    if image.mode not in ("L", "RGB", "I") or decoder not in ("ppm", "ppm_plain"):
        return image
    require_room(image, "the picture")
    most = arguments[-1]
    count = image.width * image.height * len(image.getbands())
    if decoder == "ppm":
        values = np.frombuffer(content, ">u2" if most > 255 else "u1", count, start)
    else:
        text = re.sub(rb"#[^\r\n]*", b"", content[start:])
        values = np.fromstring(text, np.uint16, sep=" ")[:count]
    shape = (image.height, image.width, len(image.getbands()))[: 2 + (image.mode == "RGB")]
    return eight_bit(values.reshape(shape), most / 255)


def decode(image: Image.Image, name: str, backdrop: str = "auto") -> Image.Image:
    require_raster(image, name)
    require_room(image, name)
    image.load()  # a truncated file shows here, not later
    require_room(image, name)  # an icon's size may be another than its directory says
    require_few_values(image.info.get("exif") or b"", name)
    turn = _turn(image)
    if turn is not None:
        image = image.transpose(turn)
        for key in _WITH_ORIENTATION:  # so that it is not turned again
            image.info.pop(key, None)
    return to_rgb(image, backdrop)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Say nothing of what stands beside the pixels; in one thread at a time, since filters are global."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        with _without_warnings():
            return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - what stands beside the pixels may be damaged in any way
        return None

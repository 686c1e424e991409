"""Pixels of any kind as eight bits of RGB: deep ones scaled, transparent ones laid over a backdrop."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageColor

from clipnb.errors import ImageError, quoted
from clipnb.images.limits import require_raster

_BAND = 256  # rows that are converted at a time
_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_BACKDROP = (-1, -1)  # a key of `Image.info` that no file can bring
_LEAST_CONTRAST, _SAMPLE = 40, 128  # levels of 255 between a picture and white; side in pixels that it is measured on


def require_backdrop(backdrop: str) -> tuple[int, ...] | None:
    """Return the colour that a backdrop means, RGB in [0, 255]; None for "auto".

    Raises:
        ImageError: it means none.
    """
    try:
        return None if backdrop == "auto" else ImageColor.getrgb(backdrop)[:3]
    except (ValueError, AttributeError, TypeError):
        known = "'auto' or a colour such as 'white' or '#336699'"
        raise ImageError(f"a backdrop is {known}, not {quoted(backdrop)}") from None


def backdrop_of(image: Image.Image) -> str:
    """Return the backdrop that `open_image` chose for an image because white would not do, or ""."""
    return str(image.info.get(_BACKDROP, ""))


def to_rgb(image: Image.Image, backdrop: str = "auto") -> Image.Image:
    require_raster(image)
    if image.mode == "RGB":
        return image
    if image.mode in _DEEP_MODES:
        deep = np.asarray(image)
        image = eight_bit(deep, 257.0 if deep.max(initial=0) > 255 else 1.0)  # mode "I" also holds 8-bit values
    if image.mode == "F":
        deep = np.asarray(image)
        is_share = not (deep > 1).any()  # most programs write floats in [0, 1]
        image = eight_bit(deep, 1 / 255.0 if is_share else 1.0)
    return _on_backdrop(image, backdrop) if image.has_transparency_data else image.convert("RGB")


def eight_bit(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], white: float) -> Image.Image:
    """Divide by what one level of 255 is; band by band, since a picture in double precision takes half a gigabyte."""
    levels = np.empty(values.shape, dtype=np.uint8)
    for top in range(0, len(values), _BAND):
        band = np.nan_to_num(values[top : top + _BAND].astype(np.float64))
        levels[top : top + _BAND] = np.clip(band / white, 0, 255).round()
    return Image.fromarray(levels)


def _on_backdrop(image: Image.Image, backdrop: str) -> Image.Image:
    """Lay a picture over a colour; band by band, since four copies of a large one take more than a gigabyte."""
    colour = require_backdrop(backdrop)
    is_light = colour is None and _vanishes_on_white(image)
    colour = colour or ((0, 0, 0) if is_light else (255, 255, 255))
    flat = Image.new("RGB", image.size)
    for top in range(0, image.height, _BAND):
        band = image.crop((0, top, image.width, min(image.height, top + _BAND))).convert("RGBA")
        below = Image.new("RGBA", band.size, (*colour, 255))
        flat.paste(Image.alpha_composite(below, band).convert("RGB"), (0, top))
    if is_light:
        flat.info[_BACKDROP] = "black"
    return flat


def _vanishes_on_white(image: Image.Image) -> bool:
    """Return whether a picture with transparency is so light that hardly any contrast to white is left."""
    size = min(image.width, _SAMPLE), min(image.height, _SAMPLE)
    sample = image.resize(size, Image.Resampling.NEAREST).convert("RGBA")
    grey, alpha = (np.asarray(sample.convert(mode)).astype(float) for mode in ("L", "RGBA"))
    weight = alpha[..., 3]
    has_holes = bool((weight < 255).any() and weight.any())
    return has_holes and float(((255 - grey) * weight).sum() / weight.sum()) < _LEAST_CONTRAST

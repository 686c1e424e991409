"""The square of a picture that an encoder looks at, at no more work than that takes."""

from __future__ import annotations

from PIL import Image


def centre_square(image: Image.Image, side: int, resample: Image.Resampling) -> Image.Image:
    """Scale the short side of an RGB picture to `side` pixels and cut out the centre, as torchvision does."""
    width, height = (side * length // min(image.size) for length in image.size)
    return cut_of_scaled(
        image, (width, height), (round((width - side) / 2), round((height - side) / 2)), side, resample
    )


def cut_of_scaled(
    image: Image.Image, size: tuple[int, int], corner: tuple[int, int], side: int, resample: Image.Resampling
) -> Image.Image:
    """Scale a picture and cut a square out of that, without computing the rest: equal up to rounding between the axes.

    Args:
        image: RGB, of any size.
        size: width and height that the whole would be scaled to.
        corner: left and top of the square in that.
        side: of the square in pixels.
        resample: how pixels are interpolated; antialiased.
    """
    steps = [length / scaled for length, scaled in zip(image.size, size, strict=True)]
    left, top = (start * step for start, step in zip(corner, steps, strict=True))
    # Rounding must not lead beyond the picture's edge.
    right, bottom = (
        min((start + side) * step, length) for start, step, length in zip(corner, steps, image.size, strict=True)
    )
    return image.resize((side, side), resample, box=(left, top, right, bottom))

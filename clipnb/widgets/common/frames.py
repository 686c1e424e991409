"""Pictures as bytes for the screen: JPEG while it runs, PNG for what stays."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_QUALITY = 88


def jpeg(picture: Image.Image) -> bytes:
    """Encode a frame: a few milliseconds, and a fifth of a PNG's size."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def png(picture: Image.Image) -> bytes:
    """Encode a still picture without loss."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def blank_figure(width: float, height: float, dpi: int) -> Figure:
    """Make a white figure of matplotlib, in inches, that any thread can draw: no window, no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def drawn(figure: Figure) -> Image.Image:
    """Turn a figure of `blank_figure` into a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return Image.open(buffer).convert("RGB")


def tiled(picture: Image.Image, count: int = 3) -> Image.Image:
    """Repeat a picture `count` times in both directions, no larger than a screen, to see its seams."""
    width, height = picture.size
    scale = min(1.0, 1024 / (count * max(width, height)))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR)
    sheet = Image.new("RGB", (count * size[0], count * size[1]))
    for row in range(count):
        for column in range(count):
            sheet.paste(small, (column * size[0], row * size[1]))
    return sheet

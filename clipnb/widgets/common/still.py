"""Pictures as bytes for the browser, and the last one that stays in the output of a cell when the kernel is gone."""

from __future__ import annotations

import asyncio
import base64
import io
import uuid
import warnings
from contextvars import Context
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.display import display, update_display
from PIL import Image

from clipnb.images import open_image, to_png
from clipnb.runner import running_loop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_QUALITY = 88
_SIDE = 384  # pixels; a saved notebook stays small


class Still:
    """A place in a cell's output that gets a picture later, from any thread."""

    def __init__(self, side: int = _SIDE) -> None:
        self._side, self._name = side, uuid.uuid4().hex
        self._loop: asyncio.AbstractEventLoop | None = None

    def place(self) -> None:
        self._loop = running_loop()
        display({"text/plain": ""}, raw=True, display_id=self._name)

    def put(self, picture: Image.Image, caption: str) -> None:
        """Show a picture there once the main thread has a moment, or its caption where pictures cannot be shown."""
        small = picture.copy()
        small.thumbnail((self._side, self._side))
        self._put({"image/png": base64.b64encode(to_png(small)).decode("ascii"), "text/plain": caption})

    def put_html(self, page: str, text: str) -> None:
        """Show HTML there, or the text where HTML is not shown."""
        self._put({"text/html": page, "text/plain": text})

    def _put(self, data: dict[str, str]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            # An empty context: the message belongs to the cell that runs now. What executes a notebook without a
            # browser overlooks those of the cell that began the run, once that has ended.
            update = partial(update_display, data, raw=True, display_id=self._name)
            self._loop.call_soon_threadsafe(update, context=Context())


def jpeg(picture: Image.Image) -> bytes:
    """Encode a frame: a few milliseconds, and a fifth of a PNG's size."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def small_jpeg(path: str | Path, name: str, side: int) -> bytes:
    """Return an image file as a JPEG that fits into a square of so many pixels; raises `ImageError`."""
    small = open_image(path, name, side=side).copy()
    small.thumbnail((side, side))
    return jpeg(small)


def blank_figure(width: float, height: float, dpi: int) -> Figure:
    """Return a white figure of matplotlib, in inches, that any thread can draw: no window, no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def drawn(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    with warnings.catch_warnings():  # signs that no font has, such as emoji, are drawn as boxes
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(buffer, format="png", facecolor="white")
    return Image.open(buffer, formats=["PNG"]).convert("RGB")

"""The last picture in the output of the cell: a PNG that stays when the kernel and its widgets are gone."""

from __future__ import annotations

import asyncio
import base64
import uuid

from IPython.display import display, update_display
from PIL import Image

from clipnb.runner import running_loop
from clipnb.widgets.common.frames import png

_SIDE = 384  # pixels; a saved notebook stays small


class Still:
    """A place in a cell's output that gets a picture later, from any thread."""

    def __init__(self, side: int = _SIDE) -> None:
        """Take how large pictures are shown at most, in pixels."""
        self._side, self._name = side, uuid.uuid4().hex
        self._loop: asyncio.AbstractEventLoop | None = None

    def place(self) -> None:
        """Make the place in the output of the cell that runs now."""
        self._loop = running_loop()
        display({"text/plain": ""}, raw=True, display_id=self._name)

    def put(self, picture: Image.Image, caption: str) -> None:
        """Show a picture there, once the kernel's main thread has a moment; nothing where there is no place.

        Args:
            picture: of any size; a larger one is shown smaller.
            caption: for where pictures cannot be shown.
        """
        small = picture.copy()
        small.thumbnail((self._side, self._side))
        self._put({"image/png": base64.b64encode(png(small)).decode("ascii"), "text/plain": caption})

    def put_html(self, page: str, text: str) -> None:
        """Show HTML there in which every word of the user's is escaped, or the text where HTML is not shown."""
        self._put({"text/html": page, "text/plain": text})

    def _put(self, data: dict[str, str]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: update_display(data, raw=True, display_id=self._name))

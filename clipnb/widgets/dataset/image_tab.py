"""The image that is looked at, and its caption to be edited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as w

from clipnb import html
from clipnb.errors import printable
from clipnb.images import open_image
from clipnb.widgets.common.controls import show_only
from clipnb.widgets.common.frontend import named
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import jpeg

_SIDE = 420  # pixels of the longer side
_HINT = "Click an image to see it larger and to edit its caption."


class ImageTab:
    """Shows one image.

    Attributes:
        text: its caption.
        keep: uses what is written there.
    """

    def __init__(self, panel: Panel, keep: Callable[[str], None]) -> None:
        """Call `keep` with a caption that somebody wrote."""
        self._panel = panel
        self._shown: Path | None = None
        self._image = w.Image(format="jpeg")
        self._name = w.HTML()
        self.text = w.Textarea(rows=6, layout={"width": "100%"}).add_class("clipnb-prompt")
        named(self.text, "its caption")
        self.keep = panel.button("Keep caption", "check", "use this caption; Save writes it", self._keep)
        self._use = keep
        self._hint = w.HTML(html.element("p", _HINT, "clipnb-small"))
        window = w.Box([self._image]).add_class("clipnb-window")
        self._parts = [window, self._name, self.text, w.HBox([self.keep]).add_class("clipnb-row")]
        self.widget = w.VBox([self._hint, *self._parts])
        show_only(self.widget, [self._hint])

    def show(self, path: Path | None, name: str, caption: str, *, unsaved: bool) -> None:
        """Show an image with its caption; None shows how to choose one."""
        if path is None:
            self._shown = None
            show_only(self.widget, [self._hint])
            return
        state = " · not saved" if unsaved else ""
        self._name.value = html.element("div", printable(name) + state, "clipnb-small")
        self.text.value = caption
        show_only(self.widget, self._parts)
        if path != self._shown:
            self._shown, self._image.value = path, b""
            self._panel.aside(lambda: (path, _preview(path, name)), lambda made: self._put(*made))

    def _put(self, path: Path, content: bytes) -> None:
        if path == self._shown:
            self._image.value = content

    def _keep(self) -> None:
        self._use(self.text.value)


def _preview(path: Path, name: str) -> bytes:
    small = open_image(path, name, side=_SIDE).copy()
    small.thumbnail((_SIDE, _SIDE))
    return jpeg(small)

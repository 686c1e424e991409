"""Two pictures compared in one place: a line that is dragged, or both side by side where no such widget loads."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import traitlets
from PIL import Image

from clipnb.sheets import contact_sheet
from clipnb.widgets.common.frontend import BrowserWidget, static, third_party_widgets_load
from clipnb.widgets.common.still import jpeg

_SIDE = 320  # pixels of a picture in a still comparison


class DraggedComparison(BrowserWidget):
    """The left picture up to a line, the right one behind it."""

    sheets = ("pictures.css",)
    left: Any = traitlets.Bytes().tag(sync=True)
    right: Any = traitlets.Bytes().tag(sync=True)
    left_label: Any = traitlets.Unicode().tag(sync=True)
    right_label: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(static("comparison.js"))

    @property
    def widget(self) -> Any:
        return self

    def show_left(self, picture: Image.Image, label: str) -> None:
        self.left, self.left_label = jpeg(picture), label

    def show_right(self, picture: Image.Image, label: str) -> None:
        self.right, self.right_label = jpeg(picture), label


class StillComparison:
    """Both pictures side by side under their labels; does what `DraggedComparison` does."""

    def __init__(self) -> None:
        self.widget = w.Image(format="jpeg", layout={"width": "100%", "max_width": "700px"})
        self._sides: dict[str, tuple[str, list[Image.Image]]] = {}

    def show_left(self, picture: Image.Image, label: str) -> None:
        self._show("left", picture, label)

    def show_right(self, picture: Image.Image, label: str) -> None:
        self._show("right", picture, label)

    def _show(self, side: str, picture: Image.Image, label: str) -> None:
        self._sides[side] = (label, [picture])
        rows = [self._sides[one] for one in ("left", "right") if one in self._sides]
        self.widget.value = jpeg(contact_sheet(rows, columns=2, side=_SIDE))


def make_comparison(dragged: bool | None = None) -> DraggedComparison | StillComparison:
    """Return a comparison; `dragged` is by default whether third-party widgets load here."""
    live = third_party_widgets_load() if dragged is None else dragged
    return DraggedComparison() if live else StillComparison()

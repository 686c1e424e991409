"""A button that copies a text to the clipboard of the person's computer."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from clipnb.widgets.common.frontend import program


class CopyButton(anywidget.AnyWidget):  # type: ignore[misc]
    """Copies; the work is done in the browser, where the clipboard is.

    Attributes:
        text: what is copied.
    """

    text: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(_esm=program("copying.js"))

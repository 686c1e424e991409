"""Takes files from the person's computer: in parts where third-party widgets load, else by the plain upload button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.frontend import third_party_widgets_load
from clipnb.widgets.common.uploads import files_in

LIMIT = "up to 10 MB: larger uploads get lost in most notebook servers without a word; give their path instead"
_HINT = "or drop here, or click here and paste (Ctrl+V)"

Received = Callable[[str, bytes], None]
"""Called with the name and the content of a file."""


class PlainUpload:
    """The upload button of ipywidgets, with its limit beside it.

    Attributes:
        widget: what to put into a panel.
        button: the FileUpload.
    """

    def __init__(
        self, received: Received, began: Callable[[], None], *, label: str, accept: str, multiple: bool
    ) -> None:
        """See `make_intake`."""
        self._received, self._began = received, began
        self.button = w.FileUpload(accept=accept, multiple=multiple, description=label, layout={"width": "auto"})
        self.widget = w.VBox([self.button, w.HTML(html.caption(LIMIT))])
        self.button.observe(on_loop(self._take), "value")

    def _take(self, change: dict[str, Any]) -> None:
        if not change["new"]:
            return
        self._began()
        for name, content in files_in(change["new"]).items():
            self._received(name, content)
        if not isinstance(change["new"], dict):
            self.button.value = ()  # so that the same file can be given again


def make_intake(
    received: Received,
    refused: Callable[[str], None],
    began: Callable[[], None],
    *,
    label: str,
    accept: str = "image/*",
    multiple: bool = False,
    in_parts: bool | None = None,
) -> Any:
    """Make what files are given by.

    Args:
        received: gets each file.
        refused: told, in words, of a file that cannot be taken.
        began: told that files are coming, before the first of them.
        label: of the button.
        accept: kinds of files that the browser offers.
        multiple: whether several may be given at once.
        in_parts: whether uploads go in parts, past the server's limit on messages, and files may be dropped and
            pasted; this takes `anywidget` and a host that loads it, which is what decides by default.

    Returns:
        A `PartsUpload` or a `PlainUpload`; the `widget` of either goes into a panel.
    """
    if third_party_widgets_load() if in_parts is None else in_parts:
        from clipnb.widgets.common.chunked_upload import PartsUpload

        return PartsUpload(received, refused, began, label=label, accept=accept, multiple=multiple, hint=_HINT)
    return PlainUpload(received, began, label=label, accept=accept, multiple=multiple)

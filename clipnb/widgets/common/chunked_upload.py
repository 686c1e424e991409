"""Uploads in parts: a button, a place to drop files and to paste pictures; no server's message limit cuts them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from clipnb.images import MAX_BYTES
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.frontend import program


class PartsUpload(anywidget.AnyWidget):  # type: ignore[misc]
    """Takes files of any size up to `largest` bytes.

    Attributes:
        label: of the button.
        hint: in the place that takes drops and pastes.
        accept: kinds of files that the browser offers.
        multiple: whether several files may be given at once.
        largest: bytes of one file at most.
    """

    label: Any = traitlets.Unicode().tag(sync=True)
    hint: Any = traitlets.Unicode().tag(sync=True)
    accept: Any = traitlets.Unicode().tag(sync=True)
    multiple: Any = traitlets.Bool().tag(sync=True)
    largest: Any = traitlets.Int(MAX_BYTES).tag(sync=True)

    def __init__(
        self,
        received: Callable[[str, bytes], None],
        refused: Callable[[str], None],
        began: Callable[[], None],
        **traits: Any,
    ) -> None:
        """Take who gets files and who is told what went wrong.

        Args:
            received: called with a file's name and content when all of it is here.
            refused: called with words.
            began: called before the first of the files that were given together.
            traits: `label`, `hint`, `accept`, `multiple`.
        """
        self._received, self._refused, self._began = received, refused, began
        self._coming: dict[tuple[str, int], bytearray] = {}
        super().__init__(_esm=program("intake.js"), **traits)
        self.on_msg(on_loop(lambda _, content, buffers: self._take(content, buffers)))

    @property
    def widget(self) -> Any:
        """What to put into a panel."""
        return self

    def _take(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        name = Path(str(message.get("name", ""))).name[-120:] or "upload"
        size = int(message["size"])
        if message.get("first"):
            self._began()
        if message["kind"] == "too large" or size > self.largest:
            self._refused(f"{name} has {size / 2**20:.0f} MiB; at most {self.largest // 2**20} MiB can be uploaded")
            return
        upload = str(message["key"]), int(message["number"])
        if message["start"] == 0:
            # A browser sends one file at a time, so what it began before and did not end is lost: the page was left.
            self._coming = {key: parts for key, parts in self._coming.items() if key[0] != upload[0]}
            self._coming[upload] = bytearray()
        parts = self._coming.get(upload)
        if parts is None or len(parts) != message["start"]:
            self._answer(message, "lost")
            self._refused(f"{name}: a part of the upload was lost; give it again")
            return
        for buffer in buffers:
            parts += buffer
        if len(parts) >= size:
            content = bytes(self._coming.pop(upload))
            self._received(name, content)
        self._answer(message, "more")

    def _answer(self, message: dict[str, Any], kind: str) -> None:
        self.send({"key": message["key"], "kind": kind})

"""Files from the user's computer: in chunks where third-party widgets load, else by the plain upload button."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Annotated, Any, Literal

import ipywidgets as w
import traitlets
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clipnb import html
from clipnb.errors import OutputError, printable
from clipnb.files import no_device, size_in_words
from clipnb.images import MAX_BYTES
from clipnb.widgets.common.frontend import BrowserWidget, static, third_party_widgets_load
from clipnb.widgets.common.panel import Panel

MAX_UNDER_WAY = 2 * MAX_BYTES
"""Bytes of all files together that one panel keeps while they are not whole."""
_MOST_UNDER_WAY = 16  # files that are not whole; a browser sends one at a time
_LONGEST_NAME = 120  # characters
_PLAIN_LIMIT = "up to 10 MB: larger uploads get lost in most notebook servers without a word; give their path instead"
_HINT = "or drop here, or click here and paste (Ctrl+V)"
_ODD = re.compile(r"[\\/\x00-\x1f]")

Received = Callable[[str, bytes], None]
"""Called with the name and the content of a file; what it raises is shown."""
_Count = Annotated[int, Field(ge=0, le=2**53)]


class _Chunk(BaseModel):
    """A message of `static/upload.js`: a piece of a file, or a word on a file that is too large to be sent."""

    model_config = ConfigDict(strict=True)
    key: Annotated[str, Field(max_length=64)]  # of the page
    kind: Literal["part", "too large"]
    name: str
    size: _Count
    number: _Count = 0  # of the file on its page
    start: _Count = 0
    first: bool = False  # of the files that were given together


class ChunkedUpload(BrowserWidget):
    """A button, a place to drop files and to paste pictures; no server's message limit cuts them."""

    label: Any = traitlets.Unicode().tag(sync=True)
    hint: Any = traitlets.Unicode(_HINT).tag(sync=True)
    accept: Any = traitlets.Unicode().tag(sync=True)
    multiple: Any = traitlets.Bool().tag(sync=True)
    largest: Any = traitlets.Int(MAX_BYTES).tag(sync=True)  # bytes of one file

    def __init__(self, panel: Panel, received: Received, began: Callable[[], None], **traits: Any) -> None:
        self._panel, self._received, self._began = panel, received, began
        self._under_way: dict[tuple[str, int], bytearray] = {}
        super().__init__(static("upload.js"), **traits)
        self.on_msg(lambda _, content, buffers: panel.hand_over(lambda: self.receive(content, buffers)))

    @property
    def widget(self) -> Any:
        return self

    def receive(self, content: object, buffers: object) -> None:
        """Take a message of the browser: the next chunk is asked for, or the upload is refused in words."""
        try:
            chunk = _Chunk.model_validate(content)
        except ValidationError:
            self._panel.show_problem("a part of an upload cannot be understood; load the page again", below=True)
            return
        if chunk.first:
            self._panel.message.value = ""
            self._began()
        try:
            self._take(chunk, buffers)
        except OutputError as error:
            self._under_way.pop((chunk.key, chunk.number), None)
            self._panel.show_problem(error, below=True)
            self.send({"key": chunk.key, "kind": "refused"})
        else:
            self.send({"key": chunk.key, "kind": "more"})

    def _take(self, chunk: _Chunk, buffers: object) -> None:
        name, upload = file_name(chunk.name), (chunk.key, chunk.number)
        if chunk.kind == "too large" or chunk.size > self.largest:
            raise OutputError(
                f"{name} has {size_in_words(chunk.size)}; at most {size_in_words(self.largest)} can be uploaded"
            )
        if not isinstance(buffers, list) or not all(isinstance(data, (bytes, memoryview)) for data in buffers):
            raise OutputError(f"{name}: a part of the upload cannot be understood; give it again")
        if chunk.start == 0:
            # A browser sends one file at a time, so what it began before and did not end is lost: the page was left.
            kept = [(key, parts) for key, parts in self._under_way.items() if key[0] != chunk.key]
            self._under_way = {**dict(kept[1 - _MOST_UNDER_WAY :]), upload: bytearray()}
        parts = self._under_way.get(upload)
        if parts is None or len(parts) != chunk.start:
            raise OutputError(f"{name}: a part of the upload was lost; give it again")
        more = sum(memoryview(data).nbytes for data in buffers)
        if len(parts) + more > chunk.size:
            raise OutputError(f"{name}: more came than the {size_in_words(chunk.size)} that were announced")
        if more + sum(map(len, self._under_way.values())) > MAX_UNDER_WAY:
            raise OutputError(
                f"{name}: other uploads under way fill the {size_in_words(MAX_UNDER_WAY)} that there is room for; "
                "wait for their end and give it again"
            )
        for data in buffers:
            parts += data
        if len(parts) == chunk.size:
            del self._under_way[upload]
            self._panel.attempt(lambda: self._received(name, bytes(parts)), below=True)


class PlainUpload:
    """The upload button of ipywidgets, with its limit beside it."""

    def __init__(self, panel: Panel, received: Received, began: Callable[[], None], **traits: Any) -> None:
        self._panel, self._received, self._began = panel, received, began
        self._most = None if traits["multiple"] else 1
        self.button = w.FileUpload(description=traits.pop("label"), layout={"width": "auto"}, **traits)
        self.widget = w.VBox([self.button, w.HTML(html.caption(_PLAIN_LIMIT))])
        panel.on_value(self.button, self._take)

    def _take(self, value: Any) -> None:
        if not value:
            return
        self._panel.message.value = ""
        self._began()
        for given, content in islice(_files_in(value), self._most):
            name = file_name(given)
            if isinstance(content, (bytes, memoryview)) and memoryview(content).nbytes <= MAX_BYTES:
                self._panel.attempt(partial(self._received, name, bytes(content)), below=True)
            else:
                self._panel.show_problem(f"{name} has more than {size_in_words(MAX_BYTES)}, or no bytes", below=True)
        self.button.set_trait("value", type(value)())  # so that the same file can be given again


def make_upload(
    panel: Panel,
    received: Received,
    *,
    label: str,
    accept: str = "image/*",
    multiple: bool = False,
    began: Callable[[], None] = lambda: None,
    in_parts: bool | None = None,
) -> ChunkedUpload | PlainUpload:
    """Return what files are given by; its `widget` goes into a panel.

    Args:
        panel: shows what goes wrong, one mistake below another when several files are given at once.
        received: gets each file.
        label: of the button.
        accept: kinds of files that the browser offers.
        multiple: whether several may be given at once.
        began: called before the first of the files that are given together.
        in_parts: whether uploads go in parts, past the server's limit on messages, and files may be dropped and
            pasted; this takes `anywidget` and a host that loads it, which is what decides by default.
    """
    chunked = third_party_widgets_load() if in_parts is None else in_parts
    kind = ChunkedUpload if chunked else PlainUpload
    return kind(panel, received, began, label=label, accept=accept, multiple=multiple)


def file_name(given: str) -> str:
    r"""Return the name of a file as a name that is safe to show and to write: no folders, no control characters.

    >>> file_name("../../a\x1b[31m b.png"), file_name("C:\\me\\x.png"), file_name("..")
    ('a_x1b[31m b.png', 'x.png', 'upload')
    """
    last = re.split(r"[\\/]", given[-4096:])[-1]
    return no_device(_ODD.sub("_", printable(last))[-_LONGEST_NAME:].strip(" .") or "upload")


def _files_in(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and contents of a FileUpload's value; ipywidgets 7 and 8 differ."""
    if isinstance(value, dict):
        value = [{"name": name, **file} for name, file in value.items()]
    for file in value:
        yield str(file["name"]), file["content"]

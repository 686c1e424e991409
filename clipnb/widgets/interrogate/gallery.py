"""Where pictures come in: uploads, drops, pastes, a path or URL, other panels; and the thumbnails of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w
from PIL import Image

from clipnb import html
from clipnb.errors import ClipnbError
from clipnb.images import ImageSource, open_image
from clipnb.widgets.common.event_loop import LoopThread, on_loop
from clipnb.widgets.common.upload import make_intake
from clipnb.widgets.interrogate.pictures import Gallery, KeptPicture


class Shelf:
    """Takes pictures in.

    Attributes:
        intake: takes uploads, drops and pastes.
        place: takes a path or URL.
        opener: opens what is there.
        gallery: the pictures.
        thumbnails: what to put into a panel for them.
    """

    def __init__(
        self,
        gallery: Gallery,
        loop_thread: LoopThread,
        message: Any,
        guarded: Callable[[Callable[[], None]], None],
        *,
        in_parts: bool | None,
    ) -> None:
        """Take what a panel has.

        Args:
            gallery: the pictures.
            loop_thread: where a picture that was opened aside is taken in.
            message: the line for mistakes.
            guarded: runs something and shows what goes wrong.
            in_parts: see `make_intake`.
        """
        self.gallery, self._loop_thread, self._message, self._guarded = gallery, loop_thread, message, guarded
        self._given = 0
        self.intake = make_intake(
            self._receive, self._complain, self._begin, label="Upload pictures", multiple=True, in_parts=in_parts
        )
        self.place = w.Text(
            placeholder="path or URL of a picture; Enter", layout={"width": "auto", "flex": "1 1 180px"}
        )
        self.opener = w.Button(description="Add", icon="plus", tooltip="add the picture at this path or URL")
        self.thumbnails = w.HBox([gallery.widget, gallery.remove]).add_class("clipnb-shelf")
        self.opener.on_click(on_loop(lambda _: self._use_place()))
        self.place.on_msg(on_loop(lambda *message: self._use_place() if message[1].get("event") == "submit" else None))

    def add(self, source: ImageSource) -> None:
        """Add a picture in any form that `open_image` takes; safe from any thread.

        Raises:
            ImageError: it cannot be read.
        """
        if isinstance(source, bytes):
            self.gallery.add(KeptPicture.of(source, self._next_name()))
        elif isinstance(source, Image.Image) or hasattr(source, "shape"):
            self.gallery.add(KeptPicture.of_picture(open_image(source), self._next_name()))
        else:
            self.gallery.add(KeptPicture.of_place(str(source)))

    def _next_name(self) -> str:
        self._given += 1
        return f"picture {self._given}"

    def _begin(self) -> None:
        self._message.value = ""

    def _receive(self, name: str, content: bytes) -> None:
        try:
            self.gallery.add(KeptPicture.of(content, name))
        except ClipnbError as error:
            self._complain(str(error))

    def _complain(self, said: str) -> None:
        """Show a mistake below those of other files of the same upload."""
        self._message.value += html.problem(said)

    def _use_place(self) -> None:
        place = self.place.value.strip()
        if not place:
            return
        self._message.value = html.notice(f"opening {place} ...")
        self._loop_thread.aside(
            lambda: KeptPicture.of_place(place), lambda opened: self._guarded(lambda: self._put_there(opened))
        )

    def _put_there(self, opened: Callable[[], KeptPicture]) -> None:
        self.gallery.add(opened())
        self.place.value = ""

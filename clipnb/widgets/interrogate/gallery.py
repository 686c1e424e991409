"""Where pictures come in: uploads, drops, pastes, a path or URL, other panels; and the thumbnails of all of them."""

from __future__ import annotations

import ipywidgets as w
from PIL import Image

from clipnb.images import ImageSource, open_image
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.upload import make_upload
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

    def __init__(self, panel: Panel, gallery: Gallery, *, in_parts: bool | None) -> None:
        """Lay it out; see `make_upload` for `in_parts`."""
        self.gallery, self._panel = gallery, panel
        self._given = 0
        self.intake = make_upload(panel, self._receive, label="Upload pictures", multiple=True, in_parts=in_parts)
        self.place = w.Text(
            placeholder="path or URL of a picture; Enter", layout={"width": "auto", "flex": "1 1 180px"}
        )
        self.opener = panel.button(
            "Add", "plus", "add the picture at this path or URL", lambda: self.open_place(self.place.value.strip())
        )
        self.thumbnails = w.HBox([gallery.widget, gallery.remove]).add_class("clipnb-shelf")
        panel.on_enter(self.place, self.open_place)

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

    def _receive(self, name: str, content: bytes) -> None:
        self.gallery.add(KeptPicture.of(content, name))

    def open_place(self, place: str) -> None:
        """Add the picture at a path or URL, opened aside."""
        if place:
            self._panel.show_notice(f"opening {place} ...")
            self._panel.aside(lambda: KeptPicture.of_place(place), self._put_there)

    def _put_there(self, opened: KeptPicture) -> None:
        self.gallery.add(opened)
        self.place.value = ""

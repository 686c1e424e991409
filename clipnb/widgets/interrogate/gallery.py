"""The images of a panel: uploads, drops, pastes, a path or URL, other panels; and thumbnails to choose from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import ipywidgets as w
from PIL import Image

from clipnb import html
from clipnb.files import expanded, valid_unicode
from clipnb.images import ImageSource, is_url, open_image, read_image_file, to_png
from clipnb.widgets.common.lifetime import widgets_of
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import jpeg
from clipnb.widgets.common.upload import make_upload
from clipnb.widgets.interrogate.session import KeptImage

_PREVIEW, _THUMBNAIL = 384, 112  # pixels of the longer side
_LONGEST = 40  # characters of a name


class Gallery:
    """Accepts images, and shows them as thumbnails, of which one is chosen.

    Attributes:
        images: all of them, in order.
        chosen: the one that is looked at, or None when there is none.
        upload: takes uploads, drops and pastes.
        place: field for a path or URL.
        add_place: adds the image there.
        remove: takes the chosen image out.
        thumbnails: what to put into a panel for all of them.
    """

    def __init__(
        self,
        panel: Panel,
        changed: Callable[[], None],
        removed: Callable[[KeptImage], None],
        *,
        in_parts: bool | None = None,
    ) -> None:
        """Call `changed` when another image is chosen, `removed` with one that is gone; see `make_upload`."""
        self._panel, self._changed, self._removed = panel, changed, removed
        self.images: list[KeptImage] = []
        self.chosen: KeptImage | None = None
        self._tiles: dict[KeptImage, w.Box] = {}
        self._unnamed = 0
        self.upload = make_upload(panel, self._receive, label="Upload pictures", multiple=True, in_parts=in_parts)
        self.place = w.Text(placeholder="path or URL of a picture; Enter")
        self.place.layout.width, self.place.layout.flex = "auto", "1 1 180px"
        self.add_place = panel.button(
            "Add", "plus", "add the picture at this path or URL", lambda: self._open_place(self.place.value.strip())
        )
        panel.on_enter(self.place, self._open_place)
        self.remove = panel.button("Remove", "trash", "take the chosen picture out", self._remove_chosen)
        self.remove.disabled = True
        self._box = w.Box().add_class("clipnb-gallery")
        self.thumbnails = w.HBox([self._box, self.remove]).add_class("clipnb-shelf")

    def add(self, source: ImageSource) -> None:
        """Add an image in any form that `open_image` takes, and choose it; raises `ImageError`."""
        if isinstance(source, str | Path):
            self._put(_at_place(str(source)))
        else:
            self._unnamed += 1
            content = source if isinstance(source, bytes) else to_png(open_image(source))
            self._put(_kept(content, f"picture {self._unnamed}"))

    def choose(self, image: KeptImage | None) -> None:
        if image is not None and image not in self._tiles:  # it was taken out while it was clicked
            return
        self.chosen = image
        for other, tile in self._tiles.items():
            mark = tile.add_class if other is image else tile.remove_class
            mark("clipnb-chosen")
        self.remove.disabled = image is None
        self._changed()

    def _receive(self, name: str, content: bytes) -> None:
        self._put(_kept(content, name))

    def _open_place(self, place: str) -> None:
        if place:
            self._panel.show_notice(f"opening {place} ...")
            self._panel.aside(lambda: _at_place(place), self._put_place)

    def _put_place(self, image: KeptImage) -> None:
        self._put(image)
        self.place.value = ""

    def _put(self, image: KeptImage) -> None:
        self.images.append(image)
        self._tiles[image] = self._tile(image)
        self._box.children = tuple(self._tiles.values())
        self.choose(image)

    def _tile(self, image: KeptImage) -> w.Box:
        width, height = image.size
        tooltip = f"{image.name}, {width} x {height} pixels"
        button = self._panel.button(html.cut(image.name, _LONGEST), "", tooltip, lambda: self.choose(image))
        return w.Box([w.Image(value=image.thumbnail, format="jpeg"), button]).add_class("clipnb-tile")

    def _remove_chosen(self) -> None:
        if self.chosen is None:
            return
        self._removed(self.chosen)
        place = self.images.index(self.chosen)
        tile = self._tiles.pop(self.chosen)
        del self.images[place]
        self._box.children = tuple(self._tiles.values())
        for part in list(widgets_of(tile, Panel)):
            part.close()
        self.choose(self.images[min(place, len(self.images) - 1)] if self.images else None)


def _at_place(place: str) -> KeptImage:
    """Keep what is at a path or URL: the bytes of a download; a file stays where it is."""
    if is_url(place):
        return _kept(read_image_file(place), Path(unquote(urlsplit(place).path)).name or place)
    path = expanded(place)
    return _kept(path, path.name if path.is_file() else str(path))


def _kept(source: bytes | Path, name: str) -> KeptImage:
    """Check an image and keep it; raises `ImageError` with the name."""
    image = open_image(source, name)
    return KeptImage(valid_unicode(name), image.size, source, _small(image, _PREVIEW), _small(image, _THUMBNAIL))


def _small(image: Image.Image, side: int) -> bytes:
    small = image.copy()
    small.thumbnail((side, side))
    return jpeg(small)

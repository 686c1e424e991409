"""Pictures that wait to be described: kept compressed, shown as thumbnails to choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import ipywidgets as w
from PIL import Image

from clipnb import html
from clipnb.files import expanded, valid_unicode
from clipnb.images import is_url, open_image, read_image_file
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.still import jpeg, png

_PREVIEW, _THUMBNAIL = 384, 112  # pixels of the longer side
_LONGEST = 40  # characters of a name


@dataclass(frozen=True, eq=False)
class KeptPicture:
    """A picture that was checked and can be opened again; no pixels are kept.

    Attributes:
        name: for people, such as "holiday.jpg".
        size: width and height in pixels.
        source: the bytes of an image file, or where one is.
        preview: JPEG, at most 384 pixels large.
        thumbnail: JPEG, at most 112 pixels large.
    """

    name: str
    size: tuple[int, int]
    source: bytes | Path
    preview: bytes
    thumbnail: bytes

    @classmethod
    def of(cls, source: bytes | Path, name: str) -> KeptPicture:
        """Check a picture and keep it.

        Raises:
            ImageError: it cannot be read; the message has the name.
        """
        picture = open_image(source, name)
        return cls(valid_unicode(name), picture.size, source, _small(picture, _PREVIEW), _small(picture, _THUMBNAIL))

    @classmethod
    def of_picture(cls, picture: Image.Image, name: str) -> KeptPicture:
        """Keep a picture that is open, without loss."""
        return cls.of(png(open_image(picture)), name)

    @classmethod
    def of_place(cls, place: str) -> KeptPicture:
        """Keep what is at a path or URL; a download is kept, a file stays where it is.

        Raises:
            ImageError: there is no picture.
        """
        if is_url(place):
            return cls.of(read_image_file(place), Path(unquote(urlsplit(place).path)).name or place)
        path = expanded(place)
        return cls.of(path, str(path)) if not path.is_file() else cls.of(path, path.name)

    def open(self) -> Image.Image:
        """Open it as RGB."""
        return open_image(self.source)


class Gallery:
    """Thumbnails, of which one is chosen.

    Attributes:
        widget: what to put into a panel.
        pictures: all of them, in order.
        chosen: the one that is looked at, or None when there is none.
        remove: takes the chosen one out.
    """

    def __init__(self, changed: Callable[[], None], removed: Callable[[KeptPicture], None]) -> None:
        """Take who is told that another picture is chosen, and that one is gone."""
        self.pictures: list[KeptPicture] = []
        self.chosen: KeptPicture | None = None
        self._changed, self._removed = changed, removed
        self._tiles: dict[KeptPicture, w.Box] = {}
        self.widget = w.Box().add_class("clipnb-gallery")
        self.remove = w.Button(description="Remove", icon="trash", tooltip="take the chosen picture out", disabled=True)
        self.remove.on_click(on_loop(lambda _: self._remove_chosen()))

    def add(self, picture: KeptPicture) -> None:
        """Add a picture and choose it; safe from any thread."""
        self.pictures.append(picture)
        self._tiles[picture] = self._tile(picture)
        self.widget.children = tuple(self._tiles.values())
        self.choose(picture)

    def choose(self, picture: KeptPicture | None) -> None:
        """Look at a picture."""
        self.chosen = picture
        for other, tile in self._tiles.items():
            mark = tile.add_class if other is picture else tile.remove_class
            mark("clipnb-chosen")
        self.remove.disabled = picture is None
        self._changed()

    def _tile(self, picture: KeptPicture) -> w.Box:
        name = html.cut(picture.name, _LONGEST)
        button = w.Button(description=name, tooltip=f"{picture.name}, {picture.size[0]} x {picture.size[1]} pixels")
        button.on_click(on_loop(lambda _: self.choose(picture)))
        return w.Box([w.Image(value=picture.thumbnail, format="jpeg"), button]).add_class("clipnb-tile")

    def _remove_chosen(self) -> None:
        if self.chosen is None:
            return
        self._removed(self.chosen)
        place = self.pictures.index(self.chosen)
        self.pictures.remove(self.chosen)
        del self._tiles[self.chosen]
        self.widget.children = tuple(self._tiles.values())
        self.choose(self.pictures[min(place, len(self.pictures) - 1)] if self.pictures else None)


def _small(picture: Image.Image, side: int) -> bytes:
    small = picture.copy()
    small.thumbnail((side, side))
    return jpeg(small)

"""The images of a data set with their captions: a grid that scrolls, or pages where no such widget loads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import ipywidgets as w
import traitlets
from pydantic import Field, TypeAdapter, ValidationError

from clipnb import html
from clipnb.errors import printable
from clipnb.widgets.common.controls import show_only
from clipnb.widgets.common.frontend import BrowserWidget, Message, static, third_party_widgets_load
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.dataset.thumbnails import Place, ThumbnailLoader

PAGE = 24  # images of a page
_LONGEST_CAPTION, _LONGEST_NAME = 300, 80  # characters
_NONE = -1
_ASKED = 400  # images that a browser may ask for at a time


class Tile(NamedTuple):
    """What stands below an image: `caption` is None where it has none, `changed` whether that is not saved yet."""

    path: Path
    name: str
    caption: str | None
    changed: bool

    @property
    def text(self) -> str:
        return "no caption" if self.caption is None else html.cut(printable(self.caption), _LONGEST_CAPTION)


Describe = Callable[[int], Tile]
Look = Callable[[int], None]
_Keys = Annotated[list[int], Field(max_length=_ASKED)]


class _Looked(Message):
    """A click on an image."""

    event: Literal["look"]
    opening: int
    key: int


class _Needed(Message):
    """What came into view and is not there yet."""

    event: Literal["need"]
    opening: int
    tiles: _Keys
    pictures: _Keys


_MESSAGE: TypeAdapter[_Looked | _Needed] = TypeAdapter(_Looked | _Needed)


class ScrollingGrid(BrowserWidget):
    """A grid of any number of images; the browser asks for those that come into view.

    Attributes:
        shown: keys of the images, in order.
        chosen: key of the one that is looked at, or -1.
        opening: counts data sets; what a browser has of another one is dropped.
        edition: counts changes of captions, which are asked for anew.
    """

    shown: Any = traitlets.List().tag(sync=True)
    chosen: Any = traitlets.Int(_NONE).tag(sync=True)
    opening: Any = traitlets.Int().tag(sync=True)
    edition: Any = traitlets.Int().tag(sync=True)

    def __init__(self, panel: Panel, describe: Describe, look: Look) -> None:
        """Ask `describe` for the image of a key, and call `look` with the one that was clicked."""
        self._panel, self._describe, self._look = panel, describe, look
        self._size = 0
        self._loader = ThumbnailLoader(self._send_picture)
        super().__init__(static("image_grid.js"))
        self.on_msg(lambda _, content, _buffers: panel.hand_over(lambda: self.receive(content)))

    @property
    def widget(self) -> Any:
        return self

    def begin(self, size: int) -> None:
        """Show images of another data set, of so many."""
        self._size = size
        with self.hold_sync():
            self.shown, self.chosen, self.opening = [], _NONE, self.opening + 1

    def show(self, keys: Sequence[int]) -> None:
        """Show these images, and captions as they are now."""
        with self.hold_sync():
            self.edition += 1
            self.shown = list(keys)

    def choose(self, key: int | None) -> None:
        self.chosen = _NONE if key is None else key

    def receive(self, content: object) -> None:
        """Act on a message of the browser; what is none, or one about images that are gone, is ignored."""
        try:
            message = _MESSAGE.validate_python(content)
        except ValidationError:
            return
        if message.opening != self.opening:
            return
        if isinstance(message, _Looked):
            if 0 <= message.key < self._size:
                self._look(message.key)
            return
        tiles = [(key, self._describe(key)) for key in message.tiles if 0 <= key < self._size]
        told = [(key, html.cut(tile.name, _LONGEST_NAME), tile.text, _state(tile)) for key, tile in tiles]
        self.send({"event": "tiles", "opening": self.opening, "edition": self.edition, "tiles": told})
        pictures = [key for key in message.pictures if 0 <= key < self._size]
        self._loader.ask([((self.opening, key), self._describe(key).path) for key in pictures])

    def _send_picture(self, place: Place, found: bytes | str) -> None:
        told: dict[str, Any] = {"event": "picture", "opening": place[0], "key": place[1]}
        if isinstance(found, str):
            self._panel.hand_over(lambda: self.send({**told, "why": printable(found)}))
        else:
            self._panel.hand_over(lambda: self.send(told, [found]))


def _state(tile: Tile) -> str:
    return "changed" if tile.changed else "bare" if tile.caption is None else ""


class PagedGrid:
    """Pages of images, of plain widgets; it does what `ScrollingGrid` does.

    Attributes:
        shown: keys of the images, in order.
        page: which page is shown, from 1.
        buttons: of the images on it.
        before, after: turn the page.
    """

    def __init__(self, panel: Panel, describe: Describe, look: Look) -> None:
        """See `ScrollingGrid`."""
        self._panel, self._describe, self._look = panel, describe, look
        self.shown: list[int] = []
        self._on_page: list[int] = []
        self._chosen: int | None = None
        self._opening = 0
        self._loader = ThumbnailLoader(self._hear_picture)
        self._images = [w.Image(format="jpeg") for _ in range(PAGE)]
        self.buttons = [panel.button("", "", "", partial(self._choose_at, place)) for place in range(PAGE)]
        pairs = zip(self._images, self.buttons, strict=True)
        self._tiles = [w.VBox(pair).add_class("clipnb-plain-tile") for pair in pairs]
        self._box = w.Box(self._tiles).add_class("clipnb-plain-grid")
        self.page = w.IntSlider(value=1, min=1, max=1, continuous_update=False, layout={"flex": "1 1 auto"})
        self.before = panel.button("", "chevron-left", "the page before", lambda: self._turn(-1))
        self.after = panel.button("", "chevron-right", "the next page", lambda: self._turn(1))
        row = w.HBox([self.before, self.page, self.after]).add_class("clipnb-row")
        self.widget = w.VBox([self._box, row])
        panel.on_value(self.page, lambda _: self._show_page())

    def begin(self, size: int) -> None:
        del size
        self._opening += 1
        self._chosen, self.shown, self.page.value = None, [], 1

    def show(self, keys: Sequence[int]) -> None:
        self.shown = list(keys)
        self.page.max = max(1, -(-len(self.shown) // PAGE))
        self._show_page()

    def choose(self, key: int | None) -> None:
        self._chosen = key
        if key is not None and key in self.shown:
            self.page.value = self.shown.index(key) // PAGE + 1
        self._mark()

    def _turn(self, pages: int) -> None:
        self.page.value += pages

    def _choose_at(self, place: int) -> None:
        self._look(self._on_page[place])

    def _show_page(self) -> None:
        start = PAGE * (self.page.value - 1)
        before, self._on_page = self._on_page, self.shown[start : start + PAGE]
        tiles = [self._describe(key) for key in self._on_page]
        for place, tile in enumerate(tiles):
            if before[place : place + 1] != self._on_page[place : place + 1]:
                self._images[place].value = b""
            self.buttons[place].description = tile.text
            self.buttons[place].tooltip = tile.name
        show_only(self._box, self._tiles[: len(tiles)])
        self.before.disabled, self.after.disabled = self.page.value == 1, self.page.value == self.page.max
        self._mark()
        self._loader.ask([((self._opening, k), tile.path) for k, tile in zip(self._on_page, tiles, strict=True)])

    def _mark(self) -> None:
        for tile, key in zip(self._tiles, self._on_page, strict=False):
            (tile.add_class if key == self._chosen else tile.remove_class)("clipnb-chosen")

    def _hear_picture(self, place: Place, found: bytes | str) -> None:
        self._panel.hand_over(lambda: self._show_picture(*place, found))

    def _show_picture(self, opening: int, key: int, found: bytes | str) -> None:
        if opening == self._opening and key in self._on_page:
            place = self._on_page.index(key)
            if isinstance(found, str):
                self.buttons[place].description = printable(found)
            else:
                self._images[place].value = found


def make_grid(panel: Panel, describe: Describe, look: Look, scrolling: bool | None = None) -> ScrollingGrid | PagedGrid:
    """Return a grid; `scrolling` is by default whether third-party widgets load here."""
    live = third_party_widgets_load() if scrolling is None else scrolling
    return (ScrollingGrid if live else PagedGrid)(panel, describe, look)

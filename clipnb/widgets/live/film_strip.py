"""The history of a run as a strip of thumbnails in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import traitlets
from PIL import Image
from pydantic import Field, TypeAdapter, ValidationError

from clipnb.widgets.common.frontend import BrowserWidget, Message, static, third_party_widgets_load
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import jpeg
from clipnb.widgets.live.history import Snapshot

_HEIGHT = 104  # pixels of a thumbnail: twice those of the page, for displays that are fine
_ASKED = 64  # thumbnails that a browser may ask for at a time


class _Looked(Message):
    """A place in the strip that somebody went to: the number of a snapshot; -1 is now."""

    event: Literal["look"]
    turn: int
    number: int


class _Needed(Message):
    """Thumbnails that came into view."""

    event: Literal["need"]
    turn: int
    numbers: Annotated[list[int], Field(max_length=_ASKED)]


_MESSAGE: TypeAdapter[_Looked | _Needed] = TypeAdapter(_Looked | _Needed)


class FilmStrip(BrowserWidget):
    """Thumbnails at even distances, of which the browser asks for those that have room.

    Attributes:
        numbers: those of the snapshots, as people count: steps, or frames of a film.
        word: "step" or "frame".
        place: which snapshot is shown; as many as there are: the newest picture.
        turn: counts histories, so that thumbnails of one that is gone are not taken for those of the next.
        ratio: width of a picture by its height.
    """

    sheets = ("pictures.css",)
    numbers: Any = traitlets.List().tag(sync=True)
    word: Any = traitlets.Unicode("step").tag(sync=True)
    place: Any = traitlets.Int().tag(sync=True)
    turn: Any = traitlets.Int().tag(sync=True)
    ratio: Any = traitlets.Float(1.0).tag(sync=True)

    def __init__(self, panel: Panel, look: Callable[[int], None]) -> None:
        """Call `look` with the place of a snapshot that somebody goes to."""
        self._look, self._snapshots = look, list[Snapshot]()
        super().__init__(static("film_strip.js"))
        self.on_msg(lambda _, content, _buffers: panel.hand_over(lambda: self.receive(content)))

    def follow(self, snapshots: Sequence[Snapshot], *, anew: bool) -> None:
        """Show these snapshots; `anew` when they are not the ones before and some more."""
        self._snapshots = list(snapshots)
        with self.hold_sync():
            self.turn += anew
            if snapshots:
                width, height = snapshots[-1].picture.size
                self.ratio = width / height
                self.word = snapshots[-1].unit
            self.numbers = [snapshot.number for snapshot in snapshots]

    def receive(self, content: object) -> None:
        """Act on a message of the browser; what is none, or one about snapshots that are gone, is ignored."""
        try:
            message = _MESSAGE.validate_python(content)
        except ValidationError:
            return
        if message.turn != self.turn:
            return
        if isinstance(message, _Looked):
            behind = (place for place, number in enumerate(self.numbers) if number >= message.number >= 0)
            self._look(next(behind, len(self.numbers)))
            return
        wanted = set(message.numbers)
        found = [snapshot for snapshot in self._snapshots if snapshot.number in wanted]
        told = {"turn": self.turn, "numbers": [snapshot.number for snapshot in found]}
        self.send(told, [_thumbnail(snapshot.picture) for snapshot in found])


def _thumbnail(picture: Image.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((8 * _HEIGHT, _HEIGHT))
    return jpeg(small)


def make_film_strip(panel: Panel, look: Callable[[int], None]) -> FilmStrip | None:
    return FilmStrip(panel, look) if third_party_widgets_load() else None

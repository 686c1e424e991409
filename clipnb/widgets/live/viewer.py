"""The picture in a panel: whole, near or tiled; now, or as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as w
from PIL import Image

from clipnb import html
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.frames import jpeg, tiled
from clipnb.widgets.live.history import History, Snapshot


class Viewer:
    """Shows a picture; a scrubber leads back through a history.

    Attributes:
        widget: what to put into a panel.
        image: the picture's own widget; its value is JPEG.
        scrubber: its right end is now.
        zoom: factor on the size.
        tile: whether the picture is repeated, to see its seams.
        back: goes on from the snapshot that is shown.
    """

    def __init__(self, continued: Callable[[Snapshot], None]) -> None:
        """Take who goes on from a snapshot."""
        self._history, self._picture = History(), Image.new("RGB", (8, 8), "#808080")
        self._viewed: Snapshot | None = None
        self._newest: Image.Image | None = None
        self._moving = False
        self._one_at_a_time = threading.RLock()  # frames come from a run's thread, a person's hand from another
        self.image = w.Image(format="jpeg", layout={"width": "100%"})
        self._glass = w.Box([self.image]).add_class("clipnb-glass")
        self.zoom = w.IntSlider(1, 1, 8, description="zoom", layout={"flex": "1 1 auto", "width": "60px"})
        self.zoom.style.description_width = "38px"
        self.tile = w.ToggleButton(description="Tile", icon="th", tooltip="repeat the picture to see its seams")
        self.scrubber = w.IntSlider(0, 0, 0, readout=False, layout={"flex": "1 1 auto", "width": "auto"})
        self.scrubber.disabled = True
        self._when = w.HTML(html.plain("now"), layout={"width": "66px", "flex": "0 0 auto"})
        self.back = w.Button(description="Go on from here", icon="undo", disabled=True)
        self.back.tooltip = "leave what came after this snapshot, and go on from it"
        self.widget = w.VBox(
            [
                self._glass,
                w.HBox([self.scrubber, self._when]).add_class("clipnb-row").add_class("clipnb-scrub"),
                w.HBox([self.zoom, self.tile, self.back]).add_class("clipnb-row").add_class("clipnb-scrub"),
            ]
        ).add_class("clipnb-left")
        self.zoom.observe(self._take_zoom, "value")
        self.tile.observe(lambda _: self._redraw(), "value")
        self.scrubber.observe(self._take_place, "value")
        self.back.on_click(on_loop(lambda _: None if self._viewed is None else continued(self._viewed)))

    @property
    def viewed(self) -> Snapshot | None:
        """The snapshot that is shown, or None when it is the newest picture."""
        return self._viewed

    @property
    def shown(self) -> Image.Image | None:
        """The picture that is shown, or None before there was one."""
        return self._newest if self._viewed is None else self._viewed.picture

    def show(self, picture: Image.Image) -> None:
        """Show the newest picture, unless somebody looks at an earlier one; safe from any thread."""
        with self._one_at_a_time:
            self._newest = picture
            if self._viewed is None:
                self._picture = picture
                self._draw()

    def follow(self, history: History) -> None:
        """Let the scrubber reach all snapshots of a history, and stay where it is; safe from any thread."""
        with self._one_at_a_time:
            self._history = history
            places = history.snapshots
            viewed, place = self._viewed, len(places)
            if viewed is not None:
                place = next((n for n, s in enumerate(places) if s.about.index >= viewed.about.index), place)
            self._move(place, len(places))
            self.scrubber.disabled = not places

    def leave_history(self) -> None:
        """Show the newest picture again."""
        with self._one_at_a_time:
            self._viewed = None
            self._move(self.scrubber.max, self.scrubber.max)
            self._say_when()

    def _move(self, place: int, last: int) -> None:
        """Put the scrubber somewhere without that being taken for a person's hand."""
        self._moving = True
        try:
            self.scrubber.max = max(last, self.scrubber.value)
            self.scrubber.value = place
            self.scrubber.max = last
        finally:
            self._moving = False

    def _take_place(self, change: dict[str, Any]) -> None:
        with self._one_at_a_time:
            if not self._moving:
                self._look_at_place(change["new"])

    def _look_at_place(self, place: int) -> None:
        snapshots = self._history.snapshots
        now = place >= min(self.scrubber.max, len(snapshots))
        viewed = None if now else snapshots[place]
        self._viewed = viewed
        self._say_when()
        picture = self._newest if viewed is None else viewed.picture
        if picture is not None:
            self._picture = picture
            self._draw()

    def _say_when(self) -> None:
        when = "now" if self._viewed is None else f"step {self._viewed.about.index + 1}"
        self._when.value = html.plain(when)
        self.back.disabled = self._viewed is None

    def _take_zoom(self, change: dict[str, Any]) -> None:
        self.image.layout.width = f"{100 * change['new']}%"
        near = self._glass.add_class if change["new"] > 1 else self._glass.remove_class
        near("clipnb-near")

    def _redraw(self) -> None:
        with self._one_at_a_time:
            self._draw()

    def _draw(self) -> None:
        self.image.value = jpeg(tiled(self._picture) if self.tile.value else self._picture)

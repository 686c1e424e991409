"""The picture in a panel: whole, near or tiled; now, or as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as w
from PIL import Image

from clipnb import html
from clipnb.widgets.common.comparison import make_comparison
from clipnb.widgets.common.frontend import named
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import jpeg
from clipnb.widgets.live.film_strip import make_film_strip
from clipnb.widgets.live.history import History, Snapshot

_LABEL_WIDTH = "66px"
_PLAY_INTERVAL = 80  # milliseconds; each picture makes its way from the kernel


class Viewer:
    """Shows a picture; a scrubber, whose right end is now, leads back through a history.

    Attributes:
        viewed: the snapshot that is shown, or None when it is the newest picture.
        scrubber: leads back; where third-party widgets load, `strip` does, with thumbnails, and moves this one.
        label: says beside the scrubber which one it is.
        play: shows one snapshot after another.
        compare: whether the snapshot that was shown when it was pressed, else the first one, is compared with this one.
    """

    def __init__(self, panel: Panel, go_back: Callable[[Snapshot], None]) -> None:
        self.viewed: Snapshot | None = None
        self._history, self._forgotten, self._picture = History(), 0, Image.new("RGB", (8, 8), "#808080")
        self._newest: Image.Image | None = None
        self._moving = False
        self._one_at_a_time = threading.RLock()  # frames come from a run's thread, the scrubber's values from another
        self.image = w.Image(format="jpeg", layout={"width": "100%", "visibility": "hidden"})  # no sign of a broken one
        self._glass = w.Box([self.image]).add_class("clipnb-glass")
        self.zoom = w.IntSlider(1, 1, 8, description="zoom", layout={"flex": "1 1 80px", "width": "60px"})
        self.zoom.style.description_width = "38px"
        self.tile = w.ToggleButton(description="Tile", icon="th", tooltip="repeat the picture to see its seams")
        self.scrubber = w.IntSlider(0, 0, 0, readout=False, layout={"flex": "1 1 auto", "width": "auto"})
        named(self.scrubber, "history: earlier pictures of this run")
        self.scrubber.disabled = True
        self.strip = make_film_strip(panel, self._go_to)
        self.label = w.HTML(_label(None), layout={"width": _LABEL_WIDTH, "flex": "0 0 auto"})
        tooltip = "leave what came after this snapshot, and go on from it"
        self.back = panel.button(
            "Go on from here", "undo", tooltip, lambda: None if self.viewed is None else go_back(self.viewed)
        )
        self.back.disabled = True
        self.play = w.Play(0, 0, 0, interval=_PLAY_INTERVAL, disabled=True, layout={"flex": "0 0 auto"})
        self.comparison = make_comparison()
        tooltip = "this snapshot, or the first one, beside what is shown next; drag the line"
        self.compare = w.ToggleButton(description="Compare", icon="columns", tooltip=tooltip, disabled=True)
        first = [self.scrubber] if self.strip is None else []
        rows = [[self.play, *first, self.label, self.tile], [self.zoom, self.compare, self.back]]
        scrub = [w.HBox(row).add_class("clipnb-row").add_class("clipnb-scrub") for row in rows]
        self._seen = w.VBox([self._glass])
        strips = [] if self.strip is None else [self.strip]
        self.widget = w.VBox([self._seen, *strips, *scrub]).add_class("clipnb-left")
        panel.on_value(self.compare, self._take_compare)
        self.tile.observe(lambda _: panel.attempt(self._draw), "value")
        heard = {self.zoom: self._take_zoom, self.scrubber: self._take_place, self.play: self._take_turn}
        for widget, take in heard.items():
            widget.observe(partial(_attempt, panel, take), "value")

    def lay_over(self, widget: Any) -> None:
        """Put a widget into the box of the picture, where it may lie over it."""
        self._glass.children = [self.image, widget]

    @property
    def shown(self) -> Image.Image | None:
        """The picture that is shown, or None before there was one."""
        return self._newest if self.viewed is None else self.viewed.picture

    def show(self, picture: Image.Image) -> None:
        """Show the newest picture, unless an earlier one is looked at; safe from any thread."""
        with self._one_at_a_time:
            self._newest = picture
            if self.viewed is None:
                self._draw(picture)

    def follow(self, history: History) -> None:
        """Let the scrubber reach all snapshots of a history, and stay where it is; safe from any thread."""
        with self._one_at_a_time:
            anew = (self._history, self._forgotten) != (history, history.forgotten)
            self._history, self._forgotten = history, history.forgotten
            snapshots = history.snapshots
            if self.strip is not None:
                self.strip.follow(snapshots, anew=anew)
            viewed, place = self.viewed, len(snapshots)
            if viewed is not None:
                place = next((n for n, s in enumerate(snapshots) if s.about.index >= viewed.about.index), place)
            self._move(place, len(snapshots))
            self.scrubber.disabled = self.play.disabled = self.compare.disabled = not snapshots
            self.play.max = max(0, len(snapshots) - 1)

    def leave_history(self) -> None:
        """Show the newest picture again."""
        with self._one_at_a_time:
            self._move(self.scrubber.max, self.scrubber.max)
            self._look_at(None)

    def _move(self, place: int, last: int) -> None:
        """Put the scrubber somewhere without looking at what is there."""
        self._moving = True
        try:
            self.scrubber.max = max(last, self.scrubber.value)
            self.scrubber.value = place
            self.scrubber.max = last
        finally:
            self._moving = False
            self._move_strip()

    def _move_strip(self) -> None:
        if self.strip is not None:
            self.strip.place = self.scrubber.value

    def _go_to(self, place: int) -> None:
        self.scrubber.value = place

    def _take_turn(self, change: dict[str, Any]) -> None:
        """Show the next snapshot, as the scrubber would."""
        if change["new"] < self.scrubber.max:
            self.scrubber.value = change["new"]

    def _take_place(self, change: dict[str, Any]) -> None:
        with self._one_at_a_time:
            if not self._moving:
                snapshots, place = self._history.snapshots, change["new"]
                self._look_at(snapshots[place] if 0 <= place < min(self.scrubber.max, len(snapshots)) else None)
                if self.shown is not None:
                    self._draw(self.shown)
                self._move_strip()

    def _look_at(self, snapshot: Snapshot | None) -> None:
        self.viewed = snapshot
        self.label.value = _label(snapshot)
        self.back.disabled = snapshot is None

    def _take_zoom(self, change: dict[str, Any]) -> None:
        self.image.layout.width = f"{100 * change['new']}%"
        near = self._glass.add_class if change["new"] > 1 else self._glass.remove_class
        near("clipnb-near")

    def _take_compare(self, wanted: bool) -> None:
        """Pin what is shown, or the first snapshot, on the left; the right is what is shown from then on."""
        with self._one_at_a_time:
            pinned = self.viewed or next(iter(self._history.snapshots), None)
            if wanted and pinned is not None:
                self.comparison.show_left(pinned.picture, _name(pinned))
                self.leave_history()
            self._seen.children = [self.comparison.widget if wanted and pinned is not None else self._glass]
            if self.shown is not None:
                self._draw(self.shown)

    def _draw(self, picture: Image.Image | None = None) -> None:
        with self._one_at_a_time:
            self._picture = picture or self._picture
            self.image.layout.visibility = "visible"
            if self.compare.value:
                self.comparison.show_right(self._picture, _name(self.viewed))
                return
            self.image.value = jpeg(_tiled(self._picture) if self.tile.value else self._picture)


def _name(snapshot: Snapshot | None) -> str:
    """Return what a snapshot is called, or the newest picture."""
    return "now" if snapshot is None else f"{snapshot.unit} {snapshot.number}"


def _attempt(panel: Panel, take: Callable[[dict[str, Any]], None], change: dict[str, Any]) -> None:
    panel.attempt(lambda: take(change))


def _label(snapshot: Snapshot | None) -> str:
    """Return what stands beside the scrubber."""
    return html.plain(_name(snapshot))


def _tiled(picture: Image.Image, count: int = 3) -> Image.Image:
    """Repeat a picture `count` times in both directions, no larger than a screen."""
    scale = min(1.0, 1024 / (count * max(picture.size)))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = picture if (width, height) == picture.size else picture.resize((width, height), Image.Resampling.BILINEAR)
    sheet = Image.new("RGB", (count * width, count * height))
    for place in range(count * count):
        sheet.paste(small, (place % count * width, place // count * height))
    return sheet

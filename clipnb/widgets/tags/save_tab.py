"""Saves what the tag panel shows, in files and as downloads; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import ipywidgets as w

from clipnb import html
from clipnb.widgets.common.controls import SavedAside, chosen_folder, make_folder_field
from clipnb.widgets.common.event_loop import LoopThread, on_loop

_FILES = {
    "tags.json": "Graph as JSON",
    "tags.html": "Page",
    "tags.png": "Picture",
    "tags.graphml": "GraphML",
    "tags.csv": "Counts as CSV",
}


class TagKeeping:
    """Saves a graph in the form that is asked for.

    Attributes:
        widget: what to put into a panel.
        folder: where to.
        buttons: by the file's ending, such as `.json`.
        saved: says what was saved.
    """

    def __init__(
        self,
        save: Callable[[Path], Path],
        guarded: Callable[[Callable[[], None]], None],
        loop_thread: LoopThread,
        *,
        in_thread: bool,
    ) -> None:
        """Take what is asked to save.

        Args:
            save: writes a file of a wished name; returns the file.
            guarded: runs something and shows what goes wrong.
            loop_thread: where a file that was made aside is told of.
            in_thread: whether files may be made in a thread of their own.
        """
        self._save = save
        self.folder = make_folder_field()
        self.buttons: dict[str, w.Button] = {}
        for name, label in _FILES.items():
            button = w.Button(description=label, icon="save")
            button.on_click(on_loop(lambda _, name=name: self._start(name)))
            self.buttons[Path(name).suffix] = button
        self.saved = SavedAside(guarded, loop_thread, in_thread=in_thread)
        row = w.HBox(list(self.buttons.values())).add_class("clipnb-row")
        hint = "The files hold the whole graph; page and picture, what is drawn of it."
        caption = w.HTML(html.caption(hint))
        self.widget = w.VBox([self.folder, row, caption, self.saved.widget])

    def _start(self, name: str) -> None:
        self._allow(False)
        make = partial(self._keep, name)
        self.saved.make(f"writing {name} ...", make, lambda: self._allow(True))

    def _keep(self, name: str) -> Path:
        return self._save(chosen_folder(self.folder) / name)

    def _allow(self, allowed: bool) -> None:
        for button in self.buttons.values():
            button.disabled = not allowed

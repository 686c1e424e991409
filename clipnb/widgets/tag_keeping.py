"""Saves what the tag panel shows, in files and as downloads; nothing is overwritten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import ipywidgets as w

from clipnb.widgets import words

_LARGEST_LINK = 4 * 2**20  # bytes; a larger file is named, but not carried in a link
_KINDS = (
    ("tags.json", "Graph as JSON", "application/json"),
    ("tags.html", "Page", "text/html"),
    ("tags.png", "Picture", "image/png"),
    ("tags.graphml", "GraphML", "application/xml"),
    ("tags.csv", "Counts as CSV", "text/csv"),
)


class TagKeeping:
    """Saves a graph in the form that is asked for.

    Attributes:
        widget: what to put into a panel.
        folder: where to.
        buttons: by the file's ending, such as `.json`.
    """

    def __init__(
        self, save: Callable[[Path], Path], guarded: Callable[[Callable[[], None]], None], *, in_thread: bool
    ) -> None:
        """Take what is asked to save.

        Args:
            save: writes a file of a wished name; returns the file.
            guarded: runs something and shows what goes wrong.
            in_thread: whether files may be made in a thread of their own.
        """
        self._save, self._guarded, self._in_thread = save, guarded, in_thread
        self.folder = w.Text(value="clipnb-output", description="folder", layout={"width": "auto"})
        self.folder.style.description_width = "46px"
        self.buttons: dict[str, w.Button] = {}
        for name, label, kind in _KINDS:
            button = w.Button(description=label, icon="save")
            button.on_click(lambda _, name=name, kind=kind: self._start(name, kind))
            self.buttons[Path(name).suffix] = button
        self._said = w.HTML()
        row = w.HBox(list(self.buttons.values())).add_class("clipnb-row")
        hint = "The files hold the whole graph; page and picture, what is drawn of it."
        self.widget = w.VBox([self.folder, row, w.HTML(f'<span class="clipnb-caption">{hint}</span>'), self._said])

    def _start(self, name: str, kind: str) -> None:
        self._allow(False)
        self._said.value = words.notice(f"writing {name} ...")
        if self._in_thread:
            threading.Thread(target=self._keep, args=(name, kind), name="clipnb-save", daemon=True).start()
        else:
            self._keep(name, kind)

    def _keep(self, name: str, kind: str) -> None:
        self._said.value = ""
        wished = Path(self.folder.value.strip() or ".").expanduser() / name
        self._guarded(lambda: self._say(self._save(wished), kind))
        self._allow(True)

    def _allow(self, allowed: bool) -> None:
        for button in self.buttons.values():
            button.disabled = not allowed

    def _say(self, path: Path, kind: str) -> None:
        said = words.notice(f"saved {path}")
        if path.stat().st_size <= _LARGEST_LINK:
            said += words.download(path.name, kind, path.read_bytes())
        self._said.value = said

"""What stays of a panel's work: files in a folder, and links that bring them to the user's own computer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import ipywidgets as w

from clipnb import html
from clipnb.errors import OutputError, printable
from clipnb.files import read_bytes
from clipnb.widgets.common.panel import Panel

_LARGEST_LINK = 16 * 2**20  # bytes; a larger file is named, but not carried in a link
_KINDS = {
    ".csv": "text/csv",
    ".graphml": "application/xml",
    ".html": "text/html",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".webp": "image/webp",
    ".yaml": "text/plain",
}


class SaveAction(NamedTuple):
    """A button of a save tab: its icon, and what writes files into a folder and returns their paths."""

    icon: str
    write: Callable[[Path], Sequence[Path]]


class SaveTab:
    """Saves what a panel shows, aside, so that the panel answers meanwhile."""

    def __init__(self, panel: Panel, actions: Mapping[str, SaveAction], hint: str = "") -> None:
        """Make a button for each action, by what stands on it."""
        self._panel = panel
        # The front end sends what is typed some time later, but a click at once: so all of it when the field is left.
        self.folder = w.Text(
            value="clipnb-output", description="folder", continuous_update=False, layout={"width": "auto"}
        )
        self.folder.style.description_width = "46px"
        self.buttons = {
            name: panel.button(name, action.icon, "", partial(self._start, action.write))
            for name, action in actions.items()
        }
        self.saved = w.HTML()
        row = w.HBox(list(self.buttons.values())).add_class("clipnb-row")
        hints = [w.HTML(html.caption(hint))] if hint else []
        self.widget = w.VBox([self.folder, row, *hints, self.saved])

    @property
    def path(self) -> Path:
        """The folder that is written in the field; the present one when it is empty."""
        return typed_path(self.folder.value.strip() or ".")

    def _start(self, write: Callable[[Path], Sequence[Path]]) -> None:
        folder, self.saved.value = self.path, ""
        self._allow(False)
        self._panel.show_notice("writing ...")
        self._panel.aside(lambda: saved_html(write(folder)), self._show, lambda: self._allow(True))

    def _show(self, saved: str) -> None:
        self.saved.value = saved

    def _allow(self, allowed: bool) -> None:
        for button in self.buttons.values():
            button.disabled = not allowed


def typed_path(text: str) -> Path:
    """Return a path that somebody typed, with `~` expanded.

    Raises:
        OutputError: it begins with the name of a user who has no home here.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise OutputError(f"cannot write into {text}: {error}") from error


def saved_html(paths: Sequence[Path]) -> html.Markup:
    """Return a notice that names the first file, with links that carry all files that are small enough."""
    links = [
        html.download(printable(path.name), _KINDS[path.suffix], read_bytes(path, _LARGEST_LINK))
        for path in paths
        if path.suffix in _KINDS and path.stat().st_size <= _LARGEST_LINK
    ]
    return html.joined([html.notice(f"saved {printable(str(paths[0]))}"), html.joined(links, " ")])

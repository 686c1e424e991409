"""Small pieces that panels are laid out of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.runner import RunState
from clipnb.widgets.common.event_loop import LoopThread, on_loop
from clipnb.widgets.common.frontend import third_party_widgets_load

_LARGEST_LINK = 16 * 2**20  # bytes; a larger file is named, but not carried in a link
_KINDS = {
    ".csv": "text/csv",
    ".graphml": "application/xml",
    ".html": "text/html",
    ".json": "application/json",
    ".png": "image/png",
    ".webp": "image/webp",
    ".yaml": "text/plain",
}


def button(name: str, icon: str, says: str, action: Callable[[], None], *, at_once: bool = False) -> w.Button:
    """Make a button that says what it does when one points at it.

    Args:
        name: what stands on it.
        icon: of Font Awesome.
        says: shown when one points at it.
        action: what it does.
        at_once: whether that is done in whatever thread hears the click, which may work while a cell keeps the
            kernel busy; else on the event loop, where alone widgets that depend on others may be changed.
    """
    made = w.Button(description=name, icon=icon, tooltip=says)
    made.on_click((lambda _: action()) if at_once else on_loop(lambda _: action()))
    return made


def bar_style(state: RunState) -> str:
    """Give the colour of a bar, as ipywidgets names it: how a run ended, or none while it is on."""
    return {RunState.DONE: "success", RunState.FAILED: "danger"}.get(state, "")


def labelled(label: str, widget: Any) -> Any:
    """Put a widget under its label."""
    return w.VBox([w.HTML(html.element("label", label)), widget]).add_class("clipnb-control")


def make_copy_button() -> Any:
    """Make a `CopyButton`; None where the host does not load such a widget."""
    if not third_party_widgets_load():
        return None
    from clipnb.widgets.common.copying import CopyButton

    return CopyButton()


def make_folder_field() -> w.Text:
    """Make the field for the folder that files are saved in."""
    field = w.Text(value="clipnb-output", description="folder", layout={"width": "auto"})
    field.style.description_width = "46px"
    return field


def chosen_folder(field: w.Text) -> Path:
    """Give the folder that is written in such a field; an empty one is the present folder."""
    return Path(field.value.strip() or ".").expanduser()


class Saved:
    """Says what was saved, with links that bring the files to the person's own computer.

    Attributes:
        widget: what to put into a panel.
    """

    def __init__(self) -> None:
        """Say nothing yet."""
        self.widget = w.HTML()

    def say(self, message: str) -> None:
        """Show a word in place of what was saved before; "" shows nothing."""
        self.widget.value = html.notice(message)

    def show(self, *paths: Path) -> None:
        """Name the first file, and link to all that a link can carry."""
        links = [
            html.download(path.name, _KINDS[path.suffix], path.read_bytes())
            for path in paths
            if path.suffix in _KINDS and path.stat().st_size <= _LARGEST_LINK
        ]
        self.widget.value = html.notice(f"saved {paths[0]}") + " ".join(links)


class SavedAside(Saved):
    """Says what was saved by work that takes a while."""

    def __init__(
        self, guarded: Callable[[Callable[[], None]], None], loop_thread: LoopThread, *, in_thread: bool
    ) -> None:
        """Take how a panel works.

        Args:
            guarded: runs something and shows what goes wrong.
            loop_thread: where it is said what was saved.
            in_thread: whether files may be made in a thread of their own.
        """
        super().__init__()
        self._guarded, self._loop_thread, self._in_thread = guarded, loop_thread, in_thread

    def make(self, word: str, make: Callable[[], Path], after: Callable[[], None]) -> None:
        """Make a file and show it, or what went wrong.

        Args:
            word: shown meanwhile.
            make: writes the file and returns it.
            after: called at the end in any case.
        """

        def tell(made: Callable[[], Path]) -> None:
            self.say("")
            self._guarded(lambda: self.show(made()))
            after()

        self.say(word)
        if self._in_thread:
            self._loop_thread.aside(make, tell)
        else:
            tell(make)

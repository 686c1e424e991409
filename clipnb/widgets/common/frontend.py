"""What runs in the browser: style sheets, our programs, and large scripts, each sent there only once."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as w
import traitlets
from pydantic import BaseModel, ConfigDict

from clipnb.host import Host, find_host

if find_spec("anywidget") is None:  # an extra; without it no such widget is made
    _Base: Any = w.DOMWidget
else:
    import anywidget

    _Base = anywidget.AnyWidget


def third_party_widgets_load() -> bool:
    return find_spec("anywidget") is not None and find_host().loads_widgets


class OneWay(w.Widget):  # type: ignore[misc]
    """A widget whose traits are set in Python alone; what a browser sets is undone there."""

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Send the present values of what a browser tried to change."""
        names = [name for name in self.keys if name in sync_data]
        if names:
            self.send_state(names)


class OneWayHTML(OneWay, w.HTML):  # type: ignore[misc]
    """HTML that Python reads again, or that other widgets are made of."""


class Tabs(w.Tab):  # type: ignore[misc]
    """Tabs of which a browser chooses one, and no more."""

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take what is chosen alone."""
        super().set_state({name: value for name, value in sync_data.items() if name == "selected_index"})


class Choice(w.Dropdown):  # type: ignore[misc]
    """A list of which a browser chooses one: something is always chosen."""

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take what is chosen, and send it again where that is nothing."""
        chosen = {name: value for name, value in sync_data.items() if name != "index" or value is not None}
        super().set_state(chosen)
        if len(chosen) < len(sync_data):
            self.send_state("index")


class Message(BaseModel):
    """What a program in the browser says, which may be anything: other fields and other kinds of values are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class BrowserWidget(OneWay, _Base):  # type: ignore[misc]
    """A widget with a program of its own; what its user does comes as messages.

    Attributes:
        sheets: style sheets, by name, that it needs where it stands alone, without a panel that brings them.
    """

    sheets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *programs: str, **traits: Any) -> None:
        """Make the program of the JavaScript of several files."""
        if find_host() is Host.MARIMO:
            self._css = "".join(map(static, ("panel.css", *self.sheets)))  # anywidget makes a trait of it
        super().__init__(_esm="\n".join(programs), **traits)


class CopyButton(BrowserWidget):
    """Copies its text to the clipboard of the user's computer."""

    text: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(static("copy_text.js"), static("copying.js"))


def make_copy_button() -> CopyButton | None:
    return CopyButton() if third_party_widgets_load() else None


def carrier_of(read: Callable[[], str]) -> Any:
    """Return the one model that carries a script for all widgets; another one when all widgets were closed.

    Its `value` is the gzipped script as base64. Widgets name it by its `model_id`, and `loadLibrary` of
    `static/library.js` makes a module of it.
    """
    found = _carrier(read)
    if found.comm is None:
        _carrier.cache_clear()
        found = _carrier(read)
    return found


@cache
def _carrier(read: Callable[[], str]) -> Any:
    return OneWayHTML(value=base64.b64encode(gzip.compress(read().encode(), mtime=0)).decode("ascii"))


@cache
def static(name: str) -> str:
    return (Path(__file__).parents[1] / "static" / name).read_text(encoding="utf-8")


def style(*more: str) -> w.HTML:
    """Return a widget without room that brings the style sheet of all panels, and further ones by name."""
    sheets = "".join(map(static, ("panel.css", *more)))
    return w.HTML(f"<style>{sheets}</style>", layout={"display": "none"})


def named(widget: Any, name: str) -> Any:
    """Return a field without a label, with a name that shows where it is pointed at, and that screen readers say."""
    if widget.has_trait("tooltip"):  # not every one had it before ipywidgets 8
        widget.tooltip = name
    return widget

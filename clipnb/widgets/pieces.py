"""Small pieces that panels are laid out of."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from clipnb.widgets.front_end import third_party_widgets_load


def button(name: str, icon: str, says: str, action: Callable[[], None]) -> w.Button:
    """Make a button that says what it does when one points at it."""
    made = w.Button(description=name, icon=icon, tooltip=says)
    made.on_click(lambda _: action())
    return made


def labelled(label: str, widget: Any) -> Any:
    """Put a widget under its label."""
    return w.VBox([w.HTML(f"<label>{html.escape(label)}</label>"), widget]).add_class("clipnb-control")


def make_copy_button() -> Any:
    """Make a `CopyButton`; None where the host does not load such a widget."""
    if not third_party_widgets_load():
        return None
    from clipnb.widgets.copying import CopyButton

    return CopyButton()

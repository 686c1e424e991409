"""Small widgets that panels are laid out of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.models.sources import OPENAI_NAMES
from clipnb.widgets.common.frontend import Tabs

FULL = {"width": "100%"}


def labelled(label: str, widget: Any) -> Any:
    """Return a widget under its label, which is its name for screen readers too; a group gets a box around it."""
    if not widget.has_trait("description"):
        return w.VBox([w.HTML(html.caption(label)), widget]).add_class("clipnb-control")
    widget.description = label
    return widget.add_class("clipnb-control")


def model_chooser(value: str = "auto") -> w.Combobox:
    """Return a field for the name of a model, with those that are known offered."""
    models = ("auto", "lite", *OPENAI_NAMES)
    return w.Combobox(value=value, options=models, ensure_option=False, continuous_update=False, layout=FULL)


def tabs(pages: Mapping[str, Any]) -> Tabs:
    """Return tabs by their titles."""
    made = Tabs(list(pages.values()), layout=FULL)
    for place, title in enumerate(pages):
        made.set_title(place, title)
    return made


def header(name: str, *widgets: Any) -> Any:
    """Return the top row of a panel: its name and some widgets."""
    title = w.HTML(html.element("span", html.joined(["clipnb", html.element("small", name)]), "clipnb-title"))
    return w.HBox([title, *widgets]).add_class("clipnb-row").add_class("clipnb-head")


def keep_equal(first: tuple[Any, str], second: tuple[Any, str]) -> None:
    """Let each of two traits follow the other; threads may change both at once, where `traitlets.link` raises."""
    traitlets.dlink(first, second)
    traitlets.dlink(second, first)


def show_only(box: Any, shown: Sequence[Any]) -> None:
    """Show these children of a box, in its order, and hide the others.

    Pages keep what they once made of a child as long as its layout lives (ipywidgets 8), so a list whose children come
    and go would fill them.
    """
    for child in box.children:
        (child.remove_class if any(child is one for one in shown) else child.add_class)("clipnb-off")

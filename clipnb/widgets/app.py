"""Panels as a page of their own, which `clipnb app` serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any

from clipnb.widgets.common.controls import tabs
from clipnb.widgets.connect import connect
from clipnb.widgets.interrogate.panel import interrogate_panel
from clipnb.widgets.live.panel import live
from clipnb.widgets.tags.panel import tag_panel

_MAKERS: Mapping[str, Callable[[], Any]] = {"live": live, "interrogate": interrogate_panel, "tags": tag_panel}


def open_panels(names: Sequence[str]) -> Any:
    """Return a panel, or several as tabs that send each other what they have."""
    panels = [_MAKERS[name]() for name in names]
    if len(panels) == 1:
        return panels[0]
    for source, target in permutations(panels, 2):
        if set(source.gives) & set(target.takes):
            connect(source, target)
    made = tabs({name.capitalize(): panel for name, panel in zip(names, panels, strict=True)})
    made.layout.width = "auto"
    return made

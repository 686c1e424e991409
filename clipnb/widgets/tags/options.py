"""Controls for what becomes a graph, and for what is drawn of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from clipnb.tags.communities import METHODS
from clipnb.tags.view import TagSettings
from clipnb.tags.weights import WEIGHTS
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.frontend import Choice
from clipnb.widgets.common.panel import Panel

_MOST, _MOST_DRAWN = 1_000_000, 1_000
_ALL = 0.0  # a dropdown takes None for no choice at all
_PAIRS = (("all", _ALL), ("that stand out", 0.2), ("the backbone", 0.05), ("the strictest", 0.01))
_LABELS = {
    "min_count": "least count of a tag",
    "min_edge": "least count of a pair",
    "top": "most tags in the graph",
    "max_nodes": "most tags drawn",
    "weight": "weight of a pair",
    "method": "communities by",
    "backbone": "pairs kept",
}


class GraphControls:
    """Controls of a graph's settings, by the settings' names."""

    def __init__(self, panel: Panel, settings: TagSettings, changed: Callable[[TagSettings], None]) -> None:
        pairs, alpha = list(_PAIRS), settings.backbone or _ALL
        if alpha not in dict(pairs).values():
            pairs.append((f"below {alpha:g}", alpha))
        self.controls: dict[str, Any] = {
            "min_count": _number(settings.min_count, _MOST),
            "min_edge": _number(settings.min_edge, _MOST),
            "top": _number(settings.top, _MOST),
            "max_nodes": _number(settings.max_nodes, max(_MOST_DRAWN, settings.max_nodes)),
            "weight": Choice(options=tuple(WEIGHTS), value=settings.weight, layout=FULL),
            "method": Choice(options=("auto", *METHODS), value=settings.method, layout=FULL),
            "backbone": Choice(options=pairs, value=alpha, layout=FULL),
        }
        grid = w.Box([labelled(_LABELS[name], control) for name, control in self.controls.items()])
        self.widget = w.VBox([grid.add_class("clipnb-grid")])
        for control in self.controls.values():
            panel.on_value(control, lambda _: panel.guarded(lambda: changed(self.settings)))

    @property
    def settings(self) -> TagSettings:
        values = {name: control.value for name, control in self.controls.items()}
        return TagSettings(**values | {"backbone": values["backbone"] or None})


def _number(value: int, most: int) -> w.BoundedIntText:
    return w.BoundedIntText(value=value, min=1, max=most, continuous_update=False, layout=FULL)

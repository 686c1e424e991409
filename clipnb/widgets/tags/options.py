"""Controls for what becomes a graph and what is drawn of it, and for how lines are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from clipnb.tags.communities import METHODS
from clipnb.tags.view import TagSettings
from clipnb.tags.weights import WEIGHTS
from clipnb.widgets.common.controls import labelled
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.tags.source import Reading

_MOST = 1_000_000
_DRAWN = 1_000
_ALL = 0.0  # a dropdown takes None for no choice at all
_PAIRS = (("all", _ALL), ("that stand out", 0.2), ("the backbone", 0.05), ("the strictest", 0.01))
_FULL = {"width": "100%"}


class GraphControls:
    """Controls of a graph's settings.

    Attributes:
        widget: what to put into a panel.
        controls: by the names of the settings.
    """

    def __init__(self, settings: TagSettings, changed: Callable[[TagSettings], None]) -> None:
        """Begin with some settings; every change is told."""
        pairs, alpha = list(_PAIRS), settings.backbone or _ALL
        if alpha not in dict(pairs).values():
            pairs.append((f"below {alpha:g}", alpha))
        self.controls: dict[str, Any] = {
            "min_count": _number(settings.min_count, 1, _MOST),
            "min_edge": _number(settings.min_edge, 1, _MOST),
            "top": _number(settings.top, 1, _MOST),
            "max_nodes": _number(settings.max_nodes, 1, max(_DRAWN, settings.max_nodes)),
            "weight": w.Dropdown(options=tuple(WEIGHTS), value=settings.weight, layout=_FULL),
            "method": w.Dropdown(options=("auto", *METHODS), value=settings.method, layout=_FULL),
            "backbone": w.Dropdown(options=pairs, value=alpha, layout=_FULL),
        }
        labels = {
            "min_count": "least count of a tag",
            "min_edge": "least count of a pair",
            "top": "most tags in the graph",
            "max_nodes": "most tags drawn",
            "weight": "weight of a pair",
            "method": "communities by",
            "backbone": "pairs kept",
        }
        grid = w.Box([labelled(labels[name], control) for name, control in self.controls.items()])
        self.widget = w.VBox([grid.add_class("clipnb-grid")])
        for control in self.controls.values():
            control.observe(on_loop(lambda _: changed(self.settings)), "value")

    @property
    def settings(self) -> TagSettings:
        """What the controls say."""
        values = {name: control.value for name, control in self.controls.items()}
        return TagSettings(**values | {"backbone": values["backbone"] or None})


class ReadingControls:
    """Controls of how lines are read.

    Attributes:
        widget: what to put into a panel.
        head: whether the first part is the subject.
        clean: whether brackets and the like are stripped.
        column: of tables and JSON lines.
    """

    def __init__(self, reading: Reading, changed: Callable[[Reading], None]) -> None:
        """Begin with a way of reading; every change is told."""
        self.head = w.Dropdown(
            options=(("a subject, then tags", True), ("tags only", False)), value=reading.head, layout=_FULL
        )
        self.clean = w.Dropdown(
            options=(("as they are written", False), ("without (brackets:1.2) and --words", True)),
            value=reading.clean,
            layout=_FULL,
        )
        self.column = w.Text(value=reading.column, continuous_update=False, layout=_FULL)
        fields = {"a line holds": self.head, "tags are taken": self.clean, "column in tables": self.column}
        grid = w.Box([labelled(label, control) for label, control in fields.items()])
        self.widget = grid.add_class("clipnb-grid")
        for control in fields.values():
            control.observe(on_loop(lambda _: changed(self.reading)), "value")

    @property
    def reading(self) -> Reading:
        """What the controls say."""
        return Reading(self.head.value, self.clean.value, self.column.value.strip() or "prompt")


def _number(value: int, least: int, most: int) -> w.BoundedIntText:
    return w.BoundedIntText(value=value, min=least, max=most, continuous_update=False, layout=_FULL)

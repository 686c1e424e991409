"""A list of tags, each of which can be looked at or added to the prompt; made of plain buttons, so tags stay text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.tags.drawing import cut_name
from clipnb.tags.view import Row
from clipnb.widgets.common.event_loop import on_loop

Act = Callable[[str], None]
_LONGEST = 60


class TagRows:
    """Shows rows; their widgets are made once and used again.

    Attributes:
        widget: what to put into a panel.
        names: the buttons with the names that are shown now.
        adders: the buttons that add those tags.
    """

    def __init__(self, look: Act, add: Act, *, empty: str = "") -> None:
        """Take what a click does.

        Args:
            look: looks at a tag.
            add: adds a tag to the prompt.
            empty: a word for when there is nothing to list.
        """
        self._look, self._add = look, add
        self._empty = w.HTML(html.element("span", empty, "clipnb-small"))
        self._lines: list[_Line] = []
        self._shown: tuple[Row, ...] = ()
        self.widget = w.VBox([self._empty]).add_class("clipnb-rows")

    @property
    def names(self) -> list[w.Button]:
        """The buttons with the names that are shown now."""
        return [line.name for line in self._lines[: len(self._shown)]]

    @property
    def adders(self) -> list[w.Button]:
        """The buttons that add the tags that are shown now."""
        return [line.add for line in self._lines[: len(self._shown)]]

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows instead of those before; safe from any thread."""
        self._shown = tuple(rows)
        while len(self._lines) < len(rows):
            self._lines.append(_Line(self._look, self._add, self._lines[0] if self._lines else None))
        for line, row in zip(self._lines, rows, strict=False):
            line.show(row)
        self.widget.children = [line.widget for line in self._lines[: len(rows)]] or [self._empty]


class _Line:
    """One row of widgets; all rows share the first one's layouts and styles, of which every widget else has its own."""

    name: Any
    dot: Any

    def __init__(self, look: Act, add: Act, first: _Line | None) -> None:
        self.tag = ""
        button = {} if first is None else {"layout": first.name.layout, "style": first.name.style}
        self.name = w.Button(tooltip="look at this tag", **button).add_class("clipnb-name")
        shared = {"layout": self.name.layout, "style": self.name.style}
        self.add = w.Button(icon="plus", tooltip="add to the prompt", **shared).add_class("clipnb-add")
        plain = {"layout": self.name.layout} | ({} if first is None else {"style": first.dot.style})
        self.dot = w.HTML(**plain)
        self._amount = w.HTML(layout=self.name.layout, style=self.dot.style)
        self.widget = w.HBox([self.dot, self.name, self._amount, self.add], layout=self.name.layout)
        self.name.on_click(on_loop(lambda _: look(self.tag)))
        self.add.on_click(on_loop(lambda _: add(self.tag)))

    def show(self, row: Row) -> None:
        self.tag = row.tag
        self.name.description = cut_name(row.tag, _LONGEST)
        colour = f"background: {row.colour}" if row.colour else "border: 1px solid currentcolor"
        self.dot.value = f'<span class="clipnb-dot" style="{html.escaped(colour)}"></span>'
        self._amount.value = html.element("span", row.amount, "clipnb-amount")

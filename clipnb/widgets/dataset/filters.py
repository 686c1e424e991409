"""Which images are shown: by tags that all, any or none of must be there, by text, by lack of a caption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.errors import printable
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.frontend import named
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.dataset.session import Filter, tags_of

MOST_LISTED = 500
"""Tags that the list shows; a search finds those beyond."""
_LONGEST = 60  # characters of a tag
_LABELS = {"every": "with all of these tags", "some": "with any of these", "none": "with none of these"}
_BLANK = "\u2007"  # as wide as a digit


class FilterRow:
    """Fields for a filter.

    Attributes:
        fields: of the tags, separated by commas: `every`, `some`, `none`; and `text`.
        bare: whether only images without a caption are shown.
        clear: shows all again.
    """

    def __init__(self, panel: Panel, changed: Callable[[], None]) -> None:
        self._changed, self._setting = changed, False
        self.fields = {name: w.Text(continuous_update=False, layout=FULL) for name in _LABELS}
        self.fields["text"] = w.Text(continuous_update=False, layout=FULL)
        self.bare = w.Checkbox(description="without caption", indent=False, layout={"width": "auto"})
        self.clear = panel.button("Show all", "eraser", "take the filter away", lambda: self.set(Filter()))
        fields = [labelled(label, self.fields[name]) for name, label in _LABELS.items()]
        fields.append(labelled("text or file name holds", self.fields["text"]))
        buttons = w.HBox([self.bare, self.clear]).add_class("clipnb-row")
        self.widget = w.Box([*fields, buttons]).add_class("clipnb-filters")
        for widget in (*self.fields.values(), self.bare):
            panel.on_value(widget, self._hear)

    @property
    def filter(self) -> Filter:
        every, some, none = (tags_of(self.fields[name].value) for name in _LABELS)
        return Filter(every, some, none, self.fields["text"].value.strip(), bare=self.bare.value)

    def set(self, chosen: Filter) -> None:
        """Show another filter, and use it."""
        self._setting = True
        for name in _LABELS:
            self.fields[name].value = ", ".join(getattr(chosen, name))
        self.fields["text"].value, self.bare.value = chosen.text, chosen.bare
        self._setting = False
        self._changed()

    def _hear(self, _: Any) -> None:
        if not self._setting:
            self._changed()


class TagList:
    """The tags with the number of images that carry each; a click shows these.

    Attributes:
        search: finds tags.
        list: the most frequent of those found.
        joins: buttons that add the chosen tag to a field of the filter, by its name.
    """

    def __init__(self, panel: Panel, look: Callable[[str], None], join: Callable[[str, str], None]) -> None:
        """Call `look` with a tag that was chosen; `join` with the field and the tag for a further one."""
        self._look, self._showing = look, False
        self._counts: tuple[tuple[str, int], ...] = ()
        self.search = w.Text(placeholder="find a tag", layout=FULL)
        self.list = named(w.Select(rows=15, layout=FULL).add_class("clipnb-taglist"), "tags of the images")
        self._word = w.HTML()
        names = {"every": "and", "some": "or", "none": "not"}
        self.joins = {
            field: panel.button(name, "", f"images {_LABELS[field]}", partial(self._join, join, field))
            for field, name in names.items()
        }
        buttons = w.HBox([w.HTML(html.caption("add to the filter:")), *self.joins.values()]).add_class("clipnb-row")
        self.widget = w.VBox([self.search, self.list, self._word, buttons])
        panel.on_value(self.search, lambda _: self._refresh(self.list.value))
        panel.on_value(self.list, self._hear)

    def show(self, counts: Sequence[tuple[str, int]], tag: str) -> None:
        """Show tags, the most frequent first, with one of them chosen."""
        self._counts = tuple(counts)
        self._refresh(tag)

    def choose(self, tag: str) -> None:
        self._refresh(tag)

    def _refresh(self, tag: str | None) -> None:
        wanted = self.search.value.strip().casefold()
        found = [pair for pair in self._counts if wanted in pair[0].casefold()]
        width = len(f"{found[0][1]:,}") if found else 0
        options = [(_row(name, count, width), name) for name, count in found[:MOST_LISTED]]
        self._showing = True
        self.list.options = options
        self.list.value = tag if any(tag == name for _, name in options) else None
        self._showing = False
        more = f", of which the {MOST_LISTED} most frequent are listed" if len(found) > MOST_LISTED else ""
        self._word.value = html.caption(f"{len(found):,} tags{' found' if wanted else ''}{more}")

    def _hear(self, tag: str | None) -> None:
        if tag is not None and not self._showing:
            self._look(tag)

    def _join(self, join: Callable[[str, str], None], field: str) -> None:
        if self.list.value is not None:
            join(field, self.list.value)


def _row(name: str, count: int, width: int) -> str:
    return f"{f'{count:,}'.rjust(width, _BLANK)}  {html.cut(printable(name), _LONGEST)}"

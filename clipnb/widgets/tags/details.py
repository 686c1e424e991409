"""What is known of the tag that is looked at, or what a search found, in lists of plain buttons: tags stay text."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.errors import ImageError
from clipnb.tags.drawing import cut_name
from clipnb.tags.view import About, Row
from clipnb.widgets.common.controls import show_only
from clipnb.widgets.common.still import small_jpeg
from clipnb.widgets.tags.prompt_builder import PromptPanel

_HINTS = {
    True: "Click a tag in the graph to see what it goes with. With Ctrl or Shift held, a click adds it to the prompt "
    "or takes it out.",
    False: "Find a tag above to see what it goes with; the plus buttons add tags to the prompt.",
}
_SIDE = 96  # pixels
_LONGEST_ROW, _LONGEST_NAME, _LONGEST_PROMPT = 60, 120, 400


class TagDetails:
    """Shows one tag with its lists, or the rows that a search found.

    Attributes:
        found: what the search found.
        neighbours: of the tag that is looked at, the closest first.
        suggestions: what usually goes with it.
        toggle: adds it to the prompt, or takes it out.
        head, by, pictures, prompts: HTML about the tag.
    """

    def __init__(self, panel: PromptPanel, *, live: bool) -> None:
        """Make the parts; `live` is whether clicks in the graph count."""
        self._tag = ""
        self.found = TagRows(panel, empty="No tag of the graph holds this.")
        self.neighbours = TagRows(panel, empty="It stands alone.")
        self.suggestions = TagRows(panel, empty="Nothing goes with it beyond chance.")
        self.toggle = panel.button("", "", "", lambda: panel.toggle(self._tag))
        self.mark(in_prompt=False)
        self.head, self.by, self.pictures, self.prompts = w.HTML(), w.HTML(), w.HTML(), w.HTML()
        lists = [self.by, self.neighbours.widget, w.HTML(_title("Usually goes with it", "share of its prompts"))]
        self._about = w.VBox(
            [self.head, w.HBox([self.toggle]), self.pictures, *lists, self.suggestions.widget, self.prompts]
        )
        self._finding = w.VBox([w.HTML(_title("Found", "times")), self.found.widget])
        self._hint = w.HTML(html.element("p", _HINTS[live], "clipnb-small"))
        self.widget = w.VBox([self._hint, self._about, self._finding]).add_class("clipnb-details")
        show_only(self.widget, [self._hint])

    def show(self, about: About | None, weight: str) -> None:
        """Show a tag whose neighbours are ordered by a weight; None shows how to choose one."""
        if about is None:
            show_only(self.widget, [self._hint])
            return
        self._tag = about.tag
        self.head.value = _head(about)
        self.by.value = _title("Goes with", weight)
        self.neighbours.show(about.neighbours)
        self.suggestions.show(about.suggestions)
        self.prompts.value = _prompts(about)
        show_only(self.widget, [self._about])

    def show_pictures(self, pictures: Sequence[bytes]) -> None:
        """Show small JPEGs of pictures whose prompts have the tag."""
        shown = html.joined(html.image(data, "image/jpeg") for data in pictures)
        self.pictures.value = html.element("div", shown, "clipnb-thumbnails") if pictures else ""

    def mark(self, *, in_prompt: bool) -> None:
        """Show whether the tag is in the prompt."""
        shown = ("Take out of the prompt", "minus") if in_prompt else ("Add to the prompt", "plus")
        self.toggle.description, self.toggle.icon = shown

    def show_found(self, rows: Sequence[Row]) -> None:
        self.found.show(rows)
        show_only(self.widget, [self._finding])


def small_pictures(paths: Sequence[str]) -> list[bytes]:
    """Return small JPEGs of image files; those that cannot be read are left out."""
    found = []
    for path in paths:
        with suppress(ImageError):
            found.append(small_jpeg(path, path, _SIDE))
    return found


class TagRows:
    """A list of tags, each of which can be looked at or added to the prompt; rows are made once and used again."""

    def __init__(self, panel: PromptPanel, empty: str) -> None:
        """Make an empty list, with what is shown when there is nothing in it."""
        self._panel = panel
        self._empty = w.HTML(html.element("span", empty, "clipnb-small"))
        self._lines: list[_Line] = []
        self._shown = 0
        self.widget = w.VBox([self._empty]).add_class("clipnb-rows")

    @property
    def names(self) -> list[w.Button]:
        """Buttons with the names that are shown now."""
        return [line.name for line in self._lines[: self._shown]]

    @property
    def adders(self) -> list[w.Button]:
        """Buttons that add the tags that are shown now."""
        return [line.add for line in self._lines[: self._shown]]

    def show(self, rows: Sequence[Row]) -> None:
        self._shown = len(rows)
        if len(self._lines) < len(rows):
            while len(self._lines) < len(rows):
                self._lines.append(_Line(self._panel, self._lines[0] if self._lines else None))
            self.widget.children = [self._empty, *(line.widget for line in self._lines)]
        for line, row in zip(self._lines, rows, strict=False):
            line.show(row)
        show_only(self.widget, [line.widget for line in self._lines[: len(rows)]] or [self._empty])


class _Line:
    """One row; all rows share the first one's layouts and styles, of which every widget else has its own."""

    name: Any
    dot: Any

    def __init__(self, panel: PromptPanel, first: _Line | None) -> None:
        self.tag = ""
        given = {} if first is None else {"layout": first.name.layout, "style": first.name.style}
        self.name = panel.button("", "", "look at this tag", lambda: panel.look_at(self.tag), **given)
        layout = {"layout": self.name.layout}
        shared = layout | {"style": self.name.style}
        self.add = panel.button("", "plus", "add to the prompt", lambda: panel.add(self.tag), **shared)
        self.dot = w.HTML(**layout, **({} if first is None else {"style": first.dot.style}))
        self._amount = w.HTML(**layout, style=self.dot.style)
        buttons = self.name.add_class("clipnb-name"), self._amount, self.add.add_class("clipnb-add")
        self.widget = w.HBox([self.dot, *buttons], **layout)

    def show(self, row: Row) -> None:
        self.tag = row.tag
        self.name.description = cut_name(row.tag, _LONGEST_ROW)
        colour = f"background: {row.colour}" if row.colour else "border: 1px solid currentcolor"
        self.dot.value = f'<span class="clipnb-dot" style="{html.escaped(colour)}"></span>'
        self._amount.value = html.element("span", row.amount, "clipnb-amount")


def _title(text: str, unit: str) -> str:
    return html.element("div", html.joined([text, html.element("small", unit)]), "clipnb-heading")


def _head(about: About) -> str:
    times = "once" if about.count == 1 else f"{about.count:,} times"
    facts = f"{times}, {about.rank:.2%} of all tags, number {about.place:,} by count."
    drawn = "" if about.is_drawn else " Too rare to be drawn now."
    name = html.element("div", cut_name(about.tag, _LONGEST_NAME), "clipnb-tag")
    return name + html.element("div", facts + drawn, "clipnb-small")


def _prompts(about: About) -> str:
    lines = html.joined(html.element("li", cut_name(text, _LONGEST_PROMPT)) for text in about.prompts)
    unit = f"{len(about.prompts)} of {about.in_prompts:,}"
    return _title("Prompts with it", unit) + html.element("ul", lines, "clipnb-prompts")

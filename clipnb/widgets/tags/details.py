"""What is known of the tag that is looked at, or what a search found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as w

from clipnb import html
from clipnb.tags.drawing import cut_name
from clipnb.tags.view import About, Row
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.tags.rows import TagRows

_HINTS = {
    True: "Click a tag in the graph to see what it goes with. With Ctrl or Shift held, a click adds it to the prompt "
    "or takes it out.",
    False: "Find a tag above to see what it goes with; the plus buttons add tags to the prompt.",
}
_LONGEST_NAME, _LONGEST_PROMPT = 120, 400


class TagDetails:
    """Shows one tag with its lists, or the rows that a search found.

    Attributes:
        widget: what to put into a panel.
        found: what the search found.
        neighbours: of the tag that is looked at, the closest first.
        suggestions: what usually goes with it.
        toggle: adds it to the prompt, or takes it out.
    """

    def __init__(
        self, look: Callable[[str], None], add: Callable[[str], None], toggle: Callable[[str], None], *, live: bool
    ) -> None:
        """Take what clicks do.

        Args:
            look: looks at a tag.
            add: adds it to the prompt.
            toggle: adds it, or takes it out.
            live: whether clicks in the graph count.
        """
        self._tag = ""
        self.found = TagRows(look, add, empty="No tag of the graph holds this.")
        self.neighbours = TagRows(look, add, empty="It stands alone.")
        self.suggestions = TagRows(look, add, empty="Nothing goes with it beyond chance.")
        self.toggle = w.Button()
        self.toggle.on_click(on_loop(lambda _: toggle(self._tag)))
        self.mark(in_prompt=False)
        self._head, self._prompts, self._by = w.HTML(), w.HTML(), w.HTML()
        self._about = w.VBox(
            [
                self._head,
                w.HBox([self.toggle]),
                self._by,
                self.neighbours.widget,
                w.HTML(_title("Usually goes with it", "share of its prompts")),
                self.suggestions.widget,
                self._prompts,
            ]
        )
        self._finding = w.VBox([w.HTML(_title("Found", "times")), self.found.widget])
        self._hint = w.HTML(f'<p class="clipnb-small">{_HINTS[live]}</p>')
        self.widget = w.VBox([self._hint]).add_class("clipnb-details")

    def show(self, about: About | None, weight: str) -> None:
        """Show a tag; None shows how to choose one.

        Args:
            about: what is known of it.
            weight: the measure that orders its neighbours.
        """
        if about is None:
            self.widget.children = [self._hint]
            return
        self._tag = about.tag
        self._head.value = _head(about)
        self._by.value = _title("Goes with", weight)
        self.neighbours.show(about.neighbours)
        self.suggestions.show(about.suggestions)
        self._prompts.value = _prompts(about)
        self.widget.children = [self._about]

    def mark(self, *, in_prompt: bool) -> None:
        """Say whether the tag is in the prompt."""
        said = ("Take out of the prompt", "minus") if in_prompt else ("Add to the prompt", "plus")
        self.toggle.description, self.toggle.icon = said

    def show_found(self, rows: Sequence[Row]) -> None:
        """Show what a search found."""
        self.found.show(rows)
        self.widget.children = [self._finding]


def _title(text: str, unit: str) -> str:
    return html.element("div", html.joined([text, html.element("small", unit)]), "clipnb-heading")


def _head(about: About) -> str:
    times = "once" if about.count == 1 else f"{about.count:,} times"
    said = f"{times}, {about.rank:.2%} of all tags, number {about.place:,} by count."
    drawn = "" if about.is_drawn else " Too rare to be drawn now."
    name = html.element("div", cut_name(about.tag, _LONGEST_NAME), "clipnb-tag")
    return name + html.element("div", said + drawn, "clipnb-small")


def _prompts(about: About) -> str:
    lines = html.joined(html.element("li", cut_name(text, _LONGEST_PROMPT)) for text in about.prompts)
    unit = f"{len(about.prompts)} of {about.in_prompts:,}"
    return _title("Prompts with it", unit) + html.element("ul", lines, "clipnb-prompts")

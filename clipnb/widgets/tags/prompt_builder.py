"""Builds a prompt from tags: chips to take out and to order, what usually goes with them, the text to copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w

from clipnb.tags.drawing import cut_name
from clipnb.tags.splitting import split_prompt
from clipnb.tags.view import Row
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.frontend import make_copy_button

_LONGEST = 40
_NONE = "No tag yet: add some from the lists above, or by typing."


class PromptBuilder:
    """Shows a prompt that is being built, and tells what is asked for; keeps none of it.

    Attributes:
        widget: what to put into a panel.
        subject: what the prompt shows.
        typed: takes tags by typing.
        text: the prompt.
        copy: copies it; None where the host does not load such a widget.
        offers: buttons that add what usually goes with the tags.
        clear: takes all tags out.
    """

    def __init__(self, write: Callable[[str, Any], None], look: Callable[[str], None], links: Any) -> None:
        """Take where changes go.

        Args:
            write: takes a trait's name (`selected`, `subject`, `prompt`) and its new value.
            look: looks at a tag.
            links: buttons that send the prompt to other panels.
        """
        self._write, self._look = write, look
        self._tags: list[str] = []
        self._offered: tuple[Row, ...] = ()
        self._chips: list[_Chip] = []
        self._mirroring = False
        wide = {"width": "auto", "flex": "1 1 160px"}
        self.subject = w.Text(placeholder="subject, such as a lighthouse", continuous_update=False, layout=wide)
        self.typed = w.Text(placeholder="add a tag; Enter", continuous_update=False, layout=wide)
        self.text = w.Textarea(continuous_update=False, layout={"width": "auto", "height": "74px"})
        self.clear = w.Button(description="Clear", icon="eraser", tooltip="take all tags out")
        self.copy = make_copy_button()
        self.offers: list[w.Button] = []
        self._chip_box, self._offer_box = w.Box().add_class("clipnb-chips"), w.Box().add_class("clipnb-offers")
        self._title = w.HTML('<span class="clipnb-small">goes with all of these</span>')
        self._none = w.HTML(f'<span class="clipnb-small">{_NONE}</span>')
        left = w.VBox([w.HBox([self.subject, self.typed]), self._chip_box, self._offer_box])
        buttons = w.HBox([*([self.copy] if self.copy else []), self.clear, links]).add_class("clipnb-row")
        right = w.VBox([self.text.add_class("clipnb-prompt"), buttons])
        halves = [left.add_class("clipnb-building"), right.add_class("clipnb-built")]
        self.widget = w.HBox(halves).add_class("clipnb-foot")
        self.subject.observe(on_loop(lambda change: self._tell("subject", change["new"])), "value")
        self.text.observe(on_loop(lambda change: self._tell("prompt", change["new"])), "value")
        self.typed.observe(on_loop(lambda change: self._take_typed(change["new"])), "value")
        self.clear.on_click(on_loop(lambda _: self._select([])))

    def show(self, subject: str, tags: Sequence[str], prompt: str) -> None:
        """Show a prompt and what it is made of; safe from any thread."""
        self._tags = list(tags)
        self._mirroring = True
        try:
            self.subject.value, self.text.value = subject, prompt
        finally:
            self._mirroring = False
        if self.copy is not None:
            self.copy.text = prompt
        while len(self._chips) < len(tags):
            self._chips.append(_Chip(len(self._chips), self._earlier, self._look_at, self._remove))
        for chip, tag in zip(self._chips, tags, strict=False):
            chip.show(tag)
        self._chip_box.children = [chip.widget for chip in self._chips[: len(tags)]] or [self._none]

    def suggest(self, rows: Sequence[Row]) -> None:
        """Offer what usually goes with the tags; safe from any thread."""
        if tuple(rows) == self._offered:
            return
        self._offered = tuple(rows)
        shared = {"layout": self.clear.layout, "style": self.clear.style}
        self.offers = [w.Button(description=cut_name(row.tag, _LONGEST), icon="plus", **shared) for row in rows]
        for button, row in zip(self.offers, rows, strict=True):
            button.tooltip = f"in {row.amount} of the prompts that have one of these tags, on average"
            button.on_click(on_loop(lambda _, tag=row.tag: self._select([*self._tags, tag])))
        old = self._offer_box.children
        self._offer_box.children = [self._title, *self.offers] if rows else []
        for widget in old[1:]:
            widget.close()

    def _tell(self, trait: str, value: str) -> None:
        if not self._mirroring:
            self._write(trait, value)

    def _select(self, tags: list[str]) -> None:
        self._write("selected", tags)

    def _take_typed(self, text: str) -> None:
        tags = [part for part in split_prompt(text) if part]
        if tags:
            self.typed.value = ""
            self._select([*self._tags, *tags])

    def _earlier(self, place: int) -> None:
        tags = list(self._tags)
        tags[place - 1], tags[place] = tags[place], tags[place - 1]
        self._select(tags)

    def _look_at(self, place: int) -> None:
        self._look(self._tags[place])

    def _remove(self, place: int) -> None:
        self._select(self._tags[:place] + self._tags[place + 1 :])


class _Chip:
    """The chip at one place; which tag is there may change."""

    def __init__(
        self, place: int, earlier: Callable[[int], None], look: Callable[[int], None], remove: Callable[[int], None]
    ) -> None:
        self.name = w.Button(tooltip="look at this tag").add_class("clipnb-name")
        shared = {"layout": self.name.layout, "style": self.name.style}
        says = "move before the tag to its left"
        self.earlier = w.Button(icon="angle-left", tooltip=says, disabled=place == 0, **shared)
        self.remove = w.Button(icon="times", tooltip="take out of the prompt", **shared)
        self.widget = w.HBox([self.earlier, self.name, self.remove], layout=self.name.layout).add_class("clipnb-chip")
        self.earlier.on_click(on_loop(lambda _: earlier(place)))
        self.name.on_click(on_loop(lambda _: look(place)))
        self.remove.on_click(on_loop(lambda _: remove(place)))

    def show(self, tag: str) -> None:
        self.name.description = cut_name(tag, _LONGEST)
        self.remove.tooltip = f"take {cut_name(tag, _LONGEST)} out of the prompt"

"""A prompt made of a subject and tags: as traits that always agree, and as chips, offers and a text to copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.errors import TagsError
from clipnb.prompts.spelling import key_of
from clipnb.prompts.splitting import split_prompt
from clipnb.tags.drawing import cut_name
from clipnb.tags.view import Row
from clipnb.widgets.common.controls import show_only
from clipnb.widgets.common.frontend import make_copy_button, named
from clipnb.widgets.common.panel import Panel

MOST_TAGS = 200
"""Tags that a prompt in the panel can have; each is made of four widgets."""
_LONGEST = 40


class PromptPanel(Panel):
    """A panel that holds a prompt twice: whole, and in its parts.

    Attributes:
        selected: the tags in order, each once; setting it selects others.
        subject: what the prompt shows, before its tags.
        prompt: subject and tags; setting it takes a prompt apart into both.
    """

    selected: Any = traitlets.List(traitlets.Unicode())
    subject: Any = traitlets.Unicode()
    prompt: Any = traitlets.Unicode()

    _composing = False

    def spelling(self, tag: str) -> str | None:
        """Return the collection's spelling of a tag, in any case; None when it does not have the tag."""
        raise NotImplementedError

    def look_at(self, tag: str) -> None:
        """Show what is known of a tag."""
        raise NotImplementedError

    def add(self, *tags: str) -> None:
        self.selected = [*self.selected, *tags]

    def toggle(self, tag: str) -> None:
        """Select a tag, or take it out."""
        without = [other for other in self.selected if key_of(other) != key_of(tag)]
        self.selected = without if len(without) < len(self.selected) else [*self.selected, tag]

    @traitlets.validate("selected")
    def _once_each(self, proposal: dict[str, Any]) -> list[str]:
        _check_amount(len(proposal["value"]))
        tags: dict[str, str] = {}
        for tag in proposal["value"]:
            name = self.spelling(tag) or " ".join(tag.split())
            tags.setdefault(key_of(name), name)
        return [tag for tag in tags.values() if tag]

    @traitlets.validate("prompt")
    def _of_few_tags(self, proposal: dict[str, Any]) -> str:
        prompt: str = proposal["value"]
        if not self._composing:
            _check_amount(len(parted_prompt(prompt, self.spelling)[1]))
        return prompt

    @traitlets.observe("selected", "subject")
    def _compose(self, change: dict[str, Any]) -> None:
        del change
        if not self._composing:
            self._composed(self.subject, self.selected)

    @traitlets.observe("prompt")
    def _take_apart(self, change: dict[str, Any]) -> None:
        if not self._composing:
            self._composed(*parted_prompt(change["new"], self.spelling))

    def _composed(self, subject: str, tags: Sequence[str]) -> None:
        self._composing = True
        try:
            self.subject, self.selected = subject, list(tags)
            self.prompt = joined_prompt(self.subject, self.selected)
        finally:
            self._composing = False


def _check_amount(tags: int) -> None:
    if tags > MOST_TAGS:
        raise TagsError(f"a prompt in the panel can have {MOST_TAGS} tags, not {tags:,}")


def joined_prompt(subject: str, tags: Sequence[str]) -> str:
    """Join a subject and tags.

    >>> joined_prompt("a lighthouse", ["oil painting", "stormy"])
    'a lighthouse, oil painting, stormy'
    """
    return ", ".join(part for part in (subject.strip(), *tags) if part)


def parted_prompt(prompt: str, spelling: Callable[[str], str | None]) -> tuple[str, list[str]]:
    """Split a prompt into its subject, which may be empty, and its tags.

    The first part is the subject, unless its spelling as a tag is known.

    >>> parted_prompt("a lighthouse; stormy", lambda tag: None)
    ('a lighthouse', ['stormy'])
    """
    first, *rest = (" ".join(part.split()) for part in split_prompt(prompt))
    tags = [part for part in rest if part]
    return ("", [first, *tags]) if first and spelling(first) is not None else (first, tags)


class PromptBuilder:
    """Shows the prompt of a panel, and changes it.

    Attributes:
        subject, typed, text: fields of the subject, of tags to add, and of the whole prompt.
        chips: the tags, each to look at, to move and to take out.
        offers: buttons that add what usually goes with the tags.
        clear: takes all tags out.
        copy: copies the prompt; None where the host does not load such a widget.
    """

    def __init__(self, panel: PromptPanel) -> None:
        self._panel = panel
        self._offered: tuple[Row, ...] = ()
        self._chips: list[Chip] = []
        wide = {"width": "auto", "flex": "1 1 160px"}
        self.subject = w.Text(placeholder="subject, such as a lighthouse", continuous_update=False, layout=wide)
        self.typed = w.Text(placeholder="add a tag; Enter", continuous_update=False, layout=wide)
        self.text = w.Textarea(continuous_update=False, layout={"width": "auto", "height": "74px"})
        named(self.text, "the whole prompt")
        self.clear = panel.button("Clear", "eraser", "take all tags out", lambda: self._select([]))
        self.copy = make_copy_button()
        self._offers: list[w.Button] = []
        self._title = w.HTML(html.element("span", "goes with all of these", "clipnb-small"))
        self._none = w.HTML(
            html.element("span", "No tag yet: add some from the lists above, or by typing.", "clipnb-small")
        )
        self._chip_box = w.Box([self._none]).add_class("clipnb-chips")
        self._offer_box = w.Box().add_class("clipnb-offers")
        left = w.VBox([w.HBox([self.subject, self.typed]), self._chip_box, self._offer_box])
        buttons = [*([self.copy] if self.copy else []), self.clear, panel.links]
        right = w.VBox([self.text.add_class("clipnb-prompt"), w.HBox(buttons).add_class("clipnb-row")])
        halves = [left.add_class("clipnb-building"), right.add_class("clipnb-built")]
        self.widget = w.HBox(halves).add_class("clipnb-foot")
        panel.on_value(self.subject, partial(self._write, "subject"))
        panel.on_value(self.text, partial(self._write, "prompt"))
        panel.on_value(self.typed, self._add_typed)

    @property
    def offers(self) -> list[w.Button]:
        """Buttons with the tags that are offered now."""
        return self._offers[: len(self._offered)]

    @property
    def chips(self) -> list[Chip]:
        return self._chips[: len(self._panel.selected)]

    def show(self) -> None:
        """Show the panel's prompt and what it is made of."""
        panel = self._panel
        self.subject.value, self.text.value = panel.subject, panel.prompt
        if self.copy is not None:
            self.copy.text = panel.prompt
        if len(self._chips) < len(panel.selected):
            while len(self._chips) < len(panel.selected):
                self._chips.append(Chip(panel, len(self._chips)))
            self._chip_box.children = [self._none, *(chip.widget for chip in self._chips)]
        for chip, tag in zip(self._chips, panel.selected, strict=False):
            chip.show(tag)
        show_only(self._chip_box, [chip.widget for chip in self.chips] or [self._none])

    def suggest(self, rows: Sequence[Row]) -> None:
        """Offer what usually goes with the tags."""
        if tuple(rows) == self._offered:
            return
        self._offered = tuple(rows)
        if len(self._offers) < len(rows):
            while len(self._offers) < len(rows):
                self._offers.append(self._offer(len(self._offers)))
            self._offer_box.children = [self._title, *self._offers]
        for offer, row in zip(self._offers, rows, strict=False):
            offer.description = cut_name(row.tag, _LONGEST)
            offer.tooltip = f"in {row.amount} of the prompts that have one of these tags, on average"
        show_only(self._offer_box, [self._title, *self.offers] if rows else [])

    def _offer(self, place: int) -> w.Button:
        shared = {"layout": self.clear.layout, "style": self.clear.style}
        return self._panel.button("", "plus", "", partial(self._add_offered, place), **shared)

    def _add_offered(self, place: int) -> None:
        for row in self._offered[place : place + 1]:  # gone where clicks came faster than it went
            self._panel.add(row.tag)

    def _write(self, trait: str, value: str) -> None:
        if value != getattr(self._panel, trait):  # else it is what `show` wrote
            self._panel.guarded(lambda: self._panel.set_trait(trait, value))

    def _select(self, tags: list[str]) -> None:
        self._panel.selected = tags

    def _add_typed(self, text: str) -> None:
        tags = [part for part in split_prompt(text) if part]
        if tags:
            self._panel.guarded(lambda: self._panel.add(*tags))
            self.typed.value = ""


class Chip:
    """The chip at one place; which tag is there may change."""

    def __init__(self, panel: PromptPanel, place: int) -> None:
        self._panel, self._place = panel, place
        self.name = panel.button("", "", "look at this tag", self._look)
        shared = {"layout": self.name.layout, "style": self.name.style}
        self.earlier = panel.button("", "angle-left", "move before the tag to its left", self._move, **shared)
        self.earlier.disabled = place == 0
        self.remove = panel.button("", "times", "", self._take_out, **shared)
        buttons = [self.earlier, self.name.add_class("clipnb-name"), self.remove]
        self.widget = w.HBox(buttons, layout=self.name.layout).add_class("clipnb-chip")

    def show(self, tag: str) -> None:
        self.name.description = cut_name(tag, _LONGEST)
        self.remove.tooltip = f"take {cut_name(tag, _LONGEST)} out of the prompt"

    def _look(self) -> None:
        for tag in self._panel.selected[self._place : self._place + 1]:  # gone where clicks came faster than it went
            self._panel.look_at(tag)

    def _move(self) -> None:
        tags, place = list(self._panel.selected), self._place
        if place < len(tags):
            tags[place - 1], tags[place] = tags[place], tags[place - 1]
            self._panel.selected = tags

    def _take_out(self) -> None:
        self._panel.selected = [tag for place, tag in enumerate(self._panel.selected) if place != self._place]

"""Edits of many captions, with what they change; and captions by an interrogator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as w

from clipnb import html
from clipnb.errors import counted, printable
from clipnb.interrogate.modes import MODES
from clipnb.prompts.caption_preview import Change, Preview
from clipnb.widgets.common.captioner_fields import InstructionField, captioner_chooser
from clipnb.widgets.common.controls import FULL, labelled, model_chooser, show_only
from clipnb.widgets.common.frontend import Choice
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.dataset.edits import EDITS
from clipnb.widgets.dataset.session import Describing

SCOPES = ("shown images", "all images", "the chosen image")
_MOST, _LONGEST = 20, 300  # changes that are shown, and characters of a caption in them

Edit = Callable[[str, Sequence[str], str], None]


class EditTab:
    """An edit, what it is done to, and what it changed.

    Attributes:
        kind: one of `EDITS`.
        fields: texts that it needs.
        scope: one of `SCOPES`.
        apply: does it; nothing is written before Save.
    """

    def __init__(self, panel: Panel, edit: Edit) -> None:
        """Call `edit` with the kind, the texts and the scope."""
        self._edit = edit
        self.kind = Choice(options=list(EDITS), layout=FULL)
        self.fields = [w.Text(continuous_update=False, layout=FULL) for _ in range(2)]
        self.scope = Choice(options=SCOPES, layout=FULL)
        self.apply = panel.button("Apply", "check", "change the captions and see how; Save writes them", self._apply)
        self._fields = w.VBox([labelled("", field) for field in self.fields])
        self._preview = w.HTML()
        hint = html.caption("Nothing is written before Save; Undo takes the newest edit back.")
        top = [labelled("edit", self.kind), self._fields, labelled("of", self.scope)]
        buttons = w.HBox([self.apply, w.HTML(hint)]).add_class("clipnb-row")
        self.widget = w.VBox([*top, buttons, self._preview])
        panel.on_value(self.kind, lambda _: self._show_fields())
        self._show_fields()

    def show(self, preview: Preview | None) -> None:
        """Show what was changed, or nothing."""
        self._preview.value = "" if preview is None else preview_html(preview)

    def _show_fields(self) -> None:
        names = EDITS[self.kind.value].fields
        for name, field in zip(names, self.fields, strict=False):
            field.description = name
        show_only(self._fields, self.fields[: len(names)])

    def _apply(self) -> None:
        count = len(EDITS[self.kind.value].fields)
        self._edit(self.kind.value, [field.value.strip() for field in self.fields[:count]], self.scope.value)


def preview_html(preview: Preview) -> html.Markup:
    """Return how many captions change, and the first ones before and after."""
    rows = [html.element("li", _change(change)) for change in preview[:_MOST]]
    more = f"{min(len(preview), _MOST)} of {len(preview):,}"
    head = html.element("div", html.joined([preview.title, html.element("small", more)]), "clipnb-heading")
    return html.joined([head, html.element("ul", html.joined(rows), "clipnb-changes")])


def _change(change: Change) -> html.Markup:
    before, after = (html.cut(printable(text), _LONGEST) for text in (change.before, change.after))
    parts = [html.element("small", printable(change.image)), html.element("del", before or "no caption")]
    return html.joined([*parts, html.element("ins", after or "no caption")])


class DescribeTab:
    """How captions are made, and a button that makes them.

    Attributes:
        mode, model, captioner, instruction, front: fields of a `Describing`.
        start: begins.
    """

    def __init__(self, panel: Panel, start: Callable[[], None], encoder: str | None, captioner: str | None) -> None:
        """Call `start` at the button; models that were handed in are named and cannot be changed."""
        modes = [(f"{name}: {known.summary}", name) for name, known in MODES.items() if not known.of_sets]
        self.mode = Choice(options=modes, value="fast" if "fast" in MODES else modes[0][1], layout=FULL)
        self.model = model_chooser(encoder or "auto")
        self.model.disabled = encoder is not None
        self.captioner = captioner_chooser(captioner)
        self._instruction = InstructionField(panel, self.captioner)
        self.instruction = self._instruction.text
        self.front = w.Text(placeholder="such as a trigger word", continuous_update=False, layout=FULL)
        self.start = panel.button("Describe", "magic", "captions for shown images that have none", start)
        fields = {"mode": self.mode, "model": self.model, "captioner": self.captioner, "in front": self.front}
        buttons = w.HBox([self.start]).add_class("clipnb-row")
        rows = [labelled(name, field) for name, field in fields.items()]
        self.widget = w.VBox([*rows[:3], self._instruction.widget, *rows[3:], buttons])

    @property
    def chosen(self) -> Describing:
        captioner = "" if self.captioner.disabled else self.captioner.value.strip()
        model = "auto" if self.model.disabled else self.model.value.strip() or "auto"
        return Describing(self.mode.value, model, captioner or None, self._instruction.given, self.front.value.strip())

    def show(self, bare: int) -> None:
        """Show how many of the shown images have no caption."""
        images = counted(bare, "image")
        self.start.description = f"Describe {images} without caption" if bare else "All shown images have captions"
        self.start.disabled = not bare

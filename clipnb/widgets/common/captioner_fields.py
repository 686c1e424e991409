"""Fields for a captioner and what it is told."""

from __future__ import annotations

import ipywidgets as w

from clipnb.models.captioner import CAPTIONERS
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.panel import Panel

_INSTRUCTION_HINT = "empty: a short sentence; for captioners that follow one, such as qwen2.5-vl-3b"


def captioner_chooser(name: str | None, value: str | None = None) -> w.Combobox:
    """Return a field for the name of a captioner; it cannot be changed where one of a name was handed in."""
    return w.Combobox(
        value=name or value or "",
        options=tuple(CAPTIONERS),
        ensure_option=False,
        placeholder="none: composed from labels",
        disabled=name is not None,
        layout=FULL,
    )


class InstructionField:
    """What a captioner is to write; shown where one is named that is to be loaded.

    Attributes:
        text: the field.
    """

    def __init__(self, panel: Panel, captioner: w.Combobox, value: str | None = None) -> None:
        self._captioner = captioner
        self.text = w.Text(value=value or "", placeholder=_INSTRUCTION_HINT, layout=FULL)
        self.widget = labelled("instruction", self.text)
        panel.on_value(captioner, lambda _: self._show())
        self._show()

    @property
    def given(self) -> str | None:
        """The instruction; None without one, or without a captioner that it is for."""
        return (self.text.value.strip() or None) if self._is_used else None

    @property
    def _is_used(self) -> bool:
        return bool(self._captioner.value.strip()) and not self._captioner.disabled

    def _show(self) -> None:
        self.widget.layout.display = "" if self._is_used else "none"

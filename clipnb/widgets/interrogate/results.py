"""What was found, in tabs: the prompt and what each phrase added, labels, modes beside one another, the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.interrogate.modes import MODES
from clipnb.interrogate.result import Interrogation
from clipnb.widgets.common.frontend import make_copy_button
from clipnb.widgets.interrogate.bars import comparison, label_bars, reason_bars
from clipnb.widgets.interrogate.records import Records

_NOTHING = html.plain("nothing yet: press Describe")
_APART = "negative"  # looks for the least similar prompt, which is nothing to compare with others


class Outcome:
    """Shows results.

    Attributes:
        widget: what to put into a panel.
        prompt: the prompt as text; it may be edited before it is copied or sent.
        copy: copies it; None where the host does not load such a widget.
        modes: those that are compared.
    """

    def __init__(self, records: Records, links: Any) -> None:
        """Take the history, and the buttons that send the prompt elsewhere."""
        self.prompt = w.Textarea(placeholder="the prompt", layout={"width": "100%", "height": "112px"})
        self.copy = make_copy_button()
        self._facts, self._reasons, self._labels, self._compared = w.HTML(), w.HTML(), w.HTML(_NOTHING), w.HTML()
        self.modes = w.SelectMultiple(
            options=list(MODES), value=[name for name in MODES if name != _APART], rows=len(MODES) + 1
        )
        self.modes.layout = {"width": "146px"}
        buttons = w.HBox([*([self.copy] if self.copy else []), links]).add_class("clipnb-row")
        left = w.VBox([self.prompt.add_class("clipnb-prompt"), buttons, self._facts])
        found = w.HBox([left.add_class("clipnb-half"), self._reasons.add_class("clipnb-half")])
        hint = w.HTML(html.caption("which modes (Ctrl-click)"))
        which = w.VBox([hint, self.modes], layout={"flex": "0 0 156px"})
        modes = w.HBox([which, self._compared.add_class("clipnb-compared")])
        self.widget = w.Tab([found, self._labels, modes, records.widget], layout={"width": "100%"})
        for place, title in enumerate(("Prompt", "Labels", "Modes", "History")):
            self.widget.set_title(place, title)
        self.widget.add_class("clipnb-outcome")
        self._reasons.value = _NOTHING

    def show(self, found: Interrogation) -> None:
        """Show a result; safe from any thread."""
        self.prompt.value = found.prompt
        facts = [
            f"similarity {100 * found.similarity:.1f} · mode {found.mode} · {found.model} · {found.seconds:.1f} s",
            *found.notes,
        ]
        self._facts.value = "".join(f"<div>{html.plain(fact)}</div>" for fact in facts)
        self._reasons.value = '<div class="clipnb-heading">what each phrase added (cosine × 100)</div>' + reason_bars(
            found.reasons
        )
        self._labels.value = label_bars(found)

    def show_comparison(self, results: Sequence[Interrogation]) -> None:
        """Lay results beside one another, and look at them; safe from any thread."""
        best = max(results, key=lambda found: found.similarity).mode if len(results) > 1 else ""
        self._compared.value = comparison(results, best)

    def look_at_modes(self) -> None:
        """Open the tab of the comparison."""
        self._compared.value = ""
        self.widget.selected_index = 2

    def look_at_prompt(self) -> None:
        """Open the tab of the prompt."""
        self.widget.selected_index = 0

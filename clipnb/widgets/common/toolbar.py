"""The row of buttons that drives a run, the state of the run, and how far it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ipywidgets as w

from clipnb import html
from clipnb.runner import RunState

_STYLES = {RunState.DONE: "success", RunState.FAILED: "danger"}


class Toolbar:
    """Buttons by name, a lamp for the state, and a bar and a count for how far the run is."""

    def __init__(self, buttons: Mapping[str, w.Button]) -> None:
        self._buttons = dict(buttons)
        self.lamp, self.count = w.HTML(), w.HTML()
        self.bar = w.IntProgress(layout={"flex": "1 1 60px", "width": "auto", "min_width": "60px"})
        self.widget = w.HBox([*buttons.values(), self.lamp, self.bar, self.count]).add_class("clipnb-row")

    def __getitem__(self, name: str) -> w.Button:
        return self._buttons[name]

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far the run is; safe from any thread."""
        self.bar.max, self.bar.value = max(1, total), done
        self.count.value = html.plain(text)

    def show_state(self, state: RunState, allowed: Collection[str]) -> None:
        """Show the state, and allow the buttons of these names; safe from any thread."""
        self.lamp.value = html.status(state.value)
        self.bar.bar_style = _STYLES.get(state, "")
        for name, button in self._buttons.items():
            button.disabled = name not in allowed

"""The row of buttons that drives a run, and how far it is."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as w

from clipnb import html
from clipnb.runner import RunState
from clipnb.widgets.common.controls import bar_style, button


class Transport:
    """Buttons and progress.

    Attributes:
        widget: what to put into a panel.
        start: begins a new picture.
        pause: pauses, or goes on with what stands still.
        step: makes one step and pauses.
        stop: ends the run.
        apply: gives the run the experiment as it is written now.
        bar: steps that were made.
    """

    def __init__(
        self,
        *,
        start: Callable[[], None],
        pause: Callable[[], None],
        step: Callable[[], None],
        stop: Callable[[], None],
        apply: Callable[[], None],
    ) -> None:
        """Take what each button does; what Pause and Stop do must bear any thread."""
        self.start = button("Start", "play", "begin a new picture", start).add_class("clipnb-main")
        self.pause = button("Pause", "pause", "wait after the present step, or go on", pause, at_once=True)
        self.step = button("Step", "step-forward", "make one step, then wait", step)
        self.stop = button("Stop", "stop", "end the run after the present step; the picture stays", stop, at_once=True)
        self.apply = button("Apply", "check", "use the YAML as it is written now, from the next step on", apply)
        self.bar = w.IntProgress(layout={"flex": "1 1 60px", "width": "auto", "min_width": "60px"})
        self._count, self._status = w.HTML(), w.HTML()
        buttons = [self.start, self.pause, self.step, self.stop, self.apply]
        self.widget = w.HBox([*buttons, self._status, self.bar, self._count]).add_class("clipnb-row")

    def show_progress(self, done: int, total: int, said: str) -> None:
        """Say how far it is, in steps; safe from any thread."""
        self.bar.max, self.bar.value = max(1, total), done
        self._count.value = html.plain(said)

    def show_state(self, state: RunState, *, can_go_on: bool) -> None:
        """Allow what makes sense now; safe from any thread.

        Args:
            state: of the present run.
            can_go_on: whether there is a picture that a run can go on with.
        """
        running, paused = state is RunState.RUNNING, state is RunState.PAUSED
        self._status.value = html.status(state.value)
        self.bar.bar_style = bar_style(state)
        self.start.disabled = running or paused
        self.pause.description, self.pause.icon = ("Pause", "pause") if running else ("Resume", "play")
        self.pause.disabled = not (running or paused or can_go_on)
        self.step.disabled = running
        self.stop.disabled = not (running or paused)
        self.apply.disabled = not (running or paused)
        if state.is_over:
            self.mark_due(due=False)

    def mark_due(self, *, due: bool) -> None:
        """Show whether something is written that the run does not use yet."""
        mark = self.apply.add_class if due else self.apply.remove_class
        mark("clipnb-due")

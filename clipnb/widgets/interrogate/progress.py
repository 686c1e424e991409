"""The row of buttons that drives descriptions, and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable

import ipywidgets as w

from clipnb import html
from clipnb.runner import RunState
from clipnb.widgets.common.controls import bar_style, button
from clipnb.widgets.common.frame_rate import span

_FINE = 1000  # parts of the bar
_LONGEST = 60  # characters of what is being done


class DescribeTransport:
    """Buttons and progress.

    Attributes:
        widget: what to put into a panel.
        describe: describes the chosen picture.
        describe_all: describes all pictures.
        compare: describes the chosen picture by several modes.
        stop: ends soon; what was described stays.
        bar: how far it is.
    """

    def __init__(
        self,
        *,
        describe: Callable[[], None],
        describe_all: Callable[[], None],
        compare: Callable[[], None],
        stop: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what each button does; what Stop does must bear any thread."""
        self.describe = button("Describe", "magic", "make a prompt of the chosen picture", describe)
        self.describe.add_class("clipnb-main")
        self.describe_all = button("Describe all", "clone", "make a prompt of every picture", describe_all)
        self.compare = button("Compare modes", "bar-chart", "the chosen picture by several modes", compare)
        self.stop = button("Stop", "stop", "end as soon as possible; what was described stays", stop, at_once=True)
        self.bar = w.IntProgress(max=_FINE, layout={"flex": "1 1 80px", "width": "auto", "min_width": "60px"})
        self._status, self._count = w.HTML(), w.HTML()
        buttons = [self.describe, self.describe_all, self.compare, self.stop]
        self.widget = w.HBox([*buttons, self._status, self.bar]).add_class("clipnb-row")
        self.line = self._count
        self._clock = clock
        self._began = self._phase_began = 0.0
        self._phase, self._took = "", 0.0

    def begin(self) -> None:
        """Start to measure."""
        self._began = self._phase_began = self._clock()
        self.bar.value, self._phase, self._took = 0, "", 0.0

    def show_progress(self, place: int, jobs: int, doing: str, unit: str, done: int, total: int) -> None:
        """Say how far it is; safe from any thread.

        Args:
            place: descriptions that are done.
            jobs: of how many.
            doing: what is being done.
            unit: what that counts.
            done: how far that is.
            total: of how many; 0 where that is not known.
        """
        if doing != self._phase:
            self._phase, self._phase_began = doing, self._clock()
        far = (place + (done / total if total else 0.0)) / max(1, jobs)
        self.bar.value = max(self.bar.value, min(_FINE, round(_FINE * far)))
        parts = [f"{place + 1} of {jobs}"] if jobs > 1 else []
        shown = html.cut(doing, _LONGEST)
        parts.append(f"{shown}: {done} of {total} {unit}s" if total else shown)
        left = self._left(place, jobs, done, total)
        self._count.value = html.plain(" · ".join([*parts, f"{span(left)} left"] if left else parts))

    def show_state(self, state: RunState, *, pictures: int, chosen: bool, found: int) -> None:
        """Allow what makes sense now; safe from any thread.

        Args:
            state: of the present list.
            pictures: how many there are.
            chosen: whether one of them is.
            found: descriptions that the present list made.
        """
        running = state is RunState.RUNNING
        self._status.value = html.status(state.value)
        self.describe.disabled = self.compare.disabled = running or not chosen
        self.describe_all.disabled = running or not pictures
        self.stop.disabled = not running
        self.bar.bar_style = bar_style(state)
        if state.is_over:
            self.bar.value = _FINE if state is RunState.DONE else self.bar.value
            self._took = self._took or self._clock() - self._began
            self._count.value = html.plain(f"{found} {'prompt' if found == 1 else 'prompts'} in {span(self._took)}")

    def _left(self, place: int, jobs: int, done: int, total: int) -> float:
        """Estimate seconds: from whole descriptions where there were any, else from what is being done."""
        now = self._clock()
        if place:
            return (now - self._began) / place * (jobs - place)
        return (now - self._phase_began) / done * (total - done) if done and total else 0.0

"""The row of buttons that drives descriptions, and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import ipywidgets as w

from clipnb import html
from clipnb.runner import RunState
from clipnb.widgets.common.frame_rate import span
from clipnb.widgets.common.toolbar import Toolbar

_FINE = 1000  # parts of the bar
_LONGEST = 60  # characters of what is being done


class DescribeTransport(Toolbar):
    """Buttons `describe`, `describe_all`, `compare`, `stop`, and progress with the time that is left."""

    def __init__(self, buttons: Mapping[str, w.Button], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(buttons)
        self.bar.max = _FINE
        self._clock = clock
        self._began = self._phase_began = 0.0
        self._phase, self._took = "", 0.0

    def begin(self) -> None:
        """Start to measure."""
        self._began = self._phase_began = self._clock()
        self.bar.value, self._phase, self._took = 0, "", 0.0

    def show_jobs(self, place: int, jobs: int, doing: str, unit: str, done: int, total: int) -> None:
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
        self.count.value = html.plain(" · ".join([*parts, f"{span(left)} left"] if left else parts))

    def show_jobs_state(self, state: RunState, *, pictures: int, chosen: bool, found: int) -> None:
        """Allow what makes sense now; safe from any thread.

        Args:
            state: of the present list.
            pictures: how many there are.
            chosen: whether one of them is.
            found: descriptions that the present list made.
        """
        makes_sense = {"describe": chosen, "describe_all": pictures > 0, "compare": chosen}
        able = [name for name, sense in makes_sense.items() if sense]
        self.show_state(state, ["stop"] if state is RunState.RUNNING else able)
        if state.is_over:
            self.bar.value = _FINE if state is RunState.DONE else self.bar.value
            self._took = self._took or self._clock() - self._began
            self.count.value = html.plain(f"{found} {'prompt' if found == 1 else 'prompts'} in {span(self._took)}")

    def _left(self, place: int, jobs: int, done: int, total: int) -> float:
        """Estimate seconds: from whole descriptions where there were any, else from what is being done."""
        now = self._clock()
        if place:
            return (now - self._began) / place * (jobs - place)
        return (now - self._phase_began) / done * (total - done) if done and total else 0.0

"""The row of buttons that drives a list of requests, and how far the list is."""

from __future__ import annotations

import time
from collections.abc import Sequence

from clipnb import html
from clipnb.runner import RunState
from clipnb.widgets.common.frame_rate import span
from clipnb.widgets.common.toolbar import Toolbar
from clipnb.widgets.interrogate.session import RequestProgress

_FINE = 1000  # parts of the bar
_LONGEST = 60  # characters of what is being done


class RequestToolbar(Toolbar):
    """A toolbar that shows how far a list of requests is, and how long it takes."""

    _began = _activity_began = _took = 0.0
    _activity = ""

    def begin(self) -> None:
        """Start to measure."""
        self._began = self._activity_began = time.monotonic()
        self.bar.max, self.bar.value = _FINE, 0
        self._activity, self._took = "", 0.0

    def show_requests(self, progress: RequestProgress) -> None:
        """Show how far the list is; safe from any thread."""
        finished, requests, activity, unit, done, total = progress
        if activity != self._activity:
            self._activity, self._activity_began = activity, time.monotonic()
        share = (finished + (done / total if total else 0.0)) / max(1, requests)
        self.bar.value = max(self.bar.value, min(_FINE, round(_FINE * share)))
        parts = [f"{finished + 1} of {requests}"] if requests > 1 else []
        shown = html.cut(activity, _LONGEST)
        parts.append(f"{shown}: {done} of {total} {unit}s" if total else shown)
        left = self._left(progress)
        self.count.value = html.plain(" · ".join([*parts, f"{span(left)} left"] if left else parts))

    def show_ended(self, state: RunState, allowed: Sequence[str], found: int) -> None:
        """Show the state, and at the end how many prompts were found; safe from any thread."""
        self.show_state(state, ["stop"] if state is RunState.RUNNING else allowed)
        if state.is_over:
            self.bar.value = self.bar.max if state is RunState.DONE else self.bar.value
            self._took = self._took or time.monotonic() - self._began
            self.count.value = html.plain(f"{found} {'prompt' if found == 1 else 'prompts'} in {span(self._took)}")

    def _left(self, progress: RequestProgress) -> float:
        """Estimate seconds: from whole requests where any are done, else from what is being done."""
        now = time.monotonic()
        if progress.finished:
            return (now - self._began) / progress.finished * (progress.requests - progress.finished)
        if progress.done and progress.total:
            return (now - self._activity_began) / progress.done * (progress.total - progress.done)
        return 0.0

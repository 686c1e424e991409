"""How fast a run goes, and when its next frame is due."""

from __future__ import annotations

import time
from collections.abc import Callable

_SHARE = 9.0  # frames may take a tenth of the time: for each second spent on one, nine are left alone
_FORGET = 0.2  # weight of the newest rate in the running mean


class FrameRate:
    """Lets frames through at most every so often, newest wins, and counts steps per second.

    Attributes:
        rate: steps per second, a running mean over shown frames; 0 before it is known.
    """

    def __init__(self, interval: float = 0.1, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the least time between two frames in seconds; steps that miss it do not lower the mean rate."""
        self.rate = 0.0
        self._interval, self._clock = interval, clock
        self._due = 0.0
        self._last: tuple[int, float] | None = None
        self._resting = False

    def is_due(self) -> bool:
        """Return whether a frame may be shown now."""
        return self._clock() >= self._due

    def show(self, index: int, draw: Callable[[], None]) -> None:
        """Show the frame of a step, and measure how long that takes."""
        began = self._clock()
        draw()
        now = self._clock()
        earliest = (self._due if began - self._due < self._interval else began) + self._interval
        self._due = max(earliest, began + _SHARE * (now - began))
        if self._last is not None and index > self._last[0] and now > self._last[1]:
            rate = (index - self._last[0]) / (now - self._last[1])
            self.rate = rate if not self.rate else (1 - _FORGET) * self.rate + _FORGET * rate
        self._last, self._resting = (index, now), False

    def rest(self) -> None:
        """Note that the run stands still, so that a pause does not count."""
        self._last, self._resting = None, True

    def words(self, done: int, total: int) -> str:
        """Return how far a run is: steps, steps per second, time left.

        >>> FrameRate().words(3, 10)
        '3 of 10 steps'
        """
        text = f"{done} of {total} steps"
        if not self.rate:
            return text
        text += f" · {self.rate:.3g} steps/s"
        left = max(0, total - done) / self.rate
        return f"{text} · {span(left)} left" if left and not self._resting else text


def span(seconds: float) -> str:
    """Return a time in words.

    >>> span(3700)
    '1 h 01 min'
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"

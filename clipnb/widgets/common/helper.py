"""What helps all panels in the browser: names for screen readers, copied details, and word that frames have arrived."""

from __future__ import annotations

import time
from collections.abc import Callable

from clipnb.widgets.common.event_loop import LoopThread
from clipnb.widgets.common.frontend import BrowserWidget, static

_PATIENCE = 5.0  # seconds; after which a page that does not answer is taken for one that is gone


class PanelHelper(BrowserWidget):
    """Works in every page that shows its panel.

    Frames go to the browser one behind the other with all else, and nothing there drops those that are too many. So
    the page is asked to answer behind a frame, and until it has, no further one is sent: of those the newest wins, and
    what a click changes waits behind one frame at most.
    """

    def __init__(self, loop_thread: LoopThread, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(static("copy_text.js"), static("panel.js"), layout={"display": "none"})
        self._loop_thread, self._clock = loop_thread, clock
        self._asked = self._answered = self._heeded = 0
        self._asked_at = 0.0
        self.on_msg(lambda _, content, _buffers: self.receive(content))

    @property
    def keeps_up(self) -> bool:
        """Whether a further frame may be sent: a page never answered, has answered, or cannot be heard now."""
        if not self._answered or self._answered >= self._asked or self._clock() > self._asked_at + _PATIENCE:
            return True
        return self._heeded < self._asked  # a cell keeps the kernel busy, where answers wait too

    def ask(self) -> None:
        """Ask the page to answer when it has what was sent so far; safe from any thread."""
        number = self._asked = self._asked + 1
        self._asked_at = self._clock()
        self.send({"asked": number})
        self._loop_thread.do(lambda: self._heed(number))

    def receive(self, content: object) -> None:
        """Note an answer of a page; what is none is ignored."""
        number = content.get("answered") if isinstance(content, dict) else None
        if isinstance(number, int) and self._answered < number <= self._asked:
            self._answered = number

    def _heed(self, number: int) -> None:
        self._heeded = number

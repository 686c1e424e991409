"""What helps all panels in the browser: names for screen readers, copied details, and word that frames have arrived."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Annotated

from pydantic import Field, ValidationError

from clipnb.widgets.common.event_loop import LoopThread
from clipnb.widgets.common.frontend import BrowserWidget, Message, static

_PATIENCE, _LONGEST = 5.0, 60.0  # seconds; after which a page that does not answer is taken for one that is gone
_REMEMBERED = 16  # questions of which the time is known
MOST_PAGES = 16
"""Pages that show a panel and are waited for."""


class _Answer(Message):
    """A page, by a number of its own, has what was sent up to a question."""

    answered: Annotated[int, Field(ge=1)]
    page: Annotated[int, Field(ge=0, lt=2**53)]


class PanelHelper(BrowserWidget):
    """Works in every page that shows its panel.

    Frames go to the browser one behind the other with all else, and nothing there drops those that are too many. So
    each page is asked to answer behind a frame, and until all have, no further one is sent: of those the newest wins,
    and what a click changes waits behind one frame at most. A page that is gone is waited for once, for `_PATIENCE`
    or, where a page that is far away took longer for a frame, for twice as long as it took.
    """

    def __init__(self, loop_thread: LoopThread, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(static("copy_text.js"), static("panel.js"), layout={"display": "none"})
        self._loop_thread, self._clock = loop_thread, clock
        self._asked = self._heeded = 0
        self._asked_at = deque[tuple[int, float]](maxlen=_REMEMBERED)
        self._pages: dict[int, int] = {}  # what each answered last
        self._patience = _PATIENCE
        self.on_msg(lambda _, content, _buffers: self.receive(content))

    @property
    def keeps_up(self) -> bool:
        """Whether a further frame may be sent: no page is known, all have answered, or none can be heard now."""
        if self._all_answered or self._is_overdue:
            return True
        return self._heeded < self._asked  # a cell keeps the kernel busy, where answers wait too

    def ask(self) -> None:
        """Ask the pages to answer when they have what was sent so far; safe from any thread."""
        if self._is_overdue and self._heeded == self._asked:  # where none answers they are asked now and then
            here = {page: answered for page, answered in list(self._pages.items()) if answered >= self._asked}
            self._pages = here or self._pages
        number = self._asked = self._asked + 1
        self._asked_at.append((number, self._clock()))
        self.send({"asked": number})
        self._loop_thread.do(lambda: self._heed(number))

    def receive(self, content: object) -> None:
        """Note an answer of a page; what is none is ignored."""
        try:
            page, number = (answer := _Answer.model_validate(content)).page, answer.answered
        except ValidationError:
            return
        if not self._pages.get(page, 0) < number <= self._asked or len({*self._pages, page}) > MOST_PAGES:
            return
        self._pages[page] = number
        now = self._clock()
        took = now - dict(list(self._asked_at)).get(number, now)
        least = _PATIENCE if self._all_answered else self._patience
        self._patience = min(max(least, 2 * took), _LONGEST)

    @property
    def _all_answered(self) -> bool:
        return all(answered >= self._asked for answered in list(self._pages.values()))

    @property
    def _is_overdue(self) -> bool:
        return bool(self._asked_at) and self._clock() > self._asked_at[-1][1] + self._patience

    def _heed(self, number: int) -> None:
        self._heeded = number

"""Checks of long texts beside the event loop, so that neither a key nor a click waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from clipnb.widgets.common.panel import Panel

PAUSE = 0.3  # seconds without a change before a text is checked
T = TypeVar("T")


class PatientCheck(Generic[T]):
    """Checks in a thread of its own when a text rests: one check at a time, of the newest text."""

    def __init__(
        self, panel: Panel, read: Callable[[], str], check: Callable[[str], T], show: Callable[[T], None]
    ) -> None:
        """Prepare; `read` returns the text, `show` is called on the event loop with what `check` returned."""
        self._panel, self._read, self._check, self._show = panel, read, check, show
        self._is_on = self._has_changed = False

    def ask(self) -> None:
        """Let the text be checked, which has changed."""
        self._has_changed = True
        if not self._is_on:
            self._is_on = True
            self._panel.aside(self._checked, self._show, self._end)

    def _checked(self) -> T:
        while self._has_changed:
            self._has_changed = False
            text = self._read()
            time.sleep(PAUSE)
        return self._check(text)

    def _end(self) -> None:
        self._is_on = False
        if self._has_changed:
            self.ask()

"""One thread changes a panel's widgets: that of the kernel's event loop.

Widgets of a panel depend on one another. Two threads that change them at once take each other's half-made changes for
the user's, and what was chosen gets lost. There are such threads: those of long work, and since ipykernel 7 some of
the front end's messages, of clicks for instance, come in a thread (a subshell) of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from clipnb.runner import running_loop

_ROUTE = "_reply_subshell_for"  # of a comm, which is asked with a message and the subshell that its sender named


class LoopThread:
    """The thread of the event loop that runs where this is made; without one, whichever thread it is asked in."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = running_loop()

    def do(self, action: Callable[[], None]) -> None:
        """Act there: now when it is this thread, else soon, in order; nobody sees what the action raises."""
        if self._loop is None or running_loop() is self._loop:
            action()
            return
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:  # it is closed
            action()


def keep_order(widgets: Iterable[Any]) -> None:
    """Let what a page sends to widgets arrive in the order in which it was sent.

    ipykernel 7.4 takes a message to whichever thread last wrote to its widget, where a click overtakes the text that
    was typed before it: the button then sees the old text.
    """
    for widget in widgets:
        if hasattr(widget.comm, _ROUTE):
            setattr(widget.comm, _ROUTE, lambda _, named: named)

"""Progress of long work: engines report numbers, the caller decides how to show them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from clipnb.errors import printable

Progress = Callable[[int, int], None]
"""Called with (done, total), both counts of the same unit, `done` never falling."""
Listener = Callable[[str, str, int, int], None]
"""Called with (description, unit, done, total) of whatever reports progress; ends the work by raising."""

log = logging.getLogger("clipnb")
"""Where warnings go; what they quote is made safe to print."""


def _make_printable(record: logging.LogRecord) -> bool:
    record.msg, record.args = printable(record.getMessage()), None
    return True


log.addFilter(_make_printable)

_LISTENER: ContextVar[Listener | None] = ContextVar("clipnb_progress", default=None)


@contextmanager
def progress_to(listener: Listener) -> Iterator[None]:
    """Give the progress of all work in this block to a listener instead of showing bars, quiet work included.

    Args:
        listener: called in the thread that works. What it raises comes up where the work was asked for.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def progress_bar(description: str, unit: str = "it", *, quiet: bool = False) -> Iterator[Progress]:
    """Show progress as a bar with rate and time left; the notebook's own bar inside a notebook.

    Inside `progress_to` nothing is shown: its listener is told.

    Args:
        description: shown before the bar.
        unit: what is counted, such as "text" or "step".
        quiet: show nothing.

    Yields:
        The function to report to.
    """
    listener = _LISTENER.get()
    if listener is not None:
        yield partial(listener, description, unit)
        return
    from tqdm.auto import tqdm

    with tqdm(desc=printable(description), unit=unit, disable=quiet, dynamic_ncols=True) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


def say(text: str) -> None:
    """Print lines on standard output, safe for a terminal, above the bars that are shown at the moment."""
    from tqdm.auto import tqdm

    tqdm.write(printable(text))

"""Progress of long work: engines report numbers, the caller decides how to show them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import TextIO

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

_ADVISED: ContextVar[Callable[[str], None] | None] = ContextVar("clipnb_advice", default=None)
_LISTENER: ContextVar[Listener | None] = ContextVar("clipnb_progress", default=None)


@contextmanager
def progress_to(listener: Listener) -> Iterator[None]:
    """Report the progress of all work in this block to a listener instead of showing bars, quiet work included.

    It is called in the thread that works; what it raises comes up where the work was asked for.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def advice_to(show: Callable[[str], None]) -> Iterator[None]:
    """Show advice of all work in this block by a function, the threads that it starts included."""
    token = _ADVISED.set(show)
    try:
        yield
    finally:
        _ADVISED.reset(token)


def advise(text: str) -> None:
    """Give advice: where `advice_to` says, in a notebook as any output (a log stands in a red box there), or logged."""
    shown = _ADVISED.get()
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shown is not None:
        shown(text)
    elif hasattr(shell, "kernel"):
        say(text)
    else:
        log.warning(text)


@contextmanager
def progress_bar(description: str, unit: str = "it", *, quiet: bool = False) -> Iterator[Progress]:
    """Show progress as a bar with rate and time left, the notebook's own inside a notebook; yield what to report to.

    Inside `progress_to` nothing is shown, and its listener is called.

    Args:
        description: shown before the bar.
        unit: what is counted, such as "text" or "step"; "B" are bytes, shown as kB, MB and GB.
        quiet: show nothing.
    """
    listener = _LISTENER.get()
    if listener is not None:
        yield partial(listener, description, unit)
        return
    from tqdm.auto import tqdm

    if sys.platform == "emscripten":
        tqdm.monitor_interval = 0  # a thread's: there are none in a browser
    text = " ".join(printable(description).split())
    quiet = quiet or sys.stderr is None
    make = partial(tqdm, desc=text, unit=unit, unit_scale=unit == "B", disable=quiet, dynamic_ncols=True)
    try:
        bar = make()
    except OSError:
        _give_up_telling()
        bar = make()

    def report(done: int, total: int) -> None:
        bar.total = total
        try:
            bar.update(done - bar.n)
        except OSError:
            _give_up_telling()

    try:
        yield report
    finally:
        try:
            bar.close()
        except OSError:
            _give_up_telling()


def say(text: str, file: TextIO | None = None) -> None:
    """Print lines, above the bars that are shown at the moment: the one way to a terminal.

    What would act on the terminal is escaped (`errors.printable`), and so is what its encoding does not have.

    Args:
        text: one or more lines.
        file: standard output when None; nothing is printed where it is closed. See `tell` for standard error.
    """
    from tqdm.auto import tqdm

    file = file or sys.stdout
    if file is None:
        return
    encoding = getattr(file, "encoding", None) or "utf-8"
    tqdm.write(printable(text).encode(encoding, "backslashreplace").decode(encoding), file)
    file.flush()


def tell(text: str) -> None:
    """Print lines to standard error as `say` does; where it is closed or full, the work goes on without."""
    if sys.stderr is None:  # which `say` would take for standard output
        return
    try:
        say(text, sys.stderr)
    except OSError:
        _give_up_telling()


def give_up(stream: TextIO) -> None:
    """Throw away what a stream still holds and gets, since nothing takes it: or Python fails at its end."""
    with suppress(OSError, ValueError):  # a notebook's has no number, a closed one neither
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _give_up_telling() -> None:
    if sys.stderr is not None:
        give_up(sys.stderr)

"""Progress of long work: engines report numbers, the caller decides how to show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Called with (done, total), both counts of the same unit, `done` never falling."""


@contextmanager
def progress_bar(description: str, unit: str = "it", *, quiet: bool = False) -> Iterator[Progress]:
    """Show progress as a bar with rate and time left; the notebook's own bar inside a notebook.

    Args:
        description: shown before the bar.
        unit: what is counted, such as "text" or "step".
        quiet: show nothing.

    Yields:
        The function to report to.
    """
    from tqdm.auto import tqdm

    with tqdm(desc=description, unit=unit, disable=quiet, dynamic_ncols=True) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


def say(text: str) -> None:
    """Print lines on standard output, above the bars that are shown at the moment."""
    from tqdm.auto import tqdm

    tqdm.write(text)

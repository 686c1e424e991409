"""One job on the captions of a folder, as an engine, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from clipnb.progress import progress_to
from clipnb.prompts.caption_preview import Preview
from clipnb.prompts.records import Skipped


class Stage(NamedTuple):
    """How far a job is; at its end what it changed, what it says, and what was left alone."""

    word: str
    done: int = 0
    total: int = 0
    preview: Preview | None = None
    said: str = ""
    skipped: Sequence[Skipped] = ()


class StoppedError(Exception):
    """Raised inside a job when somebody pressed Stop."""


class Job:
    """The engine of one job."""

    def __init__(self, steps: Callable[[], Iterator[Stage]], report: Callable[[Stage], None], *, stops: bool) -> None:
        self._steps, self._report, self._stops = steps, report, stops
        self._stopping = False

    def steps(self) -> Iterator[Stage]:
        with progress_to(self._hear):
            yield from self._steps()

    def update(self, config: None) -> None:
        """Do nothing: a job goes on as it was begun."""

    def stop(self) -> None:
        self._stopping = self._stops

    def _hear(self, word: str, unit: str, done: int, total: int) -> None:
        del unit
        if self._stopping:
            raise StoppedError
        self._report(Stage(word, done, total))

"""What is wished of the interrogator, and the engine that makes it, one description after another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.result import Interrogation
from clipnb.progress import progress_to
from clipnb.widgets.interrogate.pictures import KeptPicture


@dataclass(frozen=True)
class Means:
    """What pictures are described with.

    Attributes:
        model: name of the encoder.
        captioner: name of the captioner, or None.
        labels: a path, a package, or labels, in place of the built-in ones; None for those.
    """

    model: str = "auto"
    captioner: str | None = None
    labels: str | tuple[str, ...] | None = None


@dataclass(frozen=True)
class Job:
    """One description that is wished.

    Attributes:
        picture: what is described.
        mode: how.
        caption: the person's own, or None.
    """

    picture: KeptPicture
    mode: str
    caption: str | None = None


@dataclass(frozen=True)
class Description:
    """One description that was made.

    Attributes:
        job: what was wished.
        found: the result.
    """

    job: Job
    found: Interrogation


Heard = Callable[[int, str, str, int, int], None]
"""Called with jobs that are done, what is being done, its unit, how far that is, and of how many (0: not known)."""


class _StoppedError(Exception):
    """Raised inside the work when somebody pressed Stop."""


class DescribingWork:
    """The engine: yields descriptions; opens models and label tables when they are needed."""

    def __init__(self, jobs: Sequence[Job], worker: Callable[[], Interrogator], heard: Heard) -> None:
        """Take what is wished.

        Args:
            jobs: the descriptions.
            worker: gives the interrogator; may take long.
            heard: told how many jobs are done, what is being done, its unit, how far it is and of how many.
        """
        self._jobs, self._worker, self._heard = jobs, worker, heard
        self._stopping = threading.Event()

    def steps(self) -> Iterator[Description]:
        """Yield every description as it is made; end early when stopped."""
        try:
            self._listen(0, "loading the model", "", 0, 0)
            worker = self._worker()
            for place, job in enumerate(self._jobs):
                yield self._describe(worker, place, job)
        except _StoppedError:
            return

    def update(self, config: None) -> None:
        """Take no change: what is on goes on as it was wished."""

    def stop(self) -> None:
        """End at the next report of progress."""
        self._stopping.set()

    def _describe(self, worker: Interrogator, place: int, job: Job) -> Description:
        def listen(words: str, unit: str, done: int, total: int) -> None:
            self._listen(place, words, unit, done, total)

        listen(f"{job.picture.name} by {job.mode}", "", 0, 0)
        with progress_to(listen):
            return Description(job, worker.interrogate(job.picture.open(), job.mode, job.caption))

    def _listen(self, place: int, words: str, unit: str, done: int, total: int) -> None:
        if self._stopping.is_set():
            raise _StoppedError
        self._heard(place, words, unit, done, total)

"""Descriptions of pictures, one list at a time, beside the kernel's main thread. Knows no widget."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from clipnb.environment.host import find_host
from clipnb.errors import ConfigError
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.lists import LabelSource
from clipnb.interrogate.settings import Settings
from clipnb.models.captions import Captioner
from clipnb.models.encoder import DualEncoder
from clipnb.runner import Runner, RunState, running_loop
from clipnb.widgets.describing_work import DescribingWork, Description, Heard, Job, Means
from clipnb.widgets.pictures import KeptPicture

T = TypeVar("T")


class DescribingSession:
    """Makes descriptions beside the kernel's main thread, one list of jobs at a time.

    Attributes:
        descriptions: all that were made, oldest first.
        total: jobs in the present list.
    """

    def __init__(
        self,
        on_description: Callable[[Description], None],
        on_progress: Heard,
        on_state: Callable[[], None],
        *,
        encoder: DualEncoder | None = None,
        captioner: Captioner | None = None,
        labels: LabelSource | None = None,
        settings: Settings | None = None,
        in_thread: bool | None = None,
    ) -> None:
        """Prepare; nothing is loaded before the first start.

        Args:
            on_description: shows a description.
            on_progress: told how many jobs are done, what is being done, its unit, how far it is and of how many.
            on_state: told that the state changed.
            encoder: used instead of a model by name.
            captioner: used instead of one by name.
            labels: used where none are chosen.
            settings: of the interrogator; the model and the captioner in it are what is chosen first.
            in_thread: whether widgets may be changed from the working thread; where not (Colab), what there is to
                show goes to the kernel's event loop. By default what suits the host.
        """
        self.descriptions: list[Description] = []
        self.total = 0
        self._on_description, self._on_progress, self._on_state = on_description, on_progress, on_state
        self._encoder, self._captioner, self._labels = encoder, captioner, labels
        self._settings = settings or Settings(chunk_size=512)  # so that Stop is heard soon
        self._in_thread = find_host().shows_threads if in_thread is None else in_thread
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: tuple[Means, Interrogator] | None = None
        self._work: DescribingWork | None = None
        self._runner: Runner[Description, None] | None = None

    @property
    def state(self) -> RunState:
        """Where the present list is in its life."""
        return RunState.IDLE if self._runner is None else self._runner.state

    @property
    def is_on(self) -> bool:
        """Whether pictures are being described."""
        return self.state is RunState.RUNNING

    @property
    def error(self) -> BaseException | None:
        """What ended the present list, or None."""
        return None if self._runner is None else self._runner.error

    def start(self, jobs: Sequence[Job], means: Means) -> None:
        """Begin a list of jobs.

        Raises:
            ConfigError: one is on already, or there is nothing to do.
        """
        if self.is_on:
            raise ConfigError("pictures are being described already; stop that first")
        if not jobs:
            raise ConfigError("there is no picture yet; upload one, paste one, or give its path or URL")
        self.find_loop()
        self.total = len(jobs)
        self._work = DescribingWork(jobs, lambda: self._worker_for(means), self._progressed)
        self._runner = Runner(self._work, self._described, lambda _: self.show(self._on_state), interval=0)
        self._runner.start_thread()

    def stop(self) -> None:
        """End soon: at the next report of progress, or after the present picture."""
        if self._work is not None and self._runner is not None:
            self._work.stop()
            self._runner.stop()

    def forget(self, picture: KeptPicture) -> None:
        """Keep what was found of a picture, but not the picture itself."""
        rest = replace(picture, source=b"")
        for place, made in enumerate(self.descriptions):
            if made.job.picture is picture:
                self.descriptions[place] = replace(made, job=replace(made.job, picture=rest))

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end, at most so many seconds; raises what ended the work."""
        if self._runner is not None:
            self._runner.join(timeout)

    def aside(self, work: Callable[[], T], then: Callable[[Callable[[], T]], None]) -> None:
        """Do something that takes a while, such as a download, beside the kernel's main thread.

        Args:
            work: what is done.
            then: gets, where widgets may be changed, what gives the work's value or raises its error.
        """
        self.find_loop()

        def run() -> None:
            outcome: Future[T] = Future()
            try:
                outcome.set_result(work())
            except Exception as error:  # noqa: BLE001 - raised again where it can be shown
                outcome.set_exception(error)
            self.show(lambda: then(outcome.result))

        threading.Thread(target=run, name="clipnb-aside", daemon=True).start()

    def show(self, action: Callable[[], None]) -> None:
        """Do something to widgets, here or on the kernel's event loop, as the host needs it."""
        if self._in_thread or self._loop is None or self._loop.is_closed():
            action()
        else:
            self._loop.call_soon_threadsafe(action)

    def find_loop(self) -> None:
        """Remember the event loop of the thread that handles buttons."""
        self._loop = running_loop() or self._loop

    def _described(self, description: Description) -> None:
        self.descriptions.append(description)
        self.show(lambda: self._on_description(description))

    def _progressed(self, place: int, doing: str, unit: str, done: int, total: int) -> None:
        self.show(lambda: self._on_progress(place, doing, unit, done, total))

    def _worker_for(self, means: Means) -> Interrogator:
        """Give the interrogator of before where nothing changed: it holds models and tables."""
        if self._worker is None or self._worker[0] != means:
            settings = self._settings.changed(
                clip_model_name=means.model, caption_model_name=means.captioner, quiet=True
            )
            worker = Interrogator(
                self._encoder, captioner=self._captioner, labels=means.labels or self._labels, settings=settings
            )
            self._worker = means, worker
        return self._worker[1]

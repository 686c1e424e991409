"""Descriptions of pictures, one list at a time, beside the kernel's main thread. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from clipnb.errors import ConfigError
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.labels.word_lists import LabelSource
from clipnb.interrogate.settings import Settings
from clipnb.models.captioner import Captioner
from clipnb.models.encoder import DualEncoder
from clipnb.widgets.common.session import Session
from clipnb.widgets.interrogate.pictures import KeptPicture
from clipnb.widgets.interrogate.work import DescribingWork, Description, Heard, Job, Means


class DescribingSession(Session[Description, None]):
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
    ) -> None:
        """Prepare; nothing is loaded before the first start. What is told is told in the working thread.

        Args:
            on_description: told about a description.
            on_progress: told how many jobs are done, what is being done, its unit, how far it is and of how many.
            on_state: told that the state changed.
            encoder: used instead of a model by name.
            captioner: used instead of one by name.
            labels: used where none are chosen.
            settings: of the interrogator; the model and the captioner in it are what is chosen first.
        """
        self.descriptions: list[Description] = []
        self.total = 0
        super().__init__(on_state, in_thread=True)
        self._on_description, self._on_progress = on_description, on_progress
        self._encoder, self._captioner, self._labels = encoder, captioner, labels
        self._settings = settings or Settings(chunk_size=512)  # so that Stop is heard soon
        self._worker: tuple[Means, Interrogator] | None = None
        self._work: DescribingWork | None = None

    def start(self, jobs: Sequence[Job], means: Means) -> None:
        """Begin a list of jobs.

        Raises:
            ConfigError: one is on already, or there is nothing to do.
        """
        if self.is_on:
            raise ConfigError("pictures are being described already; stop that first")
        if not jobs:
            raise ConfigError("there is no picture yet; upload one, paste one, or give its path or URL")
        self.total = len(jobs)
        work = DescribingWork(jobs, lambda: self._worker_for(means), self._on_progress)
        self._run(work)
        self._work = work

    def stop(self) -> None:
        """End soon: at the next report of progress, or after the present picture."""
        if self._work is not None:
            self._work.stop()
        super().stop()

    def forget(self, picture: KeptPicture) -> None:
        """Keep what was found of a picture, but not the picture itself."""
        rest = replace(picture, source=b"")
        for place, made in enumerate(self.descriptions):
            if made.job.picture is picture:
                self.descriptions[place] = replace(made, job=replace(made.job, picture=rest))

    def _stepped(self, description: Description) -> None:
        self.descriptions.append(description)
        self._on_description(description)

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

"""Runs of one experiment: start, pause, step, change, go back, save. Knows no widget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from clipnb.errors import ClipnbError, ConfigError, OutputError
from clipnb.files import claim_folder
from clipnb.models.device import resolve_device
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.film.writing import video_is_here
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import save_result
from clipnb.optimise.step import Step
from clipnb.runner import RunState
from clipnb.widgets.common.frame_rate import FrameRate
from clipnb.widgets.common.session import Session
from clipnb.widgets.live.history import History, Similarities, Snapshot

_WHOLE = 2**16  # pixels: larger than any side of a picture
Refused = Callable[[ClipnbError], None]


class RecoveringOptimisation:
    """An optimisation that goes on as it was when it cannot use a change."""

    def __init__(self, optimisation: Optimisation, refused: Refused) -> None:
        self.optimisation, self._refused = optimisation, refused
        self._wanted: ExperimentConfig | None = None
        self._proven: ExperimentConfig | None = None  # the newest that a step was made by

    def steps(self) -> Iterator[Step]:
        while True:
            try:
                for step in self.optimisation.steps():
                    self._proven = self.optimisation.config
                    yield step
                return
            except ClipnbError as error:
                if self._wanted is None:
                    raise
                if self.optimisation.config is self._wanted:  # it was taken, and cannot make a step
                    if self._proven is None or self._proven is self._wanted:
                        raise
                    self.optimisation.update(self._proven)
                self._wanted = None
                self._refused(error)

    def update(self, config: ExperimentConfig) -> None:
        self._wanted = config
        self.optimisation.update(config)


class LiveSession(Session[Step, ExperimentConfig]):
    """Runs of one experiment, with what they leave behind.

    Attributes:
        history: snapshots of the picture that is being made.
        similarities: of every step so far.
        frame_rate: how fast it goes.
        newest: the newest step, or None.
        keeps_in: wished name of a folder for snapshots as they come, each with its YAML; None: they stay in memory.
    """

    def __init__(
        self,
        on_frame: Callable[[Step], None],
        on_state: Callable[[], None],
        on_refused: Refused,
        *,
        encoder: DualEncoder | None = None,
        in_thread: bool | None = None,
    ) -> None:
        """Prepare; nothing is loaded before the first start.

        Args:
            on_frame: shows a step; called at most ten times a second, and for the one at which a run stands still.
            on_state: see `Session`.
            on_refused: called when a running picture could not use a change.
            encoder: used instead of the experiment's models.
            in_thread: see `Session`.
        """
        super().__init__(on_state, in_thread)
        self.history, self.similarities, self.frame_rate = History(), Similarities(), FrameRate()
        self.newest: Step | None = None
        self._on_frame, self._on_refused, self._encoder = on_frame, on_refused, encoder
        self._engine: RecoveringOptimisation | None = None
        self._one_frame_at_a_time = threading.RLock()
        self._single = False
        self._seconds, self._since = 0.0, 0.0
        self.keeps_in: Path | None = None
        self._kept_in: Path | None = None  # of this picture

    @property
    def can_go_on(self) -> bool:
        """Whether there is a picture that a run can go on with."""
        return self._engine is not None and self.newest is not None

    def start(self, config: ExperimentConfig, *, one_step: bool = False) -> None:
        if self.is_on:
            raise ConfigError("a run is on already; stop it first")
        optimisation = Optimisation(config, self._encoder)
        self.history = History() if config.frames is None else History(config.frames.length)
        self.similarities = Similarities()
        self._seconds, self.newest, self._kept_in = 0.0, None, None
        self._begin(optimisation, one_step=one_step)

    def go_on(self, config: ExperimentConfig | None, *, one_step: bool = False) -> None:
        """Resume what is paused as it is, or go on with a picture whose run is over, by another experiment if given."""
        if self._runner is not None and self.state is RunState.PAUSED:
            self._single = one_step
            self._runner.resume()
            return
        if self._engine is None or self.is_on:
            raise ConfigError("there is no picture to go on with; press Start")
        if config is not None:
            self._engine.update(config)
        self._single = one_step
        self._run(self._engine)

    def go_back(self, snapshot: Snapshot, config: ExperimentConfig) -> None:
        """Leave the present run and go on from an earlier snapshot by an experiment; what came after is forgotten."""
        self._leave()
        index = snapshot.about.index
        optimisation = Optimisation(config, self._encoder, image=snapshot.as_step().image, index=index + 1)
        self.history.forget_after(index)
        self.similarities.forget_after(index)
        self._begin(optimisation)

    def pause(self) -> None:
        if self._runner is not None:
            self._runner.pause()

    def change(self, config: ExperimentConfig) -> None:
        """Use another experiment from the next step of a run that is on; it cannot move to another device."""
        if self._engine is None or self._runner is None or not self.is_on:
            return
        old = self._engine.optimisation.config
        if self._encoder is None and resolve_device(config.device) != resolve_device(old.device):
            raise ConfigError(f"device: a running picture stays on {old.device}; stop, then start on {config.device}")
        self._runner.change(config)

    def save(self, snapshot: Snapshot | None, path: Path) -> Path:
        """Write a snapshot, or the newest step, with its YAML beside it under a name that is not taken."""
        step = self.newest if snapshot is None else snapshot.as_step()
        if step is None or self._engine is None:
            raise OutputError("there is no picture yet; press Start")
        return save_result(self._engine.optimisation, step, path, self._elapsed())

    def film(self, path: Path) -> list[Path]:
        """Write the history under names that are not taken: WebP, and MP4 where PyAV is; a film at its own speed."""
        film = None if self._engine is None else self._engine.optimisation.config.frames
        suffixes = (".webp", ".mp4") if video_is_here() else (".webp",)
        paths = [path.with_suffix(suffix) for suffix in suffixes]
        if film is None:
            return [self.history.film(one) for one in paths]
        return [self.history.film(one, film.fps, largest=_WHOLE) for one in paths]

    def _is_shown_in_history(self, step: Step) -> bool:
        """Whether it may be a snapshot: of a film whole frames alone."""
        return self._engine is None or self._engine.optimisation.config.frames is None or step.frame is not None

    def _begin(self, optimisation: Optimisation, *, one_step: bool = False) -> None:
        self._engine, self.frame_rate = RecoveringOptimisation(optimisation, self._on_refused), FrameRate()
        self._single = one_step
        self._run(self._engine)

    def _stepped(self, step: Step) -> None:
        self.similarities.add(step)
        if self._is_shown_in_history(step):
            self._keep(step, self.history.add(step))
        self.newest = step  # last: who sees it finds it in the history
        if self._single and self._runner is not None:
            self._single = False
            self._runner.pause()
        if self.frame_rate.is_due() or self.state is not RunState.RUNNING or step.is_last:
            self._show()

    def _keep(self, step: Step, kept: Snapshot | None) -> None:
        """Save the snapshot of a step if that is wished; when it fails it is told, and not tried again."""
        if kept is None or self.keeps_in is None or self._engine is None:
            return
        try:
            self._kept_in = self._kept_in or claim_folder(self.keeps_in)
            save_result(self._engine.optimisation, step, self._kept_in / f"{kept.unit}-{kept.number:06}.png")
        except ClipnbError as error:
            self.keeps_in = None
            self._on_refused(error)

    def _show(self) -> None:
        """Show the newest step; who pauses a run may do so from another thread than the one that makes it."""
        with self._one_frame_at_a_time:
            step = self.newest
            if step is not None:
                self.frame_rate.show(step.index, lambda: self._on_frame(step))

    def _became(self, state: RunState) -> None:
        self.frame_rate.rest()
        if state is RunState.RUNNING:
            self._since = time.monotonic()
            return
        self._seconds, self._since = self._elapsed(), 0.0
        if state.is_over and self.newest is not None:
            self._keep(self.newest, self.history.add(self.newest, always=True))
        self._show()

    def _elapsed(self) -> float:
        return self._seconds + (time.monotonic() - self._since if self._since else 0.0)

"""One experiment under a person's hands: run, pause, step, change, go back, keep. Knows no widget."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from clipnb.environment.host import find_host
from clipnb.errors import ConfigError, OutputError
from clipnb.models.device import resolve_device
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import save_result
from clipnb.optimise.step import Step
from clipnb.runner import Runner, RunState
from clipnb.widgets.common.frame_rate import Pace
from clipnb.widgets.live.history import History, Similarities, Snapshot
from clipnb.widgets.live.recovering import ForgivingEngine, Refused


class LiveSession:
    """Runs of one experiment, one at a time, with what they leave behind.

    Attributes:
        history: snapshots of the picture that is being made.
        similarities: of every step so far.
        pace: how fast it goes.
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
            on_frame: shows a step; called at most ten times a second, and for the last one.
            on_state: told that the state changed; it asks which it is, so that order cannot lie.
            on_refused: told why a running picture could not use a change; the run goes on.
            encoder: used instead of the experiment's models.
            in_thread: whether runs have a thread of their own or share the kernel's event loop; by default what
                suits the host.
        """
        self.history, self.similarities, self.pace = History(), Similarities(), Pace()
        self._on_frame, self._on_state, self._on_refused = on_frame, on_state, on_refused
        self._encoder = encoder
        self._in_thread = find_host().shows_threads if in_thread is None else in_thread
        self._engine: ForgivingEngine | None = None
        self._runner: Runner[Step, ExperimentConfig] | None = None
        self._turn, self._single = 0, False
        self._seconds, self._since = 0.0, 0.0
        self.newest: Step | None = None

    @property
    def in_thread(self) -> bool:
        """Whether work may go to threads here."""
        return self._in_thread

    @property
    def state(self) -> RunState:
        """Where the present run is in its life."""
        return RunState.IDLE if self._runner is None else self._runner.state

    @property
    def is_on(self) -> bool:
        """Whether a run is on, paused ones included."""
        return self.state in (RunState.RUNNING, RunState.PAUSED)

    @property
    def error(self) -> BaseException | None:
        """What ended the present run, or None."""
        return None if self._runner is None else self._runner.error

    @property
    def can_go_on(self) -> bool:
        """Whether there is a picture that a run can go on with."""
        return self._engine is not None and self.newest is not None

    def start(self, config: ExperimentConfig, *, one_step: bool = False) -> None:
        """Begin a new picture.

        Args:
            config: the experiment.
            one_step: pause after the first step.

        Raises:
            ConfigError: a run is on.
        """
        self._refuse_a_second_run()
        self._begin(Optimisation(config, self._encoder))
        self.history, self.similarities = History(), Similarities()
        self._seconds, self.newest = 0.0, None
        self._run(one_step)

    def go_on(self, config: ExperimentConfig | None, *, one_step: bool = False) -> None:
        """Resume what is paused, or go on with a picture whose run is over.

        Args:
            config: used from the next step on; the one before when None.
            one_step: pause after one step.

        Raises:
            ConfigError: there is nothing to go on with.
        """
        if self._runner is not None and self.state is RunState.PAUSED:
            self._single = one_step
            self._runner.resume()
            return
        if self._engine is None or self.is_on:
            raise ConfigError("there is no picture to go on with; press Start")
        if config is not None:
            self._engine.update(config)
        self._run(one_step)

    def go_back(self, snapshot: Snapshot, config: ExperimentConfig) -> None:
        """Leave the present run and go on from an earlier snapshot; what came after it is forgotten.

        Args:
            snapshot: from the history.
            config: the experiment to go on with.
        """
        self._turn += 1  # what the present run still says is not listened to
        self.stop()
        index = snapshot.about.index
        self._begin(Optimisation(config, self._encoder, image=snapshot.as_step().image, index=index + 1))
        self.history.forget_after(index)
        self.similarities.forget_after(index)
        self._run(one_step=False)

    def pause(self) -> None:
        """Wait after the present step."""
        if self._runner is not None:
            self._runner.pause()

    def stop(self) -> None:
        """End the run after the present step."""
        if self._runner is not None:
            self._runner.stop()

    def change(self, config: ExperimentConfig) -> None:
        """Give a run that is on another experiment, used from its next step on.

        Raises:
            ConfigError: a running picture cannot move to another device.
        """
        if self._engine is None or self._runner is None or not self.is_on:
            return
        old = self._engine.engine.config
        if self._encoder is None and resolve_device(config.device) != resolve_device(old.device):
            raise ConfigError(f"device: a running picture stays on {old.device}; stop, then start on {config.device}")
        self._runner.change(config)

    def save(self, snapshot: Snapshot | None, path: Path) -> Path:
        """Write a picture and its YAML under a name that is not taken.

        Args:
            snapshot: from the history; the newest step when None.
            path: the wished name.

        Returns:
            The picture's path.

        Raises:
            OutputError: there is no picture yet, or the place cannot be written to.
        """
        step = self.newest if snapshot is None else snapshot.as_step()
        if step is None or self._engine is None:
            raise OutputError("there is no picture yet; press Start")
        return save_result(self._engine.engine, step, path, self._elapsed())

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of a run in a thread, at most so many seconds; raises what ended it."""
        if self._runner is not None:
            self._runner.join(timeout)

    def _refuse_a_second_run(self) -> None:
        if self.is_on:
            raise ConfigError("a run is on already; stop it first")

    def _begin(self, engine: Optimisation) -> None:
        self._engine = ForgivingEngine(engine, self._on_refused)
        self.pace = Pace()

    def _run(self, one_step: bool) -> None:
        if self._engine is None:
            return
        self._turn += 1
        self._single = one_step
        mine = self._turn
        self._runner = Runner(self._engine, partial(self._take, mine), partial(self._became, mine), interval=0)
        if self._in_thread:
            self._runner.start_thread()
        else:
            self._runner.start_task()

    def _take(self, turn: int, step: Step) -> None:
        """Keep a step, and show it when a frame is due; a run that was left behind is not listened to."""
        if turn != self._turn or self._runner is None:
            return
        self.newest = step
        self.similarities.add(step)
        self.history.add(step)
        if self._single:
            self._single = False
            self._runner.pause()
        if self.pace.is_due() or self.state is not RunState.RUNNING or step.is_last:
            self._show(step)

    def _show(self, step: Step) -> None:
        began = self.pace.now()
        self._on_frame(step)
        self.pace.shown(step.index, began)

    def _became(self, turn: int, state: RunState) -> None:
        if turn != self._turn:
            return
        if state is RunState.RUNNING:
            self._since = time.monotonic()
        else:
            self._seconds, self._since = self._elapsed(), 0.0
            self.pace.rest()
        if state.is_over and self.newest is not None:
            self.history.add(self.newest, always=True)
            self._show(self.newest)
        self._on_state()

    def _elapsed(self) -> float:
        return self._seconds + (time.monotonic() - self._since if self._since else 0.0)

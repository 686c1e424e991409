"""A run whose pictures are saved as it goes, so that it can be gone on with: what `clipnb optimise` does."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from clipnb.errors import ConfigError, OutputError, listed, reason, shortened
from clipnb.files import expanded, given_back
from clipnb.images import open_image, write_image
from clipnb.models.device import resolve_device
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.film.plan import with_scenes
from clipnb.optimise.film.writing import FOLDER, frame_path, save_film, suffix_of_film, without_video
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.reach import require_reach
from clipnb.optimise.results import RESULT, check_place, claim_names, files_of, stem_for, write_result
from clipnb.optimise.run_state import RunState
from clipnb.optimise.step import Step
from clipnb.progress import log, progress_bar

STATISTICS_INTERVAL = 10.0
"""Seconds between two tables of statistics with `verbose: 2`."""
STATE = ".safetensors"
"""Suffix of the state beside a picture; it goes when the run has come to its end."""
_OUTSIDE = frozenset({"output", "snapshot_interval", "verbose", "device"})  # keys that change no pixel


def read_experiment(files: Sequence[str], text: str | None, changes: Mapping[str, Any]) -> tuple[ExperimentConfig, str]:
    """Read the experiment of YAML files ("-" is standard input) or of a text; `changes` win over it.

    Returns:
        The experiment, and the name of its picture where only a folder is given.

    Raises:
        ConfigError: there is neither or both, or a mistake in it.
    """
    if bool(files) == (text is not None):
        raise ConfigError("give experiments as YAML files, or --text 'what should be seen'; see clipnb optimise -h")
    if text is not None:
        return ExperimentConfig.from_text(text, **changes), stem_for(text)
    config = ExperimentConfig.from_files(*files, changes=[changes])
    return config, Path(files[-1]).stem if files[-1] != "-" else "experiment"


class SavedRun:
    """A run that saves snapshots and its last picture under one name."""

    def __init__(
        self,
        config: ExperimentConfig,
        stem: str,
        turn: int,
        say: Callable[[str], None],
        *,
        state: RunState | None = None,
        wished: Path | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            config: the experiment.
            stem: name of the picture when `output` is a folder.
            turn: number of the repetition, from 0; a seed counts up by it.
            say: prints statistics meanwhile and at the end, and the path of the result.
            state: of a run to go on with instead of a new one of `config`.
            wished: path of the picture instead of the experiment's `output`.
        """
        if config.seed is not None and turn:
            config = config.changed(seed=config.seed + turn)
        require_reach(with_scenes(config))  # before there are files or a bar
        resolve_device(config.device)
        self._config, self._say = config, say
        self._run = Optimisation(config) if state is None else Optimisation.from_state(state)
        self._wished = wished or output_path(config.output, stem)
        self._suffix = "" if config.frames is None else suffix_of_film(self._wished)
        if self._suffix:
            self._wished = self._wished.with_suffix(".png")
        self._picture: Path | None = None
        self._made = ""
        check_place(self._wished)
        self._start = self._run.index
        self._started = self._saved_at = self._told_at = time.monotonic()
        self._started -= 0.0 if state is None else state.facts.seconds
        self._saved_epoch = self._start
        self._newest: Step | None = None
        self._warned = False

    @classmethod
    def resumed(cls, file: str, changes: Mapping[str, object], say: Callable[[str], None]) -> SavedRun:
        """Prepare to go on with a run that was interrupted, by the YAML beside its picture.

        As it was, it goes on under its names, and makes the pixels of a run without a break. With `changes`, or YAML
        that was changed since, it goes on by the new experiment under a new name.

        Raises:
            ConfigError: there is nothing to go on with, or the YAML has a mistake.
        """
        path = expanded(file).with_suffix(".yaml")
        config = ExperimentConfig.from_files(path, changes=[changes])
        suffix = output_path(config.output, path.stem).suffix
        picture = path.with_suffix(".png" if config.frames else suffix)
        if not path.with_suffix(STATE).exists():
            raise ConfigError(
                f"there is no state {path.with_suffix(STATE)} to go on from: the run came to its end, or was not "
                f"saved by clipnb optimise; to begin a new one from its picture: init: {{image: {picture.name}}}"
            )
        state = RunState.load(path.with_suffix(STATE))
        before, now = state.config.as_dict(), config.as_dict()
        changed = [key for key in now if key not in _OUTSIDE and now[key] != before.get(key)]
        if "seed" in changed:
            raise ConfigError(f"{path}: a run that goes on keeps its seed: {state.config.seed}; or begin a new one")
        state = replace(state, config=state.config.changed(**{key: now[key] for key in _OUTSIDE}))
        wished = None if "output" in changes else picture
        run = cls(state.config, path.stem, 0, say, state=state, wished=wished)
        if changed:
            log.warning("the experiment is not what it was (%s); going on by it as it is now", listed(changed))
            run._config = config
            run._run.update(config)
        elif wished:
            run._picture = picture
        return run

    @property
    def newest(self) -> Step | None:
        """The newest step, or None before there is one."""
        return self._newest

    @property
    def picture(self) -> Path | None:
        """Where the newest picture is saved, or None before it is."""
        return self._picture

    def run(self) -> bool:
        """Run to the end; whatever happens, the newest picture is saved.

        Returns:
            Whether it came to its end; False when it was interrupted by Ctrl-C.

        Raises:
            ClipnbError: what ended the run.
        """
        try:
            return self._run_and_save()
        except OutputError as error:
            if self._picture is None or not self._picture.with_suffix(STATE).exists():
                raise
            again = f"clipnb optimise --resume {self._picture.with_suffix('.yaml')}"
            raise OutputError(f"{error}. What is written stays; when there is room again, go on by: {again}") from error

    def _run_and_save(self) -> bool:
        try:
            self._loop()
            if self._newest is None and self._config.verbose:
                self._say(f"no step to make: {self._start} of {self._config.epochs} are made")
            return True
        except KeyboardInterrupt:
            return False
        finally:
            if self._newest is not None:
                self._save(self._newest)
                if self._config.verbose:
                    self._tell(self._newest)
                    self._say(
                        f"{self._made or self._picture} after {self._newest.index + 1} of {self._newest.total} steps"
                    )

    def _loop(self) -> None:
        start = self._start
        with progress_bar("optimise", "step", quiet=self._config.verbose == 0) as progress:
            for step in self._steps():
                progress(step.index + 1 - start, step.total - start)
                self._warn(step)
                if self._is_due(step):
                    self._save(step)
                elif not step.is_last:  # which is saved at the end
                    self._keep_frame(step, self._picture)
                if not step.is_last and time.monotonic() - self._told_at >= STATISTICS_INTERVAL:
                    self._tell(step)

    def _steps(self) -> Iterator[Step]:
        """Yield the steps; Ctrl-C ends them after the present one, so that there is a state to go on from."""
        asked = False

        def ask(number: int, frame: object) -> None:
            nonlocal asked
            del number, frame
            if asked or self._newest is None:
                raise KeyboardInterrupt
            asked = True

        with _on_interrupt(ask):
            for step in self._run.steps():
                self._newest = step
                yield step
                if asked:
                    raise KeyboardInterrupt

    def _is_due(self, step: Step) -> bool:
        if step.is_last:
            return False
        if step.frame is not None and self._picture is None:
            return True  # frames stand beside a picture
        interval = self._config.snapshot_interval
        if interval == 0:
            return False
        if isinstance(interval, int):
            return step.index - self._saved_epoch >= interval
        return time.monotonic() - self._saved_at >= interval

    def _save(self, step: Step) -> None:
        seconds = time.monotonic() - self._started
        if self._picture is None:
            ends = (*RESULT, STATE, *self._run.extra_files(step))
            picture = claim_names(self._wished, *ends, free=(FOLDER, self._suffix) if self._suffix else ())
            with given_back(*files_of(picture, ends)):
                self._write(step, picture, seconds)
            self._picture = picture
            if left_out := self._run.left_out():
                log.warning("%s: %s", picture.name, left_out)
        else:
            self._write(step, self._picture, seconds)
        self._saved_at, self._saved_epoch = time.monotonic(), step.index

    def _write(self, step: Step, picture: Path, seconds: float) -> None:
        write_result(self._run, step, picture, seconds)
        self._keep_frame(step, picture)
        if step.is_last:
            self._finish_film(picture)
            picture.with_suffix(STATE).unlink(missing_ok=True)
        elif self._run.is_between_steps:
            state = self._run.state()
            facts = state.facts.model_copy(update={"seconds": seconds})
            replace(state, facts=facts).save(picture.with_suffix(STATE))

    def _keep_frame(self, step: Step, picture: Path | None) -> None:
        if step.frame is not None and picture is not None:
            write_image(step.image, frame_path(picture, step.frame))

    def _finish_film(self, picture: Path) -> None:
        film = self._config.frames
        if film is not None:
            frames = (open_image(frame_path(picture, number)) for number in range(film.length))
            written = save_film(frames, picture.with_suffix(self._suffix), film.fps)
            self._made = f"{written}{without_video(self._suffix)}, frames in {frame_path(picture, 0).parent}"

    def _warn(self, step: Step) -> None:
        """Say once that the picture fools its guide."""
        verdict = step.statistics.verdict
        if verdict and verdict.warning and not self._warned and self._config.verbose:
            self._warned = True
            self._say(f"step {step.index + 1}: {verdict.warning}")

    def _tell(self, step: Step) -> None:
        self._told_at = time.monotonic()
        if self._config.verbose > 1:
            head = f"step {step.index + 1} of {step.total}: loss {step.statistics.loss}"
            self._say("\n  ".join([head, *step.statistics.in_words(most=40)]))


@contextmanager
def _on_interrupt(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Let Ctrl-C call a handler; in another thread than the main one, which it does not reach, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def output_path(output: str, stem: str) -> Path:
    """Return the picture's path: `output`, or `stem` in it where it is a folder or has no suffix."""
    if "\0" in output:
        raise OutputError(f"cannot write to {shortened(output)!r}: a path holds no null character")
    try:
        path = Path(output).expanduser()
        is_folder = output.endswith(("/", "\\")) or path.is_dir() or not path.suffix
    except (OSError, RuntimeError, ValueError) as error:
        raise OutputError(f"cannot write to {shortened(output)!r}: {reason(error)}") from error
    return path / f"{stem}.png" if is_folder else path

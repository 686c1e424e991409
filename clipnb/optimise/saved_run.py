"""A run whose pictures are saved as it goes: what `clipnb optimise` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clipnb.errors import ConfigError, OutputError, reason, shortened
from clipnb.optimise.engine import Optimisation, Step
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import check_place, save_result, stem_for, write_result
from clipnb.progress import progress_bar

STATISTICS_INTERVAL = 10.0
"""Seconds between two tables of statistics with `verbose: 2`."""


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
        if not text.strip():
            raise ConfigError("--text is empty; say what should be seen")
        return ExperimentConfig.from_text(text, **changes), stem_for(text)
    config = ExperimentConfig.from_files(*files, changes=[changes])
    return config, Path(files[-1]).stem if files[-1] != "-" else "experiment"


class SavedRun:
    """A run that saves snapshots and its last picture under one name."""

    def __init__(self, config: ExperimentConfig, stem: str, turn: int, say: Callable[[str], None]) -> None:
        """Prepare a run.

        Args:
            config: the experiment.
            stem: name of the picture when `output` is a folder.
            turn: number of the repetition, from 0; a seed counts up by it.
            say: prints statistics meanwhile and at the end, and the path of the result.
        """
        if config.seed is not None and turn:
            config = config.changed(seed=config.seed + turn)
        self._config, self._say = config, say
        self._run = Optimisation(config)
        self._wished = output_path(config.output, stem)
        self._picture: Path | None = None
        check_place(self._wished)
        self._started = self._saved_at = self._told_at = time.monotonic()
        self._saved_epoch = config.start_epoch
        self._newest: Step | None = None

    def run(self) -> bool:
        """Run to the end; whatever happens, the newest picture is saved.

        Returns:
            Whether it came to its end; False when it was interrupted by Ctrl-C.

        Raises:
            ClipnbError: what ended the run.
        """
        try:
            self._loop()
            if self._newest is None and self._config.verbose:
                self._say(f"no step to make: start_epoch {self._config.start_epoch}, epochs {self._config.epochs}")
            return True
        except KeyboardInterrupt:
            return False
        finally:
            if self._newest is not None:
                self._save(self._newest)
                if self._config.verbose:
                    self._tell(self._newest)
                    self._say(f"{self._picture} after {self._newest.index + 1} of {self._newest.total} steps")

    def _loop(self) -> None:
        start = self._config.start_epoch
        with progress_bar("optimise", "step", quiet=self._config.verbose == 0) as progress:
            for step in self._run.steps():
                self._newest = step
                progress(step.index + 1 - start, step.total - start)
                if self._is_due(step):
                    self._save(step)
                if not step.is_last and time.monotonic() - self._told_at >= STATISTICS_INTERVAL:
                    self._tell(step)

    def _is_due(self, step: Step) -> bool:
        interval = self._config.snapshot_interval
        if interval == 0 or step.is_last:
            return False
        if isinstance(interval, int):
            return step.index - self._saved_epoch >= interval
        return time.monotonic() - self._saved_at >= interval

    def _save(self, step: Step) -> None:
        seconds = time.monotonic() - self._started
        if self._picture is None:
            self._picture = save_result(self._run, step, self._wished, seconds)
        else:
            write_result(self._run, step, self._picture, seconds)
        self._saved_at, self._saved_epoch = time.monotonic(), step.index

    def _tell(self, step: Step) -> None:
        self._told_at = time.monotonic()
        if self._config.verbose > 1:
            head = f"step {step.index + 1} of {step.total}: loss {step.statistics.loss}"
            self._say("\n  ".join([head, *step.statistics.in_words(most=40)]))


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

"""A run from the command line: where results go, snapshots, progress, and what is saved when it is interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from clipnb.errors import ConfigError, OutputError, reason, shortened
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import check_place, save_result, stem_for, write_result
from clipnb.optimise.step import Step
from clipnb.progress import progress_bar

STATISTICS_INTERVAL = 10.0
"""Seconds between two tables of statistics with `verbose: 2`."""


def experiment(files: Sequence[str], text: str | None, changes: Mapping[str, object]) -> tuple[ExperimentConfig, str]:
    """Read what is to be run.

    Args:
        files: YAML files, merged in order; "-" is standard input.
        text: for the default recipe instead of files.
        changes: top-level keys that win over the files.

    Returns:
        The experiment, and what its picture is called when only a folder is given.

    Raises:
        ConfigError: there is neither or both, or something in it is wrong.
    """
    if bool(files) == (text is not None):
        raise ConfigError("give experiments as YAML files, or --text 'what should be seen'; see clipnb optimise -h")
    if text is not None:
        if not text.strip():
            raise ConfigError("--text is empty; say what should be seen")
        return ExperimentConfig.from_text(text).changed(**changes), stem_for(text)
    config = ExperimentConfig.from_files(*files, changes=[changes])
    stem = Path(files[-1]).stem if files[-1] != "-" else "experiment"
    return config, stem


class Session:
    """One run whose pictures are saved as it goes."""

    def __init__(self, config: ExperimentConfig, stem: str, turn: int, say: Callable[[str], None]) -> None:
        """Prepare a run.

        Args:
            config: the experiment.
            stem: what the picture is called when `output` is a folder.
            turn: number of the repetition, from 0; a seed counts up by it.
            say: told the statistics meanwhile and at the end, and where the result is.

        Raises:
            OutputError: the place cannot be written to.
            ImageError: its suffix names no picture format.
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
        finished = False
        try:
            self._loop()
            finished = True
            if self._newest is None and self._config.verbose:
                self._say(f"no step to make: start_epoch {self._config.start_epoch}, epochs {self._config.epochs}")
        except KeyboardInterrupt:
            pass
        finally:
            if self._newest is not None:
                self._save(self._newest)
                self._report(self._newest)
        return finished

    def _loop(self) -> None:
        quiet = self._config.verbose == 0
        with progress_bar("optimise", "step", quiet=quiet) as progress:
            for step in self._run.steps():
                self._newest = step
                progress(step.index + 1 - self._config.start_epoch, step.total - self._config.start_epoch)
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
        """Write the newest picture over this run's own earlier one."""
        seconds = time.monotonic() - self._started
        if self._picture is None:
            self._picture = save_result(self._run, step, self._wished, seconds)
        else:
            write_result(self._run, step, self._picture, seconds)
        self._saved_at, self._saved_epoch = time.monotonic(), step.index

    def _report(self, step: Step) -> None:
        if self._config.verbose == 0:
            return
        self._tell(step)
        self._say(f"{self._picture} after {step.index + 1} of {step.total} steps")

    def _tell(self, step: Step) -> None:
        """Say how it goes, where statistics are wanted."""
        self._told_at = time.monotonic()
        if self._config.verbose > 1:
            head = f"step {step.index + 1} of {step.total}: loss {step.statistics.loss}"
            self._say("\n".join([head, *(f"  {line}" for line in step.statistics.in_words(most=40))]))


def output_path(output: str, stem: str) -> Path:
    """Find the picture's path: a folder gets a name, a name without suffix is a picture when it is no folder.

    Args:
        output: a folder (existing, or ending with a slash), or a file name.
        stem: the name in a folder.

    Raises:
        OutputError: it is no path.
    """
    if "\0" in output:
        raise OutputError(f"cannot write to {shortened(output)!r}: a path holds no null character")
    try:
        path = Path(output).expanduser()
        is_folder = output.endswith(("/", "\\")) or path.is_dir() or not path.suffix
    except (OSError, RuntimeError, ValueError) as error:
        raise OutputError(f"cannot write to {shortened(output)!r}: {reason(error)}") from error
    return path / f"{stem}.png" if is_folder else path

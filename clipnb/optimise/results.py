"""A finished run on disk: the picture, and beside it YAML that makes it again and says how it went."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import torch
import yaml

import clipnb
from clipnb.errors import printable
from clipnb.files import is_claimed, numbered, write_atomically
from clipnb.images import require_writable, write_image
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.step import Step


def save_result(run: Optimisation, step: Step, path: str | Path, seconds: float | None = None) -> Path:
    """Write the picture of a step as `name.png`, and `name.yaml` beside it.

    Nothing is overwritten: when one of both names is taken, both become `name-1`, `name-2`, ... Each file is
    written whole or not at all.

    Args:
        run: the run that the step came from.
        step: what to save.
        path: where to; the suffix gives the picture's format, .png when there is none.
        seconds: how long it took, for the notes.

    Returns:
        The picture's path.

    Raises:
        OutputError: the place cannot be written to.
        ImageError: the suffix names no picture format.
    """
    picture = _claim_pair(Path(path))
    try:
        write_result(run, step, picture, seconds)
    except BaseException:
        _unlink_pair(picture)
        raise
    return picture


def write_result(run: Optimisation, step: Step, picture: Path, seconds: float | None = None) -> None:
    """Write the picture of a step and its YAML under exactly this name, over an earlier snapshot of the same run.

    Args:
        run: the run that the step came from.
        step: what to write.
        picture: a path that belongs to this run, such as `save_result` gave.
        seconds: how long it took, for the notes.

    Raises:
        OutputError: the place cannot be written to.
        ImageError: the suffix names no picture format.
    """
    write_image(step.image, picture)
    with write_atomically(picture.with_suffix(".yaml")) as temporary:
        temporary.write_text(describe(run, step, seconds), encoding="utf-8")


def describe(run: Optimisation, step: Step, seconds: float | None = None) -> str:
    """Write the experiment as YAML, with all defaults and the seed, and how it went as comments.

    Args:
        run: the run.
        step: its last step so far.
        seconds: how long it took.

    Returns:
        YAML text that `ExperimentConfig.from_yaml` reads back.
    """
    notes = (" ".join(printable(line).split()) for line in _notes(run, step, seconds))  # a name may hold a line break
    return "".join(f"# {line}\n" for line in notes) + dump(run.config, run.seed)


def dump(config: ExperimentConfig, seed: int | None = None) -> str:
    """Write an experiment as YAML with all defaults; the seed replaces the config's unless it is None."""
    plain = config.as_dict()
    if seed is not None:
        plain["seed"] = seed
    return to_yaml(plain)


def to_yaml(plain: Mapping[str, object]) -> str:
    """Write a map as YAML in the order of its keys, lists of plain values on one line."""
    text: str = yaml.dump(dict(plain), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def check_place(path: Path) -> None:
    """Try to save a picture of one pixel where a long run is going to end; nothing of it is left.

    Raises:
        OutputError: the place cannot be written to.
        ImageError: the suffix names no picture format.
    """
    picture = _claim_pair(path)
    try:
        write_image(torch.zeros(3, 1, 1), picture)
    finally:
        _unlink_pair(picture)


def _claim_pair(path: Path) -> Path:
    """Claim a name that neither a picture nor its YAML has yet: `name.png`, then `name-1.png`, ..."""
    path = path if path.suffix or path.name in ("", "..") else path.with_suffix(".png")
    require_writable(path)
    return next(picture for picture in numbered(path) if _is_pair_claimed(picture))


def _is_pair_claimed(picture: Path) -> bool:
    with ExitStack() as undo:
        for file in (picture, picture.with_suffix(".yaml")):
            if not is_claimed(file):
                return False
            undo.callback(file.unlink)
        undo.pop_all()
    return True


def _unlink_pair(picture: Path) -> None:
    for file in (picture, picture.with_suffix(".yaml")):
        file.unlink(missing_ok=True)


def stem_for(text: str) -> str:
    """Make of what a picture shows the name of its file, without a suffix.

    >>> stem_for("A jellyfish, deep down!")
    'a-jellyfish-deep-down'
    """
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-")[:60] or "picture"


def _notes(run: Optimisation, step: Step, seconds: float | None) -> Iterator[str]:
    yield f"clipnb {clipnb.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    yield f"steps: {step.index + 1} of {step.total}"
    yield f"models: {', '.join(f'{name} ({digest})' for name, digest in run.models().items()) or 'none'}"
    yield f"device: {run.device}"
    if seconds is not None:
        yield f"seconds: {seconds:.1f}"
    yield f"loss: {step.statistics.loss}"
    yield from step.statistics.in_words(most=1000)


class _Dumper(yaml.SafeDumper):
    """Writes lists of plain values on one line."""


def _list(dumper: _Dumper, items: list[object]) -> yaml.Node:
    flat = all(isinstance(item, (str, int, float, bool)) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


_Dumper.add_representer(list, _list)

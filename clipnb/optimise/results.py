"""Results of a run on disk: the picture, and beside it YAML that makes it again, with notes as comments."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
import yaml

import clipnb
from clipnb.errors import printable
from clipnb.files import given_back, is_claimed, no_device, numbered, write_atomically
from clipnb.images import require_writable, write_image
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.image_paths import with_absolute_images
from clipnb.optimise.step import Step

RESULT = (".yaml",)
"""Ends of the names of what stands beside a picture."""


def save_result(run: Optimisation, step: Step, path: str | Path, seconds: float | None = None) -> Path:
    """Save the image of a step as `name.png`, and beside it the experiment as `name.yaml`.

    With the newest step of a run goes what its parameterisation offers: an index PNG of a palette's cells, strokes as
    SVG, a large picture by a network. Nothing is overwritten: when one of the names is taken, all become `name-1`,
    `name-2`, ... Each file is written whole or not at all.

    Args:
        run: the run that the step came from.
        step: any step of it.
        path: the wished name; the suffix is the picture's format, .png when there is none.
        seconds: time that the run took, for the notes.

    Returns:
        The picture's path.

    Raises:
        OutputError: the place cannot be written to.
        ImageError: the suffix names no picture format.
    """
    ends = (*RESULT, *run.extra_files(step))
    picture = claim_names(Path(path), *ends)
    with given_back(*files_of(picture, ends)):
        write_result(run, step, picture, seconds)
    return picture


def write_result(run: Optimisation, step: Step, picture: Path, seconds: float | None = None) -> None:
    """Save a step under a path that `save_result` returned, over an earlier one of the same run."""
    write_image(step.image, picture)
    for end, make in run.extra_files(step).items():
        with write_atomically(picture.with_name(picture.stem + end)) as temporary:
            temporary.write_bytes(make())
    with write_atomically(picture.with_suffix(".yaml")) as temporary:
        temporary.write_text(describe(run, step, seconds), encoding="utf-8")


def describe(run: Optimisation, step: Step, seconds: float | None = None) -> str:
    """Return the experiment as YAML with all defaults and the seed, and how it went as comments."""
    notes = (" ".join(printable(line).split()) for line in _notes(run, step, seconds))  # a name may hold a line break
    experiment = with_absolute_images({**run.config.as_dict(), "seed": run.seed})
    return "".join(f"# {line}\n" for line in notes) + to_yaml(experiment)


def dump(config: ExperimentConfig) -> str:
    """Return an experiment as YAML with all defaults."""
    return to_yaml(config.as_dict())


def to_yaml(plain: Mapping[str, object]) -> str:
    """Return a map as YAML in the order of its keys, lists of plain values on one line."""
    text: str = yaml.dump(dict(plain), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def check_place(path: Path) -> None:
    """Try to save a picture of one pixel where a long run is going to end; nothing of it is left."""
    picture = claim_names(path, *RESULT)
    try:
        write_image(torch.zeros(3, 1, 1), picture)
    finally:
        for file in files_of(picture, RESULT):
            file.unlink(missing_ok=True)


def stem_for(text: str) -> str:
    """Return a file name without suffix for what a picture shows.

    >>> stem_for("A jellyfish, deep down!")
    'a-jellyfish-deep-down'
    """
    return no_device(re.sub(r"[^\w]+", "-", text.lower()).strip("-")[:60] or "picture")


def claim_names(path: Path, *ends: str, free: Sequence[str] = ()) -> Path:
    """Claim a picture's name so that neither it nor a file of these ends beside it is there yet; `name-1.png`, ...

    Args:
        path: the wished name.
        ends: what the names of the files beside it end with, behind its own.
        free: likewise of what must not be there either, and is made later.

    Raises:
        OutputError: the place cannot be written to.
        ImageError: the suffix names no picture format.
    """
    path = path if path.suffix or path.name in ("", "..") else path.with_suffix(".png")
    require_writable(path)
    return next(
        picture
        for picture in numbered(path)
        if not any(os.path.lexists(picture.with_name(picture.stem + end)) for end in free)
        and _are_claimed(files_of(picture, ends))
    )


def _are_claimed(files: Iterable[Path]) -> bool:
    with ExitStack() as undo:
        for file in files:
            if not is_claimed(file):
                return False
            undo.callback(file.unlink)
        undo.pop_all()
    return True


def files_of(picture: Path, ends: Iterable[str]) -> list[Path]:
    """Return a picture's path and those beside it, whose names end so instead of with its suffix."""
    return [picture, *(picture.with_name(picture.stem + end) for end in ends)]


def _notes(run: Optimisation, step: Step, seconds: float | None) -> Iterator[str]:
    yield f"clipnb {clipnb.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    yield f"steps: {step.index + 1} of {step.total}"
    yield f"models: {', '.join(f'{name} ({digest})' for name, digest in run.models().items()) or 'none'}"
    yield f"device: {run.device}"
    if seconds is not None:
        yield f"seconds: {seconds:.1f}"
    if left_out := run.left_out():
        yield left_out
    yield f"loss: {step.statistics.loss}"
    yield from step.statistics.in_words(most=1000)


class _Dumper(yaml.SafeDumper):
    """Writes lists of plain values on one line, and rare line breaks in texts by their escapes."""


def _list(dumper: _Dumper, items: list[object]) -> yaml.Node:
    flat = all(isinstance(item, (str, int, float, bool)) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = '"' if {"\x85", "\u2028", "\u2029"} & set(text) else None  # as themselves they are read as blanks
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(list, _list)
_Dumper.add_representer(str, _text)

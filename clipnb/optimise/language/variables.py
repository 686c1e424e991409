"""The variables of expressions: their names, in the groups that the language documents, and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Variable(NamedTuple):
    """A name that expressions may use: the full one, the short one or "", its group, and what it holds."""

    name: str
    alias: str
    group: str
    text: str


VARIABLES = (
    Variable("epoch", "", "time", "number of the step, from 0"),
    Variable("time", "t", "time", "epoch / max(1, epochs - 1), from 0 to 1"),
    *(Variable(f"time{n}", f"t{n}", "time", f"time to the power of {n}") for n in range(2, 6)),
    Variable("time_inverse", "ti", "time", "1 - time, from 1 to 0"),
    *(Variable(f"time_inverse{n}", f"ti{n}", "time", f"1 - time, to the power of {n}") for n in range(2, 6)),
    Variable("time_step", "ts", "time", "time_step(a, b): 0 to 1 while time goes a to b; 1 to 0 when b < a"),
    Variable("frame", "", "time", "number of the frame of a film, from 0; in a film epoch and time count in its frame"),
    Variable("film_time", "ft", "time", "frame / max(1, number of frames - 1), from 0 to 1"),
    Variable("resolution", "res", "resolution", "[width, height] of the picture in pixels"),
    Variable("width", "", "resolution", "width of the picture in pixels"),
    Variable("height", "", "resolution", "height of the picture in pixels"),
    Variable("learnrate", "lr", "learnrate", "current value of learnrate"),
    Variable("learnrate_scale", "lrs", "learnrate", "current value of learnrate_scale"),
    Variable("similarity", "sim", "similarity", "cosine similarity x 100, from -100 to 100"),
)
NONE: tuple[str, ...] = ()
TIME = ("time",)
IMAGE = ("time", "resolution")
TARGET = ("time", "resolution", "learnrate")
SIMILARITY = ("time", "resolution", "learnrate", "similarity")

_ALIASES = {variable.name: variable.alias for variable in VARIABLES if variable.alias}


def names_of(*groups: str) -> frozenset[str]:
    """Return the names and aliases of some groups.

    >>> sorted(names_of("learnrate"))
    ['learnrate', 'learnrate_scale', 'lr', 'lrs']
    """
    return frozenset(name for v in VARIABLES if v.group in groups for name in (v.name, v.alias) if name)


ALL_NAMES = names_of(*SIMILARITY)


def with_aliases(values: Mapping[str, Any]) -> dict[str, Any]:
    """Add the values under the short names."""
    return {**values, **{_ALIASES[name]: value for name, value in values.items() if name in _ALIASES}}


def time_values(epoch: int, epochs: int, frame: int = 0, frames: int = 1) -> dict[str, Any]:
    """Return the variables of the group "time" at a step.

    Args:
        epoch: number of the step, from 0.
        epochs: how many steps the run has.
        frame: number of the frame of a film, from 0.
        frames: how many frames the film has.
    """
    time = epoch / max(1, epochs - 1)

    def time_step(begin: float, end: float) -> float:
        if begin == end:
            return float(time >= end)
        return min(1.0, max(0.0, (time - begin) / (end - begin)))

    powers = {f"time{n}": time**n for n in range(2, 6)} | {f"time_inverse{n}": (1 - time) ** n for n in range(2, 6)}
    film = {"frame": frame, "film_time": frame / max(1, frames - 1)}
    return {"epoch": epoch, "time": time, "time_inverse": 1 - time, "time_step": time_step, **powers, **film}


def resolution_values(size: tuple[int, int]) -> dict[str, Any]:
    """Return the variables of the group "resolution" for a height and width in pixels."""
    height, width = size
    return {"resolution": [width, height], "width": width, "height": height}

"""The names that expressions may use, in the groups that the language documents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """A name that expressions may use.

    Attributes:
        name: the full name.
        alias: the short one, or "".
        group: "time", "resolution", "learnrate" or "similarity".
        text: what it holds, for the reference.
    """

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
    Variable("resolution", "res", "resolution", "[width, height] of the picture in pixels"),
    Variable("width", "", "resolution", "width of the picture in pixels"),
    Variable("height", "", "resolution", "height of the picture in pixels"),
    Variable("learnrate", "lr", "learnrate", "current value of learnrate"),
    Variable("learnrate_scale", "lrs", "learnrate", "current value of learnrate_scale"),
    Variable("similarity", "sim", "similarity", "cosine similarity x 100, from -100 to 100"),
)
ALL_NAMES = frozenset(name for variable in VARIABLES for name in (variable.name, variable.alias) if name)
ALIASES = {variable.name: variable.alias for variable in VARIABLES if variable.alias}


def names_of(*groups: str) -> frozenset[str]:
    """Collect the names and aliases of some groups.

    >>> sorted(names_of("learnrate"))
    ['learnrate', 'learnrate_scale', 'lr', 'lrs']
    """
    chosen = [variable for variable in VARIABLES if variable.group in groups]
    return frozenset(name for variable in chosen for name in (variable.name, variable.alias) if name)


NONE: tuple[str, ...] = ()
TIME = ("time",)
PICTURE = ("time", "resolution")
TARGET = ("time", "resolution", "learnrate")
SIMILARITY = ("time", "resolution", "learnrate", "similarity")

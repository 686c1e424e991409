"""What an expression of an experiment comes to: its value in a step, and its curve over the run."""

from __future__ import annotations

from typing import NamedTuple

import torch

from clipnb.errors import ConfigError, shortened
from clipnb.optimise.film.plan import total_steps
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import Expression, ExpressionError
from clipnb.optimise.language.manual.outline import number_field
from clipnb.optimise.language.numbers import Numbers
from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.language.variables import names_of
from clipnb.optimise.step import rates, step_scope

MAX_POINTS = 121  # of a curve
_MAX_CURVES = 4
_SHOWN = 80  # characters of an expression in words
_UNKNOWN = names_of("similarity")
_CPU = torch.device("cpu")


class Preview(NamedTuple):
    """What an expression comes to.

    Attributes:
        words: its value in the present step.
        steps: numbers of steps of the run, from 0, rising; empty where there is no curve, or none is wished.
        curves: for each number of a list its value in those steps.
        now: number of the present step.
    """

    words: str
    steps: list[int]
    curves: list[list[float]]
    now: int


def preview(
    config: ExperimentConfig, level: str, key: str, source: str, index: int | None, *, draws: bool = True
) -> Preview | None:
    """Compute what an expression behind a key comes to; None where there is none.

    Args:
        config: whose resolution, rates and seed it sees.
        level: the keys above, such as "targets[]".
        key: behind which it stands.
        source: one number, or several as the key takes them.
        index: number of the present step, from 0; None before a run.
        draws: whether a curve is wished.

    >>> preview(ExperimentConfig(epochs=11), "", "learnrate", "1 - .5 * t", 4).words
    '1 - .5 * t is 0.8 now, in step 5 of 11'
    """
    field = number_field(level, key)
    if field is None:
        return None
    try:
        parsed = field.parse(source)
    except ValueError:
        return None  # the mistake is told where it stands
    numbers: Numbers = parsed if isinstance(parsed, tuple) else () if parsed is None else (parsed,)
    shown = shortened(source.strip(), _SHOWN)
    used = frozenset[str]().union(*(number.names for number in numbers if isinstance(number, Expression)))
    if used & _UNKNOWN:
        return Preview(f"{shown} depends on the similarity of each view", [], [], 0)
    if not used:
        return None
    total = max(1, total_steps(config))
    now = min(index or 0, total - 1)
    steps = (
        sorted({round(step * (total - 1) / (MAX_POINTS - 1)) for step in range(MAX_POINTS)} | {now}) if draws else []
    )
    randomness = Randomness(config.seed or 0, _CPU)  # draws of its own
    try:
        values = " ".join(f"{value:.3g}" for value in _distinct(_values(config, numbers, now, randomness)))
        curves = [_values(config, numbers, step, randomness) for step in steps]
    except (ConfigError, ExpressionError) as error:
        return Preview(str(error), [], [], now)
    when = "in the first step" if index is None else f"now, in step {now + 1} of {total}"
    drawn = " in one of many draws" if any(isinstance(n, Expression) and n.is_random for n in numbers) else ""
    lines = list(dict.fromkeys(zip(*curves, strict=True)))[:_MAX_CURVES]
    return Preview(f"{shown} is {values} {when}{drawn}", steps, [list(line) for line in lines], now)


def _values(config: ExperimentConfig, numbers: Numbers, index: int, randomness: Randomness) -> tuple[float, ...]:
    """Evaluate numbers as a run does in a step."""
    scope, _ = step_scope(config, index, randomness, _CPU)
    rate, scale = rates(config, scope)
    return tuple(scope.extended({"learnrate": rate, "learnrate_scale": scale}).numbers(numbers))


def _distinct(values: tuple[float, ...]) -> tuple[float, ...]:
    """Return one value where all are the same: one was given for all."""
    return values[:1] if len(set(values)) == 1 else values

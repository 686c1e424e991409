"""Whether anything in an experiment can ever count: else a run ends well and saves the noise that it began with."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from typing import Any

from clipnb.errors import ConfigError, listed
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.mistakes import shown
from clipnb.optimise.language.target import TargetConfig

Span = tuple[float, float]


def require_experiment(given: object) -> None:
    """Raise `ConfigError` for what is given as an experiment and is none, such as a text or a dict."""
    if not isinstance(given, ExperimentConfig):
        raise ConfigError(
            f"an experiment is an ExperimentConfig, not {shown(given)}; ExperimentConfig.from_text makes one of a "
            "text, from_dict of a dict, from_files of YAML files"
        )


def require_reach(config: ExperimentConfig) -> None:
    """Refuse an experiment whose picture cannot change.

    Raises:
        ConfigError: no target counts in any step, and no post-processing does; each says why.
    """
    steps = (config.start_epoch, config.epochs - 1)
    if steps[0] > steps[1]:
        return  # no step at all was asked for
    if any(part.active and _meets(_span(part, config), steps) for part in config.postproc):
        return
    problems = []
    for number, target in enumerate(config.targets):
        reasons = list(_problems(target, config, steps))
        if not reasons:
            return
        problems.append(f"targets[{number}] ({target.name}) {listed(reasons, most=3)}")
    problem = listed(problems, between="; ") or "there are no targets"
    raise ConfigError(
        f"nothing in this experiment can change the picture: {problem}. Give a target with a text, such as "
        "targets: [{features: [a lighthouse]}]"
    )


def _problems(target: TargetConfig, config: ExperimentConfig, steps: Span) -> Iterator[str]:
    """Yield why a target never counts; nothing where it may."""
    span = _both(_span(target, config), steps)
    if not target.active:
        yield "is not active"
    elif target.weight == 0:
        yield "has weight 0"
    elif span[0] > span[1]:
        yield _never(target, config)
    elif not target.features and not target.constraints:
        yield "has no features"
    else:
        parts: list[tuple[str, Any]] = [(f"features[{n}]", feature) for n, feature in enumerate(target.features)]
        parts += [(constraint.name, constraint) for constraint in target.constraints]
        reasons = [
            f"its {name} {'has weight 0' if part.weight == 0 else _never(part, config)}"
            for name, part in parts
            if part.weight == 0 or not _meets(_span(part, config), span)
        ]
        if len(reasons) == len(parts):
            yield from reasons


def _never(part: Any, config: ExperimentConfig) -> str:
    return f"counts in no step from start {part.start} to end {part.end} (of {config.epochs})"


def _span(part: Any, config: ExperimentConfig) -> Span:
    """Return the first and the last step of a part, both included, as `is_active` has it."""
    last = max(1, config.epochs - 1)
    start, end = part.start, part.end
    if isinstance(start, float):
        near = ceil(start * last)  # up to rounding
        start = next(step for step in (near - 1, near, near + 1) if step / last >= part.start)
    if isinstance(end, float):
        near = floor(end * last)
        end = next(step for step in (near + 1, near, near - 1) if step / last <= part.end)
    return start, end


def _both(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _meets(one: Span, other: Span) -> bool:
    first, last = _both(one, other)
    return first <= last

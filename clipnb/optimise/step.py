"""One step of a run: what holds in it, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from clipnb.optimise.film.plan import moment_of
from clipnb.optimise.image_state import bounded_size
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import ExpressionError
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.language.variables import resolution_values
from clipnb.optimise.statistics import Statistics

_MAX_RATE = 1e30  # of learning; times any base rate it is still a float32


@dataclass(frozen=True)
class Step:
    """The state of an optimisation after a step.

    Attributes:
        index: number of the step, from 0.
        total: number of steps of the run.
        image: float [3, H, W], RGB in [0, 1], detached, on the device of the run.
        loss: the loss that was minimised in this step.
        similarities: mean cosine over the views for each active text or image, in [-1, 1]; measured just before the
            image changed.
        learnrate: factor on the optimiser's base rate.
        statistics: of targets, features and constraints so far.
        frame: number of the frame of a film, from 0, that is whole with this step; None in between, and without a film.
    """

    index: int
    total: int
    image: Tensor = field(repr=False)
    loss: float
    similarities: Mapping[str, float]
    learnrate: float = field(repr=False)
    statistics: Statistics = field(repr=False)
    frame: int | None = None

    @property
    def is_last(self) -> bool:
        """Whether the run ends with this step."""
        return self.index + 1 >= self.total


def step_scope(
    config: ExperimentConfig, index: int, randomness: Randomness, device: torch.device
) -> tuple[Scope, tuple[int, int]]:
    """Return the scope of a step, and the height and width that the image has in it."""
    scope = Scope(moment_of(config, index).variables(), randomness, device)
    size = bounded_size(scope, config.resolution, "resolution")
    return scope.extended(resolution_values(size), tiles=config.tile), size


def rates(config: ExperimentConfig, scope: Scope) -> tuple[float, float]:
    """Evaluate `learnrate` and `learnrate_scale`."""
    rate, scale = scope.number(config.learnrate), scope.number(config.learnrate_scale)
    if abs(rate * scale) > _MAX_RATE:
        raise ExpressionError(f"learnrate x learnrate_scale is {rate * scale:g}; at most {_MAX_RATE:g}")
    return rate, scale

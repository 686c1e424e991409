"""Names of optimisers -> torch's, with base rates that make `learnrate: 1` sensible for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import Parameter


@dataclass(frozen=True)
class OptimiserKind:
    """An optimiser and its base rate.

    Attributes:
        rate: what a learning rate of 1 means.
        build: from parameters and a rate to torch's optimiser.
    """

    rate: float
    build: Callable[..., torch.optim.Optimizer]


def _rmsprop(parameters: Iterable[Parameter], lr: float) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(parameters, lr=lr, centered=True, momentum=0.1)


def _sparse_adam(parameters: Iterable[Parameter], lr: float) -> torch.optim.Optimizer:
    # What CLIPig's files get under this name; torch's SparseAdam takes no dense gradients.
    return torch.optim.RMSprop(parameters, lr=lr)


OPTIMISERS: dict[str, OptimiserKind] = {
    "adam": OptimiserKind(0.01, torch.optim.Adam),
    "sgd": OptimiserKind(10.0, torch.optim.SGD),
    "sparse_adam": OptimiserKind(0.01, _sparse_adam),
    "adadelta": OptimiserKind(20.0, torch.optim.Adadelta),
    "rmsprob": OptimiserKind(0.003, _rmsprop),
    "rmsprop": OptimiserKind(0.003, _rmsprop),
}


def build_optimiser(name: str, parameters: Iterable[Parameter]) -> torch.optim.Optimizer:
    """Make an optimiser by its name in YAML, at its base rate."""
    kind = OPTIMISERS[name]
    optimiser: Any = kind.build(parameters, lr=kind.rate)
    return optimiser  # type: ignore[no-any-return]

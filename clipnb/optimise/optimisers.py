"""Optimisers by their names in YAML, with base rates that make `learnrate: 1` sensible for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple


class Optimiser(NamedTuple):
    """An optimiser of torch.

    Attributes:
        rate: learning rate that `learnrate: 1` stands for.
        kind: its class in `torch.optim`.
        options: further arguments of the class.
    """

    rate: float
    kind: str
    options: Mapping[str, object] = {}


_RMSPROP = Optimiser(0.003, "RMSprop", {"centered": True, "momentum": 0.1})
OPTIMISERS = {
    "adam": Optimiser(0.01, "Adam"),
    "sgd": Optimiser(10.0, "SGD"),
    "sparse_adam": Optimiser(0.01, "RMSprop"),  # as in CLIPig; torch's SparseAdam takes no dense gradients
    "adadelta": Optimiser(20.0, "Adadelta"),
    "rmsprob": _RMSPROP,  # CLIPig's spelling
    "rmsprop": _RMSPROP,
}

if TYPE_CHECKING:
    OptimiserName = str
else:
    OptimiserName = Literal[tuple(OPTIMISERS)]

"""What a running optimisation tells after every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from clipnb.optimise.statistics import Statistics


@dataclass(frozen=True)
class Step:
    """The state of an optimisation after a step.

    Attributes:
        index: number of the step, from 0.
        total: how many steps the run has.
        image: float [3, H, W], RGB in [0, 1], detached, on the device of the run.
        loss: what was minimised in this step.
        similarities: for each active text or image the mean cosine over the views, in [-1, 1]; measured just
            before the picture changed.
        learnrate: what the optimiser's base rate was multiplied by.
        statistics: of targets, features and constraints so far.
    """

    index: int
    total: int
    image: Tensor = field(repr=False)
    loss: float
    similarities: Mapping[str, float]
    learnrate: float = field(repr=False)
    statistics: Statistics = field(repr=False)

    @property
    def is_last(self) -> bool:
        """Whether the run ends with this step."""
        return self.index + 1 >= self.total

"""Constraints: losses on the pixels of the views, besides the similarity. Each is one class in one registry."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, PlainSerializer, model_validator
from torch import Tensor

from clipnb.optimise.language.components import PartsField, ScheduledPart
from clipnb.optimise.language.numbers import Number, NumberField, Numbers, plain, require_rising
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.language.variables import SIMILARITY
from clipnb.optimise.transforms.base import MAX_SIDE
from clipnb.optimise.transforms.filters import blurred, paint_border

CONSTRAINTS: dict[str, type[Constraint]] = {}
"""All constraints by their names in YAML; a subclass of `Constraint` with a `name` enters by itself."""

Colour = Annotated[Numbers, NumberField(float, (3,), SIMILARITY)]
Threshold = Annotated[Numbers | None, NumberField(float, (3,), SIMILARITY, least=0, most=1, optional=True)]
Extent = Annotated[Numbers, NumberField(int, (2,), SIMILARITY, least=0)]
Fill = Annotated[Numbers, NumberField(float, (3,), SIMILARITY, least=0, most=1)]
Window = Annotated[
    Numbers,
    NumberField(int, (2,), SIMILARITY, most=MAX_SIDE),
    Field(description="width height of the window in pixels; made odd and at least 1"),
]
Sigma = Annotated[
    Numbers | None,
    NumberField(float, (2,), SIMILARITY, least=0, optional=True),
    Field(description="standard deviation of the blur in x and y, in pixels"),
]
Weight = Annotated[Number, NumberField(float, (0,), SIMILARITY), PlainSerializer(plain)]


class Constraint(ScheduledPart):
    """A loss on views [B, 3, H, W].

    Attributes:
        factor: on the mean absolute or squared difference.
    """

    registry = CONSTRAINTS
    outer = frozenset({"weight", "loss", "start", "end"})
    factor: ClassVar[float] = 100.0

    weight: Weight = Field(1.0, description="factor on the loss")
    loss: Literal["l1", "mae", "l2", "mse"] = Field("l2", description="absolute or squared difference")

    @abstractmethod
    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """Compute what should be 0.

        Args:
            views: float [B, 3, H, W].
            scope: of B views; it knows their similarities.

        Returns:
            float [B, ...].
        """

    def losses(self, views: Tensor, scope: Scope) -> Tensor:
        """Compute the loss of every view, without the weight; float [B]."""
        differences = self.differences(views, scope).flatten(1)
        power = differences.abs() if self.loss in ("l1", "mae") else differences.square()
        return self.factor * power.mean(1)


class _OneSided(Constraint):
    """A measured value of each channel that should be above or below thresholds; no loss on the right side."""

    above: Threshold = Field(None, description="it should be above this, for red, green and blue")
    below: Threshold = Field(None, description="it should be below this, for red, green and blue")

    @model_validator(mode="after")
    def _one_of_both(self) -> _OneSided:
        if not self._sides:
            raise ValueError(f"{self.name} needs 'above' or 'below' or both")
        require_rising(self.above, self.below, "nothing is above 'above' and below 'below'")
        return self

    @property
    def _sides(self) -> list[tuple[Numbers, float]]:
        sides = ((self.above, 1.0), (self.below, -1.0))
        return [(threshold, sign) for threshold, sign in sides if threshold is not None]

    @abstractmethod
    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Measure each channel of each view; float [B, 3]."""

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """Compute what is missing on each side; float [B, sides, 3]."""
        measured = self.measure(views, scope)
        return torch.stack([(sign * (scope.per_view(t) - measured)).clamp(min=0) for t, sign in self._sides], 1)

    def losses(self, views: Tensor, scope: Scope) -> Tensor:
        """Add the losses of both sides; float [B]."""
        return len(self._sides) * super().losses(views, scope)


class MeanConstraint(_OneSided):
    """Keeps the mean of each channel above or below a threshold."""

    name = "mean"
    example: ClassVar[object] = {"above": ".7 .5 .3", "weight": 20}

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        del scope
        return views.mean((-2, -1))


class StdConstraint(_OneSided):
    """Keeps the standard deviation of each channel above or below a threshold."""

    name = "std"
    example: ClassVar[object] = {"below": 0.1, "weight": 20}

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        del scope
        # a small constant keeps the gradient finite where all pixels are equal
        return (views.var((-2, -1), correction=0) + 1e-8).sqrt()


class SaturationConstraint(_OneSided):
    """Keeps the mean distance of each channel to the grey value above or below a threshold."""

    name = "saturation"
    example: ClassVar[object] = {"above": 0.2, "weight": 20}

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        del scope
        return (views - views.mean(1, keepdim=True)).abs().mean((-2, -1))


class ContrastConstraint(_OneSided):
    """Keeps the distance between bright and dark pixels of each channel above or below a threshold."""

    name = "contrast"
    example: ClassVar[object] = {"above": 0.7, "weight": 20}
    factor = 1.0

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Mean of the pixels above the channel's mean, minus mean of those below."""
        del scope
        mean = views.mean((-2, -1), keepdim=True)
        return _masked_mean(views, views > mean, mean) - _masked_mean(views, views < mean, mean)


class EdgeMeanConstraint(_OneSided):
    """Keeps the mean strength of edges, |view - its blurred self|, above or below a threshold."""

    name = "edge_mean"
    example: ClassVar[object] = {"above": 0.06, "weight": 20}
    kernel_size: Window = (3, 3)
    sigma: Sigma = None

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        return (views - blurred(views, self.kernel_size, self.sigma, scope)).abs().mean((-2, -1))


class BlurConstraint(Constraint):
    """Pulls the picture towards its blurred self."""

    name = "blur"
    example: ClassVar[object] = {"kernel_size": 9, "sigma": 3}
    kernel_size: Window = (3, 3)
    sigma: Sigma = None

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        return views - blurred(views, self.kernel_size, self.sigma, scope)


class BorderConstraint(Constraint):
    """Pulls the edge of the picture towards a painted frame."""

    name = "border"
    example: ClassVar[object] = {"size": "8 8", "color": "1 .8 0"}
    size: Extent = Field(
        (1, 1), description="width of the left and right, height of the upper and lower part, in pixels"
    )
    color: Fill = Field((0.0, 0.0, 0.0), description="red, green, blue in [0, 1]")

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        return views - paint_border(views, scope.integers(self.size), scope.colours(self.color))


class NoiseConstraint(Constraint):
    """Pulls the picture towards itself plus noise."""

    name = "noise"
    example: ClassVar[object] = {"std": 0.2}
    std: Annotated[Numbers, NumberField(float, (3,), SIMILARITY, least=0)] = Field(
        (0.1, 0.1, 0.1), description="standard deviation of red, green and blue; 1 is full intensity"
    )

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        noise = scope.randomness.normal(*views.shape) * scope.colours(self.std)
        return views - (views.detach() + noise)


class NormalizeConstraint(Constraint):
    """Pulls the picture towards itself stretched to a range."""

    name = "normalize"
    example: ClassVar[object] = {"min": 0.4, "max": 0.6}
    factor = 10.0
    min: Colour = Field((0.0, 0.0, 0.0), description="wanted smallest value of red, green and blue")
    max: Colour = Field((1.0, 1.0, 1.0), description="wanted largest value of red, green and blue")

    @model_validator(mode="after")
    def _rising(self) -> NormalizeConstraint:
        require_rising(self.min, self.max, "min and max are the wrong way round")
        return self

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        low, high = views.amin((-2, -1), keepdim=True), views.amax((-2, -1), keepdim=True)
        wanted_low, wanted_high = scope.colours(self.min), scope.colours(self.max)
        share = (views - low) / (high - low).clamp(min=1e-3)
        return views - (wanted_low + share * (wanted_high - wanted_low))


class TvConstraint(Constraint):
    """Makes neighbours to the right and below alike (total variation); `tv: .1` has the weight .1."""

    name = "tv"
    example: ClassVar[object] = {}
    outer = Constraint.outer - {"weight"}  # which takes a plain value
    scale: Colour = Field((1.0, 1.0, 1.0), description="factor for red, green and blue")

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        scaled = views * scope.colours(self.scale)
        differences = torch.cat((scaled.diff(dim=-1).flatten(1), scaled.diff(dim=-2).flatten(1)), 1)
        return differences if differences.shape[1] else scaled.flatten(1) * 0  # a single pixel has no neighbour


Constraints = Annotated[tuple[Constraint, ...], PartsField(CONSTRAINTS, "constraint", Constraint)]


def _masked_mean(views: Tensor, mask: Tensor, otherwise: Tensor) -> Tensor:
    """Return the mean of each channel over a mask, or `otherwise` where the mask is empty; float [B, 3]."""
    count = mask.sum((-2, -1))
    mean = (views * mask).sum((-2, -1)) / count.clamp(min=1)
    return mean.where(count > 0, otherwise[..., 0, 0])

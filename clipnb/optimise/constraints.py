"""Constraints: losses on the pixels of the views, beside what the encoder says. Each is one class in one registry."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import BeforeValidator, Field, PlainSerializer, model_validator
from torch import Tensor

from clipnb.optimise.language import variables
from clipnb.optimise.language.components import Part, PartsField, register
from clipnb.optimise.language.frame_time import FrameTime, is_active
from clipnb.optimise.language.numbers import Number, NumberField, Numbers, in_small_letters, plain
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.transforms.filters import blur_parameters, gaussian_blur, paint_border

CONSTRAINTS: dict[str, type[Constraint]] = {}
"""All constraints by their names in YAML; a subclass of `Constraint` with a `name` enters by itself."""

Colour = Annotated[Numbers, NumberField(float, (3,), variables.SIMILARITY)]
OptionalColour = Annotated[Numbers | None, NumberField(float, (3,), variables.SIMILARITY, optional=True)]
OptionalPair = Annotated[Numbers | None, NumberField(float, (2,), variables.SIMILARITY, optional=True)]
Size = Annotated[Numbers, NumberField(int, (2,), variables.SIMILARITY)]
Weight = Annotated[Number, NumberField(float, (0,), variables.SIMILARITY), PlainSerializer(plain)]


class Constraint(Part):
    """A loss on views [B, 3, H, W]."""

    outer: ClassVar[frozenset[str]] = frozenset({"weight", "loss", "start", "end"})
    factor: ClassVar[float] = 100.0

    weight: Weight = Field(1.0, description="factor on the loss")
    loss: Annotated[Literal["l1", "mae", "l2", "mse"], BeforeValidator(in_small_letters)] = Field(
        "l2", description="absolute or squared difference"
    )
    start: FrameTime = Field(0, description="frame time it counts from")
    end: FrameTime = Field(1.0, description="frame time it counts to")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the registry."""
        del kwargs
        register(CONSTRAINTS, cls)

    @abstractmethod
    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """Tell what should be 0.

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

    def is_on(self, epoch: int, time: float) -> bool:
        """Tell whether it counts at a step."""
        return is_active(self.start, self.end, epoch, time)


class _OneSided(Constraint):
    """A measured value of each channel that should be above or below thresholds; no loss on the right side."""

    above: OptionalColour = Field(None, description="it should be above this, for red, green and blue")
    below: OptionalColour = Field(None, description="it should be below this, for red, green and blue")

    @model_validator(mode="after")
    def _one_of_both(self) -> _OneSided:
        if self.above is None and self.below is None:
            raise ValueError(f"{self.name} needs 'above' or 'below' or both")
        return self

    @abstractmethod
    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Measure each channel of each view; float [B, 3]."""

    def losses(self, views: Tensor, scope: Scope) -> Tensor:
        """Add the losses of both sides; float [B]."""
        measured = self.measure(views, scope)
        total = measured.new_zeros(len(views))
        for threshold, sign in ((self.above, 1.0), (self.below, -1.0)):
            if threshold is not None:
                missing = (sign * (scope.per_view(threshold) - measured)).clamp(min=0)
                power = missing if self.loss in ("l1", "mae") else missing.square()
                total = total + self.factor * power.mean(1)
        return total

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """Give the measured values."""
        return self.measure(views, scope)


class MeanConstraint(_OneSided):
    """Keeps the mean of each channel above or below a threshold."""

    name = "mean"
    example: ClassVar[object] = {"above": ".7 .5 .3", "weight": 20}

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Mean of the channel."""
        del scope
        return views.mean((-2, -1))


class StdConstraint(_OneSided):
    """Keeps the standard deviation of each channel above or below a threshold."""

    name = "std"
    example: ClassVar[object] = {"below": 0.1, "weight": 20}

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Standard deviation; a small constant keeps the gradient finite where all pixels are equal."""
        del scope
        return (views.var((-2, -1), correction=0) + 1e-8).sqrt()


class SaturationConstraint(_OneSided):
    """Keeps the mean distance of each channel to the grey value above or below a threshold."""

    name = "saturation"
    example: ClassVar[object] = {"above": 0.2, "weight": 20}

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Mean distance to the mean of the channels."""
        del scope
        return (views - views.mean(1, keepdim=True)).abs().mean((-2, -1))


class ContrastConstraint(_OneSided):
    """Keeps the distance between bright and dark pixels of each channel above or below a threshold."""

    name = "contrast"
    example: ClassVar[object] = {"above": 0.7, "weight": 20}
    factor: ClassVar[float] = 1.0

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Mean of the pixels above the channel's mean, minus mean of those below."""
        del scope
        mean = views.mean((-2, -1), keepdim=True)
        return _masked_mean(views, views > mean, mean) - _masked_mean(views, views < mean, mean)


class EdgeMeanConstraint(_OneSided):
    """Keeps the mean strength of edges above or below a threshold."""

    name = "edge_mean"
    example: ClassVar[object] = {"above": 0.06, "weight": 20}
    kernel_size: Size = Field((3, 3), description="width height of the window in pixels; made odd and at least 1")
    sigma: OptionalPair = Field(None, description="standard deviation of the blur in x and y, in pixels")

    def measure(self, views: Tensor, scope: Scope) -> Tensor:
        """Mean of |view - its blurred self|."""
        blurred = gaussian_blur(views, *blur_parameters(self.kernel_size, self.sigma, scope))
        return (views - blurred).abs().mean((-2, -1))


class BlurConstraint(Constraint):
    """Pulls the picture towards its blurred self."""

    name = "blur"
    example: ClassVar[object] = {"kernel_size": 9, "sigma": 3}
    kernel_size: Size = Field((3, 3), description="width height of the window in pixels; made odd and at least 1")
    sigma: OptionalPair = Field(None, description="standard deviation in x and y, in pixels")

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """View minus its blurred self."""
        return views - gaussian_blur(views, *blur_parameters(self.kernel_size, self.sigma, scope))


class BorderConstraint(Constraint):
    """Pulls the edge of the picture towards a painted frame."""

    name = "border"
    example: ClassVar[object] = {"size": "8 8", "color": "1 .8 0"}
    size: Size = Field((1, 1), description="width of the left and right, height of the upper and lower part, in pixels")
    color: Colour = Field((0.0, 0.0, 0.0), description="red, green, blue in [0, 1]")

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """View minus itself with the frame."""
        return views - paint_border(views, scope.integers(self.size), scope.colours(self.color))


class NoiseConstraint(Constraint):
    """Pulls the picture towards itself plus noise."""

    name = "noise"
    example: ClassVar[object] = {"std": 0.2}
    std: Colour = Field((0.1, 0.1, 0.1), description="standard deviation of red, green and blue; 1 is full intensity")

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """View minus a fixed noisy copy of itself."""
        noise = scope.randomness.normal(*views.shape) * scope.colours(self.std)
        return views - (views.detach() + noise)


class NormalizeConstraint(Constraint):
    """Pulls the picture towards itself stretched to a range."""

    name = "normalize"
    example: ClassVar[object] = {"min": 0.4, "max": 0.6}
    factor: ClassVar[float] = 10.0
    min: Colour = Field((0.0, 0.0, 0.0), description="wanted smallest value of red, green and blue")
    max: Colour = Field((1.0, 1.0, 1.0), description="wanted largest value of red, green and blue")

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """View minus its stretched self."""
        low, high = views.amin((-2, -1), keepdim=True), views.amax((-2, -1), keepdim=True)
        wanted_low, wanted_high = scope.colours(self.min), scope.colours(self.max)
        share = (views - low) / (high - low).clamp(min=1e-3)
        return views - (wanted_low + share * (wanted_high - wanted_low))


class TvConstraint(Constraint):
    """Makes neighbouring pixels alike (total variation)."""

    name = "tv"
    example: ClassVar[object] = {}
    scale: Colour = Field((1.0, 1.0, 1.0), description="factor for red, green and blue")

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        """Differences to the right and to the lower neighbour."""
        scaled = views * scope.colours(self.scale)
        across, down = scaled.diff(dim=-1).flatten(1), scaled.diff(dim=-2).flatten(1)
        return torch.cat((across, down), 1)


class _ConstraintsField(PartsField[Constraint]):
    """A list of constraints."""


Constraints = Annotated[tuple[Constraint, ...], _ConstraintsField(CONSTRAINTS, "constraint", Constraint)]


def _masked_mean(views: Tensor, mask: Tensor, otherwise: Tensor) -> Tensor:
    """Mean of each channel over a mask, or `otherwise` where the mask is empty; float [B, 3]."""
    count = mask.sum((-2, -1))
    mean = (views * mask).sum((-2, -1)) / count.clamp(min=1)
    return mean.where(count > 0, otherwise[..., 0, 0])

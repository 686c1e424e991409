"""Transforms of colour, pixel by pixel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.transforms.base import Amount, Fill, Real, Rgb, Transform

Factor = Annotated[Real, Field(description="0 is grey, 1 is unchanged")]


class Add(Transform):
    """Adds a colour to all pixels."""

    name = "add"
    example = ".3 0 -.1"
    color: Rgb

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return views + scope.colours(self.color)


class Mul(Transform):
    """Multiplies all pixels by a colour."""

    name = "mul"
    example = "1 .6 .3"
    color: Rgb

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return views * scope.colours(self.color)


class Mean(Transform):
    """Shifts each channel so that its mean becomes the given one."""

    name = "mean"
    example = "0.6 .4 .3"
    mean: Fill = Field(description="wanted mean of red, green and blue")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return views + (scope.colours(self.mean) - views.mean((-2, -1), keepdim=True))


class Clamp(Transform):
    """Clamps all values into a range."""

    name = "clamp"
    example = ".3 .7"
    range: Annotated[Numbers, NumberField(float, (2,), rising=True)] = Field(description="smallest and largest value")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        low, high = (min(1e30, max(-1e30, value)) for value in scope.numbers(self.range))  # what a float32 holds
        return views.clamp(low, high)


class Saturation(Transform):
    """Strengthens or weakens colours about the grey of each pixel."""

    name = "saturation"
    example = 2.5
    factor: Factor = (1.0,)

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return _about_mean(views, scope.colours(self.factor), 1)


class Contrast(Transform):
    """Strengthens or weakens the contrast about the mean grey."""

    name = "contrast"
    example = 2
    factor: Factor = (1.0,)

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return _about_mean(views, scope.colours(self.factor), (1, 2, 3))


class Quantize(Transform):
    """Floors values to multiples of a step; the gradient passes as if it were not there."""

    name = "quantize"
    example = 0.25
    step: Amount = Field(description="step of red, green and blue")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        step = scope.colours(self.step).clamp(min=1e-6)
        floored = (views / step).floor() * step
        return views + (floored - views).detach()


class ColorJitter(Transform):
    """Changes brightness, contrast and saturation of every view by its own random amounts."""

    name = "color_jitter"
    example = ".2 .5 .9"
    is_random = True
    amount: Amount = Field((0.1, 0.1, 0.1), description="largest change of brightness, contrast, saturation")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        brightness, contrast, saturation = (
            scope.uniform(-most, most).to(views.device)[:, None, None, None] for most in scope.numbers(self.amount)
        )
        return _about_mean(_about_mean(views + brightness, 1 + contrast, (1, 2, 3)), 1 + saturation, 1)


def _about_mean(views: Tensor, factor: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    mean = views.mean(axes, keepdim=True)
    return mean + (views - mean) * factor

"""Transforms of colour, pixel by pixel."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from clipnb.optimise.language.scope import Scope
from clipnb.optimise.transforms.base import Colour, Pair, Real, Transform


class Add(Transform):
    """Adds a colour to all pixels."""

    name = "add"
    example: ClassVar[object] = ".3 0 -.1"
    color: Colour = Field(description="red, green, blue")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Add."""
        return views + scope.colours(self.color)


class Mul(Transform):
    """Multiplies all pixels by a colour."""

    name = "mul"
    example: ClassVar[object] = "1 .6 .3"
    color: Colour = Field(description="red, green, blue")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Multiply."""
        return views * scope.colours(self.color)


class Mean(Transform):
    """Shifts each channel so that its mean becomes the given one."""

    name = "mean"
    example: ClassVar[object] = "0.6 .4 .3"
    mean: Colour = Field(description="wanted mean of red, green and blue")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Shift."""
        return views + (scope.colours(self.mean) - views.mean((-2, -1), keepdim=True))


class Clamp(Transform):
    """Clamps all values into a range."""

    name = "clamp"
    example: ClassVar[object] = ".3 .7"
    range: Pair = Field(description="smallest and largest value")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Clamp."""
        return views.clamp(*scope.numbers(self.range))


class Saturation(Transform):
    """Strengthens or weakens colours about the grey of each pixel."""

    name = "saturation"
    example: ClassVar[object] = 2.5
    factor: Real = Field((1.0,), description="0 is grey, 1 is unchanged")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Mix with the grey value, the mean of the channels."""
        grey = views.mean(1, keepdim=True)
        return grey + (views - grey) * scope.colours(self.factor)


class Contrast(Transform):
    """Strengthens or weakens the contrast about the mean grey."""

    name = "contrast"
    example: ClassVar[object] = 2
    factor: Real = Field((1.0,), description="0 is grey, 1 is unchanged")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Mix with the mean grey of each view."""
        grey = views.mean((1, 2, 3), keepdim=True)
        return grey + (views - grey) * scope.colours(self.factor)


class Quantize(Transform):
    """Floors values to multiples of a step; the gradient passes as if it were not there."""

    name = "quantize"
    example: ClassVar[object] = 0.25
    step: Colour = Field(description="step of red, green and blue")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Floor, with the gradient of the identity (straight through)."""
        step = scope.colours(self.step).clamp(min=1e-6)
        floored = (views / step).floor() * step
        return views + (floored - views).detach()


class ColorJitter(Transform):
    """Changes brightness, contrast and saturation of every view by its own random amounts."""

    name = "color_jitter"
    example: ClassVar[object] = ".2 .5 .9"
    is_random: ClassVar[bool] = True
    amount: Colour = Field((0.1, 0.1, 0.1), description="largest change of brightness, contrast, saturation")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Draw three amounts and apply them in that order."""
        brightness, contrast, saturation = (
            scope.uniform(-most, most).to(views.device)[:, None, None, None] for most in scope.numbers(self.amount)
        )
        views = views + brightness
        grey = views.mean((1, 2, 3), keepdim=True)
        views = torch.lerp(grey, views, 1 + contrast)
        grey = views.mean(1, keepdim=True)
        return torch.lerp(grey, views, 1 + saturation)

"""Transforms that add noise, drawn anew for every view."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.transforms.base import (
    Amount,
    Fill,
    Probability,
    Share,
    Sides,
    Strength,
    Transform,
    require_room,
    sides_of,
)

_SPECTRUM_FACTOR = 15.0  # makes the same std look about as strong as plain noise


class Noise(Transform):
    """Adds Gaussian noise."""

    name = "noise"
    example = 0.15
    is_random = True
    std: Strength

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return views + scope.randomness.normal(*views.shape) * scope.colours(self.std)


class BwNoise(Transform):
    """Adds Gaussian noise that is the same on all channels."""

    name = "bwnoise"
    example = 0.15
    is_random = True
    std: Annotated[Numbers, NumberField(float, (1,), least=0, most=100)] = Field(
        description="standard deviation; 1 is full intensity"
    )

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        count, _, height, width = views.shape
        return views + scope.randomness.normal(count, 1, height, width) * scope.colours(self.std)


class RNoise(Transform):
    """Adds Gaussian noise made at another size and scaled bilinearly to the picture's."""

    name = "rnoise"
    example: ClassVar[object] = {"std": 0.2, "resolution": "12 12"}
    is_random = True
    std: Amount = Field(description="standard deviation of red, green and blue, before scaling")
    resolution: Sides = Field((32, 32), description="width height of the noise in pixels")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        width, height = sides_of(self.resolution, scope)
        require_room(len(views), height, width)
        noise = scope.randomness.normal(len(views), 3, height, width)
        return views + F.interpolate(noise, views.shape[-2:], mode="bilinear") * scope.colours(self.std)


class FNoise(Transform):
    """Adds Gaussian noise to the spectrum of each channel's flattened pixels."""

    name = "fnoise"
    example = 1
    is_random = True
    std: Amount = Field(description="standard deviation of red, green and blue; x 15 on the spectrum")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        flat = views.flatten(2)
        spectrum = torch.fft.rfft(flat)
        noise = torch.view_as_complex(scope.randomness.normal(*spectrum.shape, 2))
        spectrum = spectrum + noise * (_SPECTRUM_FACTOR * scope.colours(self.std)[..., 0])
        noisy: Tensor = torch.fft.irfft(spectrum, n=flat.shape[-1])
        return noisy.view_as(views)


class RandomErase(Transform):
    """Paints a rectangle of random size over every view at a random place."""

    name = "random_erase"
    example = ".2 .6"
    is_random = True
    size: Share = Field((0.1, 0.4), description="smallest and largest side, as share of the size")
    probability: Probability = (1.0,)
    color: Fill = (0.5, 0.5, 0.5)

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        low, high = scope.numbers(self.size)
        probability = scope.numbers(self.probability)[0]
        height, width = views.shape[-2:]
        erased = torch.ones(len(views), 1, 1, dtype=torch.bool)
        for side, shape in ((width, (1, 1, -1)), (height, (1, -1, 1))):
            length = scope.uniform(low, high) * side
            first = scope.uniform(0, 1) * (side - length).clamp(min=0)
            points = torch.arange(side).view(shape)
            erased = erased & (points >= first[:, None, None]) & (points < (first + length)[:, None, None])
        erased = erased & (scope.uniform(0, 1) < probability)[:, None, None]
        return torch.where(erased[:, None].to(views.device), scope.colours(self.color), views)

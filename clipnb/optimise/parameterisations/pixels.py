"""Parameterisations: what the numbers are that gradient ascent changes, and how a picture is made of them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import torch
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from clipnb.optimise.language.components import Part, PartsField, register
from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.parameterisations.canvases import Canvas, PlaneCanvas, PyramidCanvas, SpectrumCanvas

PIXELS: dict[str, type[Pixels]] = {}
"""All parameterisations by their names in YAML; a subclass of `Pixels` with a `name` enters by itself."""

Rate = Annotated[float, NumberField(float, (0,), (), least=0, drawn=False)]
Decay = Annotated[float, NumberField(float, (0,), (), least=-10, most=10, drawn=False)]
Balance = Annotated[float, NumberField(float, (0,), (), least=0.01, most=100, drawn=False)]


class Pixels(Part):
    """The choice of a parameterisation.

    Attributes:
        step: factor on the learning rate.
    """

    outer: ClassVar[frozenset[str]] = frozenset()
    step: Rate = Field(1.0, description="factor on the learning rate")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the registry."""
        del kwargs
        register(PIXELS, cls)

    def build(self, size: tuple[int, int], device: torch.device) -> Canvas:
        """Make an empty canvas of a height and width in pixels."""
        raise NotImplementedError


class Rgb(Pixels):
    """Plain planes of red, green and blue, as CLIPig has."""

    name = "rgb"

    def build(self, size: tuple[int, int], device: torch.device) -> Canvas:
        """Make the planes."""
        return PlaneCanvas(size, self.step, device)


class Fourier(Pixels):
    """The spectrum, scaled by 1 / frequency, in decorrelated colours, through a sigmoid.

    After Olah et al., "Feature Visualization", Distill 2017: preconditioning by the statistics of photographs
    makes large smooth shapes as easy to change as fine detail.
    """

    name = "fourier"
    decay: Decay = Field(1.0, description="power of the frequency that a wave's share is divided by")

    def build(self, size: tuple[int, int], device: torch.device) -> Canvas:
        """Make the spectrum."""
        return SpectrumCanvas(size, self.step, self.decay, device)


class Pyramid(Pixels):
    """A sum of planes from 1 x 1 up to full size, in decorrelated colours, through a sigmoid."""

    name = "pyramid"
    balance: Balance = Field(0.9, description="how much less each finer plane moves than the next coarser one")

    def build(self, size: tuple[int, int], device: torch.device) -> Canvas:
        """Make the planes."""
        return PyramidCanvas(size, self.step, self.balance, device)


class _PixelsField(PartsField[Pixels]):
    """One parameterisation: its name, or a map from the name to its parameters."""

    def parse_one(self, raw: object) -> Pixels:
        """Read one.

        Raises:
            ValueError: it is not exactly one.
        """
        parts = self.parse([raw])
        if len(parts) != 1:
            raise ValueError("one parameterisation is needed")
        return parts[0]


_FIELD = _PixelsField(PIXELS, "parameterisation", Pixels)
PixelsChoice = Annotated[
    Pixels,
    BeforeValidator(_FIELD.parse_one),
    PlainSerializer(lambda pixels: pixels.as_yaml()),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]

"""Parameterisations: what gradient ascent changes, and how an image is made of it. Each has a file of its own."""

from __future__ import annotations

from clipnb.optimise.parameterisations import fourier, network, palette, pyramid, rgb, strokes
from clipnb.optimise.parameterisations.base import (
    PARAMETERISATIONS,
    AnyParameterisation,
    ImageParameters,
    Parameterisation,
)

__all__ = [
    "PARAMETERISATIONS",
    "AnyParameterisation",
    "ImageParameters",
    "Parameterisation",
    "fourier",
    "network",
    "palette",
    "pyramid",
    "rgb",
    "strokes",
]

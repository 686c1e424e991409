"""Transforms: what happens to the image before the encoder sees it. Each is one class in one registry."""

from __future__ import annotations

from clipnb.optimise.transforms import colour, filters, framing, geometry, noise, warps
from clipnb.optimise.transforms.base import TRANSFORMS, Postproc, Transform, Transforms
from clipnb.optimise.transforms.warps import apply_transforms

__all__ = [
    "TRANSFORMS",
    "Postproc",
    "Transform",
    "Transforms",
    "apply_transforms",
    "colour",
    "filters",
    "framing",
    "geometry",
    "noise",
    "warps",
]

"""A sum of planes of all sizes."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.parameterisations.base import ImageParameters, Parameterisation, SigmoidParameters


class Pyramid(Parameterisation):
    """A sum of planes from 1 x 1 up to full size, in decorrelated colours, through a sigmoid."""

    name = "pyramid"
    balance: Annotated[float, NumberField(float, (0,), (), least=0.01, most=100, drawn=False)] = Field(
        0.9, description="how much less each finer plane moves than the next coarser one"
    )

    def build(self, size: tuple[int, int], device: torch.device) -> ImageParameters:
        return PyramidParameters(size, self.step, self.balance, device)


class PyramidParameters(SigmoidParameters):
    """Planes, coarse to fine, each before it is multiplied by its share."""

    def __init__(self, size: tuple[int, int], step: float, balance: float, device: torch.device) -> None:
        super().__init__(size, 12.5 * step, device)
        sizes = [size]
        while max(sizes[0]) > 1:
            sizes.insert(0, ((sizes[0][0] + 1) // 2, (sizes[0][1] + 1) // 2))
        self.planes = nn.ParameterList([torch.zeros(3, *side, device=device) for side in sizes])
        shares = [balance**level for level in range(len(sizes))]
        self.shares = [share / sum(shares) for share in shares]

    def compose(self) -> Tensor:
        image: Tensor
        image, *finer = (plane * share for plane, share in zip(self.planes, self.shares, strict=True))
        for plane in finer:
            image = _enlarged(image, plane) + plane
        return image

    def decompose(self, colours: Tensor) -> None:
        """Set each plane to what the coarser ones leave over."""
        coarser: Tensor | None = None
        for plane, share in zip(self.planes, self.shares, strict=True):
            wanted = F.adaptive_avg_pool2d(colours, plane.shape[-2:])
            rest = wanted if coarser is None else wanted - _enlarged(coarser, plane)
            plane.copy_(rest / share)
            coarser = wanted


def _enlarged(image: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(image[None], like.shape[-2:], mode="bilinear", align_corners=False)[0]

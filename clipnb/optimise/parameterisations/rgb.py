"""Red, green and blue of every pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.parameterisations.base import ImageParameters, Parameterisation


class Rgb(Parameterisation):
    """Plain planes of red, green and blue, as CLIPig has."""

    name = "rgb"

    def build(self, size: tuple[int, int], device: torch.device) -> ImageParameters:
        return RgbParameters(size, self.step, device)


class RgbParameters(ImageParameters):
    def __init__(self, size: tuple[int, int], step: float, device: torch.device) -> None:
        super().__init__(size, step)
        self.planes = nn.Parameter(torch.full((3, *size), 0.5, device=device))

    def forward(self) -> Tensor:
        return self.planes.clamp(0, 1)

    @torch.no_grad()
    def assign(self, image: Tensor) -> None:
        self.planes.copy_(image)

    @torch.no_grad()
    def assign_noise(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        noise = randomness.normal(3, *self.size)
        self.assign((noise * std[:, None, None] + mean[:, None, None]).clamp(0, 1))

    @torch.no_grad()
    def project(self) -> None:
        self.planes.clamp_(0, 1)  # beyond the range there is no gradient that could bring a pixel back

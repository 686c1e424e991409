"""Waves, scaled by a power of their frequency."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.parameterisations.base import ImageParameters, Parameterisation, SigmoidParameters

# Shares of the decorrelated colours: brightness, blue to orange, green to magenta. With equal ones an optimiser moves
# a colour that nothing holds as far as the brightness: logits of thirty pictures deviated by 2.0, 3.3 and 4.0, those of
# photographs by 2.4, 2.0 and 1.5, and a violet haze was seen.
_SHARES = torch.tensor([1.0, 0.5, 0.3])


class Fourier(Parameterisation):
    """The spectrum, scaled by 1 / frequency, in decorrelated colours, through a sigmoid.

    After Olah et al., "Feature Visualization", Distill 2017: preconditioning by the statistics of photographs
    makes large smooth shapes as easy to change as fine detail.
    """

    name = "fourier"
    decay: Annotated[float, NumberField(float, (0,), (), least=-10, most=10, drawn=False)] = Field(
        1.0, description="power of the frequency that a wave's share is divided by"
    )

    def build(self, size: tuple[int, int], device: torch.device) -> ImageParameters:
        return FourierParameters(size, self.step, self.decay, device)


class FourierParameters(SigmoidParameters):
    """Real and imaginary part of each wave, before they are scaled."""

    scale: Tensor

    def __init__(self, size: tuple[int, int], step: float, decay: float, device: torch.device) -> None:
        super().__init__(size, 5.0 * step, device)
        shares = _SHARES.to(device)
        self.mix, self.unmix = self.mix * shares, self.unmix / shares[:, None]
        height, width = size
        down = torch.fft.fftfreq(height)[:, None]
        across = torch.fft.rfftfreq(width)[None]
        frequency = (down**2 + across**2).sqrt().clamp(min=1 / max(size))
        middle = 8 / max(size)  # waves of an eighth of the image move alike for every decay
        scale = 0.25 / middle * (frequency / middle) ** -decay
        self.register_buffer("scale", scale[None, ..., None].to(device))
        self.waves = nn.Parameter(torch.zeros(3, height, width // 2 + 1, 2, device=device))

    def compose(self) -> Tensor:
        spectrum = torch.view_as_complex(self.waves * self.scale)
        colours: Tensor = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        return colours

    def decompose(self, colours: Tensor) -> None:
        spectrum = torch.view_as_real(torch.fft.rfft2(colours, norm="ortho"))
        self.waves.copy_(spectrum / self.scale)

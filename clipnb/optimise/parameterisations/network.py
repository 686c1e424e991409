"""A small network from places to colours."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import pi, sqrt
from typing import Annotated, ClassVar

import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from clipnb.images import to_png
from clipnb.optimise.language import variables
from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.parameterisations.base import ImageParameters, SigmoidParameters
from clipnb.optimise.parameterisations.motion import Motion
from clipnb.optimise.parameterisations.sketched import Sketched

MOST_LARGE = 4096
"""Pixels of the longer side of a large picture."""
_LAYERS, _WIDTH = 4, 128
AT_ONCE = 65_536  # pixels: some 300 MiB with their gradients
_FIRST = 10.0  # how much slower the first layer, whose weights are frequencies, moves than the others
_FIT_STEPS, _FIT_PIXELS, _FIT_RATE = 200, 4096, 0.02
_PREVIEW = (64, 64)  # rows and columns of a picture by which the noise in the beginning is measured


class Network(Sketched):
    """A network of sines, from places to colours, which can be drawn at any size; a large picture is saved too.

    After Sitzmann et al., "Implicit Neural Representations with Periodic Activation Functions", 2020.
    """

    name = "network"
    takes_pictures: ClassVar[bool] = False
    detail: Annotated[float, NumberField(float, (0,), variables.NONE, 1, 100, drawn=False)] = Field(
        8.0, description="waves along the longer side that the first layer has at most, in the beginning"
    )
    large: Annotated[int, NumberField(int, (0,), variables.NONE, 0, MOST_LARGE, drawn=False)] = Field(
        1024, description="pixels of the longer side of a large picture that is saved too; 0: none"
    )

    def build(self, size: tuple[int, int], device: torch.device) -> ImageParameters:
        return NetworkParameters(size, self, device)


class NetworkParameters(SigmoidParameters):
    """Weights of four layers of 128 sines and of a linear one, in units of their spread in the beginning."""

    extent: Tensor

    def __init__(self, size: tuple[int, int], network: Network, device: torch.device) -> None:
        super().__init__(size, network.step, device)
        self._large = network.large
        self.register_buffer("extent", torch.tensor(size, device=device) / max(size))
        widths = [2, *[_WIDTH] * _LAYERS, 3]
        pairs = list(pairwise(widths))
        self._units = [pi * network.detail / _FIRST, *[sqrt(6 / _WIDTH)] * _LAYERS]
        self.weights = nn.ParameterList([torch.zeros(outputs, inputs, device=device) for inputs, outputs in pairs])
        self.biases = nn.ParameterList([torch.zeros(outputs, device=device) for _, outputs in pairs])
        self._begin(Randomness(0, device))

    def compose(self) -> Tensor:
        return self.drawn(self.size)

    def drawn(self, size: tuple[int, int]) -> Tensor:
        """Return the decorrelated colours of a picture of a height and width, float [3, H, W]."""
        parts = torch.split(self._places(size), AT_ONCE)
        if len(parts) > 1 and torch.is_grad_enabled():
            colours = [checkpoint(self.colours, part, use_reentrant=False) for part in parts]
        else:
            colours = [self.colours(part) for part in parts]
        return torch.cat(colours).T.reshape(3, *size)

    def colours(self, places: Tensor) -> Tensor:
        """Return decorrelated colours, float [N, 3], at places [N, 2] from -1 to 1 along the longer side."""
        values = places
        for weight, bias, unit in zip(self.weights, self.biases, self._units, strict=True):
            values = values if values is places else values.sin()
            values = F.linear(values, weight * unit, bias)
        return values

    def decompose(self, colours: Tensor) -> None:
        """Train the network to make these colours."""
        self._begin(Randomness(0, colours.device))
        wanted = colours.flatten(1).T.clamp(-4, 4)
        places = self._places(self.size)
        optimiser = torch.optim.Adam(self.parameters(), lr=_FIT_RATE)
        draws = torch.Generator().manual_seed(0)
        with torch.enable_grad():
            for step in range(_FIT_STEPS):
                optimiser.param_groups[0]["lr"] = _FIT_RATE * (1 - step / _FIT_STEPS)
                some = torch.randint(len(wanted), (min(len(wanted), _FIT_PIXELS),), generator=draws).to(colours.device)
                loss = F.mse_loss(self.colours(places[some]), wanted[some])
                optimiser.zero_grad()
                torch.autograd.backward(loss, inputs=list(self.parameters()))
                optimiser.step()
        optimiser.zero_grad()

    @torch.no_grad()
    def assign_noise(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        """Begin with weights at random, and scale and shift the last layer, which is linear."""
        self._begin(randomness)
        noise = torch.einsum("ij,jhw->ihw", self.mix, self.drawn(_PREVIEW))
        mean = mean.clamp(0.002, 0.998)
        scale = std / (mean * (1 - mean)) / noise.std((1, 2), correction=0).clamp(min=1e-6)
        shift = mean.logit() - scale * noise.mean((1, 2))
        change = self.unmix @ scale.diag() @ self.mix
        self.weights[-1].copy_(change @ self.weights[-1])
        self.biases[-1].copy_(change @ self.biases[-1] + self.unmix @ shift)

    def resize(self, size: tuple[int, int]) -> bool:
        self.size = size
        return True

    @torch.no_grad()
    def move(self, motion: Motion, randomness: Randomness) -> bool:
        """Move the places that the network is asked at: nothing is lost, and what comes into view is there already."""
        del randomness
        back = motion.back.to(self.extent).flip(0, 1)  # of places y, x
        turned = self.weights[0] @ back
        offset = 2 * self.extent * self.extent.new_tensor((motion.down, motion.right))
        self.biases[0] -= self._units[0] * (turned @ offset)
        self.weights[0].copy_(turned)
        return True

    def extra_files(self) -> dict[str, Callable[[], bytes]]:
        return {"-large.png": self._large_picture} if self._large else {}

    @torch.no_grad()
    def _large_picture(self) -> bytes:
        height, width = (max(1, round(side * self._large / max(self.size))) for side in self.size)
        parts = torch.split(self._places((height, width)), AT_ONCE)
        pixels = [(self.colours(part) @ self.mix.T).sigmoid().mul(255).round().byte() for part in parts]
        return to_png(Image.fromarray(torch.cat(pixels).view(height, width, 3).cpu().numpy()))

    def _places(self, size: tuple[int, int]) -> Tensor:
        """Return where pixels are, from -1 to 1 along the longer side: y and x, float [H * W, 2]."""
        down, across = ((2 * torch.arange(side, device=self.extent.device) + 1) / side - 1 for side in size)
        return torch.stack(torch.meshgrid(down, across, indexing="ij"), -1).view(-1, 2) * self.extent

    @torch.no_grad()
    def _begin(self, randomness: Randomness) -> None:
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            spread = _FIRST if number == 0 else 1.0
            weight.copy_((randomness.uniform(weight.numel(), -spread, spread)).view_as(weight))
            bias.copy_(randomness.uniform(len(bias), -pi, pi) * (number < _LAYERS))

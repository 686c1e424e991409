"""Canvases: the numbers of a picture that gradient ascent changes, and how they make it."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clipnb.optimise.language.scope import Randomness

_EDGE = 0.5 / 255  # values nearer to 0 or 1 are moved here before a logit
# Square root of the colour covariance of photographs (Olah et al., "Feature Visualization", Distill 2017, code lucid).
_COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])


class Canvas(nn.Module):
    """The numbers of one picture of a fixed size.

    Attributes:
        size: height and width in pixels.
        rate: what the optimiser's base rate is multiplied by, so that `learnrate: 1` is sensible.
    """

    def __init__(self, size: tuple[int, int], rate: float) -> None:
        super().__init__()
        self.size, self.rate = size, rate

    @abstractmethod
    def forward(self) -> Tensor:
        """Make the picture; float [3, H, W] in [0, 1], differentiable in the numbers."""

    @abstractmethod
    def assign(self, image: Tensor) -> None:
        """Take the numbers that make this picture, float [3, H, W] in [0, 1]."""

    @abstractmethod
    def start(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        """Begin with noise that suits the parameterisation.

        Args:
            mean: float [3] in [0, 1].
            std: float [3], standard deviation of the picture's channels.
            randomness: where the noise comes from.
        """

    def project(self) -> None:
        """Bring the numbers back to where they make sense, after a step."""
        return


class PlaneCanvas(Canvas):
    """Red, green and blue of every pixel."""

    def __init__(self, size: tuple[int, int], step: float, device: torch.device) -> None:
        super().__init__(size, step)
        self.planes = nn.Parameter(torch.full((3, *size), 0.5, device=device))

    def forward(self) -> Tensor:
        """Clamp the planes."""
        return self.planes.clamp(0, 1)

    @torch.no_grad()
    def assign(self, image: Tensor) -> None:
        """Copy the picture."""
        self.planes.copy_(image)

    @torch.no_grad()
    def start(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        """Begin with white noise."""
        noise = randomness.normal(3, *self.size)
        self.assign((noise * std[:, None, None] + mean[:, None, None]).clamp(0, 1))

    @torch.no_grad()
    def project(self) -> None:
        """Bring the planes back into [0, 1]."""
        self.planes.clamp_(0, 1)  # beyond the range there is no gradient that could bring a pixel back


class _Squashed(Canvas):
    """A canvas whose numbers make decorrelated colours that go through a sigmoid."""

    _mix: Tensor
    _unmix: Tensor

    def __init__(self, size: tuple[int, int], rate: float, device: torch.device) -> None:
        super().__init__(size, rate)
        mix = _COLOURS / _COLOURS.norm(dim=0).max()
        self.register_buffer("_mix", mix.to(device))
        self.register_buffer("_unmix", torch.linalg.inv(mix).to(device))

    @abstractmethod
    def compose(self) -> Tensor:
        """Make the decorrelated colours, float [3, H, W] about 0."""

    @abstractmethod
    def decompose(self, colours: Tensor) -> None:
        """Take the numbers that make these decorrelated colours."""

    def forward(self) -> Tensor:
        return torch.einsum("ij,jhw->ihw", self._mix, self.compose()).sigmoid()

    @torch.no_grad()
    def assign(self, image: Tensor) -> None:
        logits = image.clamp(_EDGE, 1 - _EDGE).logit()
        self.decompose(torch.einsum("ij,jhw->ihw", self._unmix, logits))

    @torch.no_grad()
    def start(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        for parameter in self.parameters():
            parameter.copy_(randomness.normal(*parameter.shape))
        noise = torch.einsum("ij,jhw->ihw", self._mix, self.compose())
        noise = noise - noise.mean((1, 2), keepdim=True)
        spread = noise.std((1, 2), keepdim=True, correction=0).clamp(min=1e-6)
        mean = mean.clamp(_EDGE, 1 - _EDGE)
        slope = mean * (1 - mean)  # of the sigmoid there: what std in logits becomes std in the picture
        logits = noise / spread * (std / slope)[:, None, None] + mean.logit()[:, None, None]
        self.assign(logits.sigmoid())


class SpectrumCanvas(_Squashed):
    """Waves, real and imaginary part, before they are scaled by a power of their frequency."""

    _scale: Tensor

    def __init__(self, size: tuple[int, int], step: float, decay: float, device: torch.device) -> None:
        super().__init__(size, 5.0 * step, device)
        height, width = size
        down = torch.fft.fftfreq(height)[:, None]
        across = torch.fft.rfftfreq(width)[None]
        frequency = (down**2 + across**2).sqrt().clamp(min=1 / max(size))
        middle = 8 / max(size)  # waves of an eighth of the picture move alike for every decay
        scale = 0.25 / middle * (frequency / middle) ** -decay
        self.register_buffer("_scale", scale[None, ..., None].to(device))
        self.waves = nn.Parameter(torch.zeros(3, height, width // 2 + 1, 2, device=device))

    def compose(self) -> Tensor:
        """Add up the waves."""
        spectrum = torch.view_as_complex(self.waves * self._scale)
        colours: Tensor = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        return colours

    def decompose(self, colours: Tensor) -> None:
        """Find the waves."""
        spectrum = torch.view_as_real(torch.fft.rfft2(colours, norm="ortho"))
        self.waves.copy_(spectrum / self._scale)


class PyramidCanvas(_Squashed):
    """Planes from 1 x 1 to full size, each before it is multiplied by its share."""

    def __init__(self, size: tuple[int, int], step: float, balance: float, device: torch.device) -> None:
        super().__init__(size, 12.5 * step, device)
        sizes = [size]
        while max(sizes[0]) > 1:
            sizes.insert(0, ((sizes[0][0] + 1) // 2, (sizes[0][1] + 1) // 2))
        self.planes = nn.ParameterList([torch.zeros(3, *side, device=device) for side in sizes])
        shares = [balance**level for level in range(len(sizes))]
        self._shares = [share / sum(shares) for share in shares]

    def compose(self) -> Tensor:
        """Enlarge and add the planes, coarse to fine."""
        picture: Tensor | None = None
        for plane, share in zip(self.planes, self._shares, strict=True):
            picture = plane * share if picture is None else _enlarged(picture, plane) + plane * share
        assert picture is not None  # noqa: S101 - there is always the 1 x 1 plane
        return picture

    def decompose(self, colours: Tensor) -> None:
        """Give each plane what the coarser ones leave over."""
        picture: Tensor | None = None
        for plane, share in zip(self.planes, self._shares, strict=True):
            wanted = F.adaptive_avg_pool2d(colours, plane.shape[-2:])
            rest = wanted if picture is None else wanted - _enlarged(picture, plane)
            plane.copy_(rest / share)
            picture = wanted


def _enlarged(picture: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(picture[None], like.shape[-2:], mode="bilinear", align_corners=False)[0]

"""What a parameterisation is, and their registry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from torch import Tensor, nn

from clipnb.optimise.language.components import Part, PartsField
from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.parameterisations.motion import Motion

PARAMETERISATIONS: dict[str, type[Parameterisation]] = {}
"""All parameterisations by their names in YAML; a subclass of `Parameterisation` with a `name` enters by itself."""

_EDGE = 0.5 / 255  # values nearer to 0 or 1 are moved here before a logit
# Square root of the colour covariance of photographs (Olah et al., "Feature Visualization", Distill 2017, code lucid).
_COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])


class ImageParameters(nn.Module):
    """The parameters of one image of a fixed size.

    Attributes:
        size: height and width in pixels.
        rate: factor on the optimiser's base rate that makes `learnrate: 1` sensible.
    """

    def __init__(self, size: tuple[int, int], rate: float) -> None:
        super().__init__()
        self.size, self.rate = size, rate

    @abstractmethod
    def forward(self) -> Tensor:
        """Return the image, float [3, H, W] in [0, 1], differentiable in the parameters."""

    def at(self, time: float) -> bool:
        """Go to a time of the run, from 0 to 1; return whether the image has to be computed anew."""
        del time
        return False

    @abstractmethod
    def assign(self, image: Tensor) -> None:
        """Set the parameters so that they make this image, float [3, H, W] in [0, 1], or what is nearest to it."""

    @abstractmethod
    def assign_noise(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        """Set the parameters to noise that suits the parameterisation.

        Args:
            mean: float [3] in [0, 1], of the image's channels.
            std: float [3], standard deviation of the image's channels.
            randomness: source of the noise.
        """

    def project(self) -> None:
        """Bring the parameters back into their range after a step, where they have one."""

    def resize(self, size: tuple[int, int]) -> bool:
        """Change to another height and width where the parameters are those of any size; return whether they are."""
        del size
        return False

    def move(self, motion: Motion, randomness: Randomness) -> bool:
        """Move what is seen to the next frame of a film where that is exact; return whether it was moved."""
        del motion, randomness
        return False

    def extra_files(self) -> dict[str, Callable[[], bytes]]:
        """Return what is saved beside the picture: by the ends of their names, such as `.svg`, what makes the files."""
        return {}


class SigmoidParameters(ImageParameters):
    """Parameters of decorrelated colours, which a sigmoid brings into [0, 1]."""

    mix: Tensor
    unmix: Tensor

    def __init__(self, size: tuple[int, int], rate: float, device: torch.device) -> None:
        super().__init__(size, rate)
        mix = _COLOURS / _COLOURS.norm(dim=0).max()
        self.register_buffer("mix", mix.to(device))
        self.register_buffer("unmix", torch.linalg.inv(mix).to(device))

    @abstractmethod
    def compose(self) -> Tensor:
        """Return the decorrelated colours, float [3, H, W] about 0."""

    @abstractmethod
    def decompose(self, colours: Tensor) -> None:
        """Set the parameters so that they make these decorrelated colours."""

    def forward(self) -> Tensor:
        return torch.einsum("ij,jhw->ihw", self.mix, self.compose()).sigmoid()

    @torch.no_grad()
    def assign(self, image: Tensor) -> None:
        logits = image.clamp(_EDGE, 1 - _EDGE).logit()
        self.decompose(torch.einsum("ij,jhw->ihw", self.unmix, logits))

    @torch.no_grad()
    def assign_noise(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        for parameter in self.parameters():
            parameter.copy_(randomness.normal(*parameter.shape))
        noise = torch.einsum("ij,jhw->ihw", self.mix, self.compose())
        noise = noise - noise.mean((1, 2), keepdim=True)
        spread = noise.std((1, 2), keepdim=True, correction=0).clamp(min=1e-6)
        mean = mean.clamp(_EDGE, 1 - _EDGE)
        slope = mean * (1 - mean)  # of the sigmoid there: what std in logits becomes std in the image
        logits = noise / spread * (std / slope)[:, None, None] + mean.logit()[:, None, None]
        self.assign(logits.sigmoid())


class Parameterisation(Part):
    """A choice of what gradient ascent changes.

    Attributes:
        step: factor on the learning rate.
        takes_pictures: whether any picture can be put in its place in every step, as `postproc` does.
    """

    registry = PARAMETERISATIONS
    takes_pictures: ClassVar[bool] = True

    step: Annotated[float, NumberField(float, (0,), (), least=0, drawn=False)] = Field(
        1.0, description="factor on the learning rate"
    )

    def stage(self, share: float) -> Parameterisation:
        """Return what is changed when a share of the run, above 0 and up to 1, will be done with the next step."""
        del share
        return self

    def build(self, size: tuple[int, int], device: torch.device) -> ImageParameters:
        """Return the parameters of an image of a height and width in pixels, not yet set to anything."""
        raise NotImplementedError


class _ParameterisationField(PartsField[Parameterisation]):
    """One parameterisation: its name, or a map from the name to its parameters."""

    def parse_one(self, raw: object) -> Parameterisation:
        """Parse one.

        Raises:
            ValueError: it is not exactly one.
        """
        parts = self._parts({(): raw})
        if len(parts) != 1:
            raise ValueError("one parameterisation is needed")
        return parts[0]


AnyParameterisation = Annotated[
    Parameterisation,
    BeforeValidator(_ParameterisationField(PARAMETERISATIONS, "parameterisation", Parameterisation).parse_one),
    PlainSerializer(lambda pixels: pixels.as_yaml()),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]

"""The image of a run: what it begins as, its parameters with their optimiser, and changes of its size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ConfigError, ImageError
from clipnb.images import MAX_PIXELS, open_image, to_tensor
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.numbers import Numbers
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.optimisers import OPTIMISERS
from clipnb.optimise.parameterisations import ImageParameters, Parameterisation
from clipnb.optimise.parameterisations.motion import Motion
from clipnb.optimise.run_state import below

_MAX_SIDE = 16384  # pixels
_MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}

Finish = Callable[[Tensor], Tensor]
"""From the image that parameters make, float [3, H, W], to the picture of that size."""


class ImageState:
    """Parameters of an image, and the optimiser that changes them.

    Attributes:
        image: float [3, H, W] in [0, 1], differentiable in the parameters.
    """

    image: Tensor

    def __init__(
        self, stage: Parameterisation, parameters: ImageParameters, optimiser: str, finish: Finish | None = None
    ) -> None:
        """Begin with parameters of a kind; `finish` is what is done to the image that they make, each time."""
        self._stage, self._finish = stage, finish
        self._use_parameters(parameters, optimiser)

    @property
    def detached(self) -> Tensor:
        """The image as it is shown and saved, without a gradient."""
        return self.image.detach()

    def extra_files(self) -> dict[str, Callable[[], bytes]]:
        """Return what is saved beside the picture, as the parameters have it."""
        return self._parameters.extra_files() if self._finish is None else {}  # they would show what is finished away

    def left_out(self) -> list[str]:
        """Return the ends of what would be saved beside the picture and is not, since it would show something else."""
        return [] if self._finish is None else list(self._parameters.extra_files())

    def use_finish(self, finish: Finish | None) -> None:
        """Change what is done to the image that the parameters make."""
        self._finish = finish
        self.refresh()

    def use_optimiser(self, name: str) -> None:
        """Change to another optimiser, which begins afresh."""
        self._name, kind = name, OPTIMISERS[name]
        build = getattr(torch.optim, kind.kind)
        self._optimiser: torch.optim.Optimizer = build(self._parameters.parameters(), lr=kind.rate, **kind.options)

    def tensors(self) -> dict[str, Tensor]:
        """Return copies, on the CPU, of the parameters and of the optimiser's memory; `restore` takes them."""
        kept = {f"picture.{name}": value for name, value in self._parameters.state_dict().items()}
        for name, parameter in self._parameters.named_parameters():
            memory = self._optimiser.state.get(parameter, {})
            kept |= {f"optimiser.{key}.{name}": value for key, value in memory.items() if isinstance(value, Tensor)}
        return {name: value.detach().cpu().clone().contiguous() for name, value in kept.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Become what `tensors` were taken of.

        Raises:
            RuntimeError: they are of another parameterisation or size.
        """
        self._parameters.load_state_dict(below("picture", tensors))
        for name, value in below("optimiser", tensors).items():
            key, _, of = name.partition(".")
            parameter = self._parameters.get_parameter(of)
            if value.ndim and value.shape != parameter.shape:
                raise RuntimeError(f"the optimiser's {name} has the shape {list(value.shape)}")
            self._optimiser.state[parameter][key] = value.to(parameter.device) if value.ndim else value.clone()
        self.refresh()

    def at(self, time: float) -> None:
        """Go to a time of the run, from 0 to 1."""
        if self._parameters.at(time):
            self.refresh()

    def become(self, stage: Parameterisation, size: tuple[int, int], interpolation: str) -> None:
        """Change to another parameterisation, or size (height, width), where it is another.

        The optimiser begins afresh, unless only the size is another and the parameters are those of any.
        """
        if stage == self._stage and size == tuple(self.image.shape[-2:]):
            return
        if stage == self._stage and self._parameters.resize(size):
            self.refresh()
            return
        self._stage, parameters = stage, stage.build(size, self.image.device)
        parameters.assign(resized(self.detached, size, interpolation))
        self._use_parameters(parameters, self._name)

    def assign(self, image: Tensor) -> None:
        """Replace the image by float [3, H, W] in [0, 1] of the same size; the optimiser goes on."""
        self._parameters.assign(image)
        self.refresh()

    def move(self, motion: Motion, randomness: Randomness) -> bool:
        """Move the parameters themselves to the next frame of a film; return whether they could be."""
        is_moved = self._parameters.move(motion, randomness)
        if is_moved:
            self.refresh()
        return is_moved

    def refresh(self) -> None:
        """Compute the image anew, so that another loss can be backpropagated."""
        made = self._parameters()
        self.image = made if self._finish is None else self._finish(made)

    def backpropagate(self, loss: Tensor | None) -> None:
        """Compute the gradient of a loss, or clear it."""
        self._optimiser.zero_grad(set_to_none=True)
        if loss is not None:
            torch.autograd.backward(loss)

    def gradient_size(self) -> Tensor:
        """Return the sum of the gradient's absolute values, a float scalar that is finite when all of it is."""
        gradients = [p.grad.abs().sum() for p in self._parameters.parameters() if p.grad is not None]
        return torch.stack(gradients).sum() if gradients else self.image.new_zeros(())

    def step(self, rate: float) -> None:
        """Make one step of the optimiser at so many times its base rate."""
        for group in self._optimiser.param_groups:
            group["lr"] = OPTIMISERS[self._name].rate * self._parameters.rate * rate
        self._optimiser.step()
        self._parameters.project()
        self.refresh()

    def _use_parameters(self, parameters: ImageParameters, optimiser: str) -> None:
        self._parameters = parameters
        self.use_optimiser(optimiser)
        self.refresh()


def initial_parameters(
    config: ExperimentConfig,
    stage: Parameterisation,
    size: tuple[int, int],
    randomness: Randomness,
    device: torch.device,
    image: Tensor | None = None,
    picture: InitialPicture | None = None,
) -> ImageParameters:
    """Return the parameters that a run begins with, of `stage`: of `image` (float [3, H, W]), else as `init` says.

    Where the picture of `init` has been read, it is given as `picture`.

    Raises:
        ImageError: the initial image cannot be read.
        ConfigError: `init.resolution` is too large.
    """
    parameters = stage.build(size, device)
    init, scope = config.init, Scope({}, randomness, device)
    picture = None if image is not None else picture or InitialPicture.of(config, randomness.seed)
    if image is not None:
        parameters.assign(cover(image.detach().to(device, torch.float32), size))
    elif picture is not None:
        parameters.assign(picture.fitted(size).to(device))
    else:
        mean, std = (torch.tensor(scope.numbers(values), device=device) for values in (init.mean, init.std))
        if init.resolution is None:
            parameters.assign_noise(mean, std, randomness)
        else:
            small = stage.build(bounded_size(scope, init.resolution, "init.resolution"), device)
            small.assign_noise(mean, std, randomness)
            parameters.assign(resized(small().detach(), size, config.interpolation))
    return parameters


@dataclass(frozen=True)
class InitialPicture:
    """The picture that a run begins with, as large as it is.

    Attributes:
        pixels: float [3, h, w].
        factor, offset: what makes the first image of its pixels, float [3, 1, 1].
    """

    pixels: Tensor
    factor: Tensor
    offset: Tensor

    @classmethod
    def of(cls, config: ExperimentConfig, seed: int, given: Tensor | None = None) -> InitialPicture | None:
        """Return that of `init`, else `given` (float [3, H, W]); None where a run begins with noise.

        The same seed gives the same picture, also where its colours are drawn at random.

        Raises:
            ImageError: it cannot be read.
        """
        init = config.init
        one, nil = torch.ones(3, 1, 1), torch.zeros(3, 1, 1)
        if init.image_tensor is not None:
            return cls(torch.tensor(init.image_tensor), one, nil)
        if init.image is not None:
            scope = Scope({}, Randomness(seed, one.device), one.device)
            factor, offset = (torch.tensor(scope.numbers(values))[:, None, None] for values in init.mapping)
            return cls(to_tensor(opened(init.image, config)), factor, offset)
        return None if given is None else cls(given.detach().cpu().float(), one, nil)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[-2], self.pixels.shape[-1]

    def fitted(self, size: tuple[int, int]) -> Tensor:
        """Scale and crop it to a height and width; float [3, H, W] in [0, 1], on the CPU."""
        return (cover(self.pixels, size) * self.factor + self.offset).clamp(0, 1)


def opened(name: str, config: ExperimentConfig) -> Image.Image:
    """Open a picture that an experiment names.

    Raises:
        ImageError: it cannot be read; the message begins with file, line and key.
    """
    try:
        return open_image(name)
    except ImageError as error:
        raise ImageError(f"{config.place_of(name)}{error}") from None


def bounded_size(scope: Scope, resolution: Numbers, key: str) -> tuple[int, int]:
    """Evaluate the width and height of a key of the experiment; return the height and width.

    Raises:
        ConfigError: an image of that size has too many pixels.
    """
    width, height = (min(_MAX_SIDE, max(1, side)) for side in scope.integers(resolution))
    if width * height > MAX_PIXELS:
        raise ConfigError(f"{key}: {width} x {height} pixels are too many; at most {MAX_PIXELS / 1e6:.0f} million")
    return height, width


def resized(image: Tensor, size: tuple[int, int], interpolation: str) -> Tensor:
    """Scale an image [3, H, W] to a height and width; the values stay in [0, 1]."""
    if tuple(image.shape[-2:]) == size:
        return image
    mode = _MODES[interpolation]
    if mode == "nearest":
        return F.interpolate(image[None], size, mode=mode)[0]
    return F.interpolate(image[None], size, mode=mode, antialias=True, align_corners=False)[0].clamp(0, 1)


def cover(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale and centrally crop an image [3, H, W] so that it fills a height and width in pixels."""
    height, width = size
    scale = max(height / image.shape[-2], width / image.shape[-1])
    scaled = (max(height, round(image.shape[-2] * scale)), max(width, round(image.shape[-1] * scale)))
    if scaled[0] * scaled[1] > MAX_PIXELS:  # a strip, of which most would be thrown away
        return cover(_centre(image, ceil(height / scale), ceil(width / scale)), size)
    return _centre(resized(image, scaled, "cubic"), height, width)


def _centre(image: Tensor, height: int, width: int) -> Tensor:
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    return image[:, top : top + height, left : left + width]

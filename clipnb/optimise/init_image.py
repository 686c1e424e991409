"""What the picture is before the first step: noise, a file, or given pixels."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ConfigError
from clipnb.images import MAX_PIXELS, open_image, to_tensor
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.numbers import Numbers
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.parameterisations.canvases import Canvas

MAX_SIDE = 16384  # pixels
_MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


def begin(
    config: ExperimentConfig,
    size: tuple[int, int],
    randomness: Randomness,
    device: torch.device,
    image: Tensor | None = None,
) -> Canvas:
    """Make the canvas that a run starts from.

    Args:
        config: the experiment.
        size: height and width in pixels.
        randomness: where noise comes from.
        device: where the canvas is.
        image: float [3, H, W] in [0, 1], instead of what the experiment begins with.

    Raises:
        ImageError: the initial image cannot be read.
    """
    canvas = config.pixels.build(size, device)
    init, scope = config.init, Scope({}, randomness, device)
    if image is not None:
        canvas.assign(cover(image.detach().to(device, torch.float32), size))
    elif init.image_tensor is not None:
        canvas.assign(cover(torch.tensor(init.image_tensor), size).to(device))
    elif init.image is not None:
        std, mean = (torch.tensor(scope.numbers(values))[:, None, None] for values in init.mapping)
        pixels = cover(to_tensor(open_image(init.image)), size)
        canvas.assign((pixels * std + mean).clamp(0, 1).to(device))
    else:
        mean, std = (torch.tensor(scope.numbers(values), device=device) for values in (init.mean, init.std))
        if init.resolution is None:
            canvas.start(mean, std, randomness)
        else:
            small = config.pixels.build(bounded_size(scope, init.resolution, "init.resolution"), device)
            small.start(mean, std, randomness)
            canvas.assign(resized(small().detach(), size, config.interpolation))
    return canvas


def resized(image: Tensor, size: tuple[int, int], interpolation: str) -> Tensor:
    """Scale a picture [3, H, W] to a height and width; values stay in [0, 1].

    Args:
        image: float.
        size: height and width in pixels.
        interpolation: "nearest", "linear" or "cubic".
    """
    if tuple(image.shape[-2:]) == size:
        return image
    mode = _MODES[interpolation]
    if mode == "nearest":
        return F.interpolate(image[None], size, mode=mode)[0]
    return F.interpolate(image[None], size, mode=mode, antialias=True, align_corners=False)[0].clamp(0, 1)


def cover(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale and centrally crop a picture [3, H, W] so that it fills a height and width in pixels."""
    height, width = size
    scale = max(height / image.shape[-2], width / image.shape[-1])
    scaled = (max(height, round(image.shape[-2] * scale)), max(width, round(image.shape[-1] * scale)))
    if scaled[0] * scaled[1] > MAX_PIXELS:  # a strip, of which most would be thrown away
        return cover(_centre(image, ceil(height / scale), ceil(width / scale)), size)
    return _centre(resized(image, scaled, "cubic"), height, width)


def bounded_size(scope: Scope, resolution: Numbers, key: str) -> tuple[int, int]:
    """Evaluate a width and height in pixels; returned as height and width.

    Args:
        scope: of the step.
        resolution: width and height.
        key: where they stand in the experiment.

    Raises:
        ConfigError: together they are more pixels than a picture may have.
    """
    width, height = (min(MAX_SIDE, max(1, side)) for side in scope.integers(resolution))
    if width * height > MAX_PIXELS:
        raise ConfigError(f"{key}: {width} x {height} pixels are too many; at most {MAX_PIXELS / 1e6:.0f} million")
    return height, width


def _centre(image: Tensor, height: int, width: int) -> Tensor:
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    return image[:, top : top + height, left : left + width]

"""The camera of a film: the last frame moved, and what comes into view filled in."""

from __future__ import annotations

from math import ceil, radians

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.film.plan import Moment
from clipnb.optimise.image_state import ImageState
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.frames import CameraConfig
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.language.variables import resolution_values, time_values
from clipnb.optimise.parameterisations.motion import Motion

_PADDING = {"mirror": "reflection", "wrap": "zeros", "noise": "border", "blur": "border"}
_MOST_SHIFT = 1000.0  # times the size
_MARGIN = 2  # pixels that sampling reaches beyond an edge
_FINER = 2  # times; sampled there, hundreds of frames neither blur a picture nor sharpen its edges into halos


def show_next_frame(picture: ImageState, config: ExperimentConfig, moment: Moment, randomness: Randomness) -> None:
    """Move a picture to where a frame of a film begins: that of a moment.

    Raises:
        ExpressionError: an expression cannot be computed.
    """
    if config.frames is None or config.frames.camera.is_still:
        return
    times = time_values(moment.frame, moment.frames, moment.frame, moment.frames)
    values = resolution_values((picture.image.shape[-2], picture.image.shape[-1]))
    motion = motion_of(config.frames.camera, Scope({**times, **values}, randomness, picture.image.device))
    if not picture.move(motion, randomness):
        picture.assign(moved(picture.detached, motion, config.frames.infill, randomness))


def motion_of(camera: CameraConfig, scope: Scope) -> Motion:
    """Evaluate how a camera moves; in the scope, time is that of the film."""
    zoom = min(100.0, max(0.01, scope.number(camera.zoom)))
    right, down = (min(_MOST_SHIFT, max(-_MOST_SHIFT, share)) for share in scope.numbers(camera.shift))
    return Motion(zoom, right, down, radians(scope.number(camera.rotate)))


def moved(image: Tensor, motion: Motion, infill: str, randomness: Randomness) -> Tensor:
    """Move the pixels of a picture by one frame of the camera.

    Args:
        image: float [3, H, W] in [0, 1].
        motion: how the camera moves.
        infill: what it uncovers, see `FramesConfig`.
        randomness: source of noise.

    Returns:
        float [3, H, W] in [0, 1].
    """
    x, y = _sources(image, motion)
    height, width = image.shape[-2:]
    outside = (x < 0) | (x > width) | (y < 0) | (y > height)
    if infill == "wrap":
        image = F.pad(image[None], (_MARGIN,) * 4, mode="circular")[0]
        x, y = x.remainder(width) + _MARGIN, y.remainder(height) + _MARGIN
        height, width = image.shape[-2:]
    grid = torch.stack((x * (2 / width) - 1, y * (2 / height) - 1), -1)[None]
    fine = F.interpolate(image[None], scale_factor=_FINER, mode="bicubic", antialias=True, align_corners=False)
    seen = F.grid_sample(fine, grid, "bicubic", _PADDING[infill], align_corners=False)[0].clamp(0, 1)
    if infill == "noise":
        mean, std = image.mean((1, 2), keepdim=True), image.std((1, 2), keepdim=True, correction=0)
        noise = randomness.normal(*image.shape) * std + mean
        seen = torch.where(outside, noise.clamp(0, 1), seen)
    elif infill == "blur":
        blurred = F.grid_sample(_blurred(image)[None], grid, "bilinear", "reflection", align_corners=False)[0]
        seen = torch.where(outside, blurred, seen)
    return seen


def _sources(image: Tensor, motion: Motion) -> tuple[Tensor, Tensor]:
    """Return where each pixel of the next frame comes from, in pixels; [H, W] each."""
    height, width = image.shape[-2:]
    back = motion.back.tolist()
    x = torch.arange(width, device=image.device) + (0.5 - width / 2 - motion.right * width)
    y = torch.arange(height, device=image.device)[:, None] + (0.5 - height / 2 - motion.down * height)
    return x * back[0][0] + y * back[0][1] + width / 2, x * back[1][0] + y * back[1][1] + height / 2


def _blurred(image: Tensor) -> Tensor:
    """Blur a picture so that only its colours are left at an edge."""
    size = (image.shape[-2], image.shape[-1])
    small = F.adaptive_avg_pool2d(image[None], (ceil(size[0] / 16), ceil(size[1] / 16)))
    return F.interpolate(small, size, mode="bilinear", align_corners=False)[0]

"""Where in a picture something counts, or stays: areas as masks, of which 1 is inside."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ConfigError, ImageError
from clipnb.images import open_image, to_tensor
from clipnb.optimise.image_state import cover
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.fields import Area

Size = tuple[int, int]
"""Height and width in pixels."""

_SOFT = 0.1  # of the side: how wide the edge of a named area is
_OVERLAP = 0.25  # more than two soft edges have in common, of an area that is kept and one that counts
_SAME_SHAPE = 0.02  # by which share proportions may differ
_ROUNDING = 0.5 / 255
# x0 y0 x1 y1; what lies beyond the picture has no edge in it.
_NAMED = {
    "left": (-1.0, -1.0, 0.5, 2.0),
    "right": (0.5, -1.0, 2.0, 2.0),
    "top": (-1.0, -1.0, 2.0, 0.5),
    "bottom": (-1.0, 0.5, 2.0, 2.0),
    "centre": (0.25, 0.25, 0.75, 0.75),
}


@dataclass(frozen=True)
class Part:
    """The smallest rectangle of a picture that an area lies in.

    Attributes:
        rows, columns: of the rectangle.
        mask: float [h, w] in it; None where all of it counts.
    """

    rows: slice
    columns: slice
    mask: Tensor | None

    def of(self, image: Tensor) -> Tensor:
        """Cut the rectangle out of an image [3, H, W], so that a gradient counts as much as the mask says."""
        part = image[:, self.rows, self.columns]
        if self.mask is None:
            return part
        return part.detach() + self.mask * (part - part.detach())


class Masks:
    """Masks by area and size; each is made once."""

    def __init__(self, picture: Size | None, device: torch.device) -> None:
        """Make none yet; `picture` is the size of the picture that a run begins with, before it is cut to fit."""
        self._picture, self._device = picture, device
        self._masks: dict[tuple[Area, Size, bool], Tensor] = {}
        self._parts: dict[tuple[Area, Size], Part] = {}

    def require(self, config: ExperimentConfig, size: Size) -> None:
        """Make all masks of an experiment.

        Raises:
            ConfigError: a picture cannot be read, is black everywhere, or has other proportions than `size`; or what
                is kept covers all regions.
        """
        for number, target in enumerate(config.targets):
            if target.region is not None:
                self.part(config, number, size)
        if config.keep is None:
            return
        free = 1 - self.kept(config.keep, size, config.at("keep"))
        parts = [self.part(config, number, size) for number, target in enumerate(config.targets) if target.active]
        if parts and not any(_leaves(part, free) for part in parts):
            raise ConfigError(
                f"{config.at('keep')}all regions of the targets are kept, so nothing can change; keep less"
            )

    def part(self, config: ExperimentConfig, number: int, size: Size) -> Part | None:
        """Return where a target counts in a picture of that size; None for everywhere."""
        area = config.targets[number].region
        if area is None:
            return None
        if (area, size) not in self._parts:
            self._parts[area, size] = _part(self._mask(area, size, config.at("targets", number, "region")))
        return self._parts[area, size]

    def kept(self, area: Area, size: Size, place: str) -> Tensor:
        """Return what stays of a picture of that size, float [H, W]; all of a named area, its soft edge around it.

        Raises:
            ConfigError: all of it is kept, or as `require`; the message begins with `place`.
        """
        mask = self._mask(area, size, place, _SOFT / 2)
        if bool((mask == 1).all()):
            raise ConfigError(f"{place}all of the picture is kept, so nothing can change")
        return mask

    def _mask(self, area: Area, size: Size, place: str, grown: float = 0.0) -> Tensor:
        key = (area, size, grown > 0)
        if key not in self._masks:
            mask = self._drawn(area, size, place) if area not in _NAMED else _named(_NAMED[str(area)], size, grown)
            self._masks[key] = mask.to(self._device)
        return self._masks[key]

    def _drawn(self, area: Area, size: Size, place: str) -> Tensor:
        height, width = size
        if not isinstance(area, str):
            mask = torch.zeros(size)
            mask[_pixels(area[1], area[3], height), _pixels(area[0], area[2], width)] = 1
            return mask
        try:
            picture = open_image(area, backdrop="black")
        except ImageError as error:
            raise ImageError(f"{place}{error}") from None
        fitted = self._fitted(to_tensor(picture.convert("L"))[:1], size, area, place)
        mask = torch.where(fitted > 1 - _ROUNDING, 1.0, torch.where(fitted < _ROUNDING, 0.0, fitted))
        if not bool(mask.any()):
            raise ConfigError(f"{place}{area} is black everywhere; white is what counts")
        return mask

    def _fitted(self, gray: Tensor, size: Size, name: str, place: str) -> Tensor:
        height, width = gray.shape[-2:]
        if (height, width) == self._picture:  # drawn on the picture that the run begins with: cut as that is
            return cover(gray, size)[0]
        if abs(width * size[0] / (height * size[1]) - 1) > _SAME_SHAPE:
            picture = f" or init's {self._picture[1]} x {self._picture[0]}" if self._picture else ""
            raise ConfigError(
                f"{place}{name} has {width} x {height} pixels, which are other proportions than the picture's "
                f"{size[1]} x {size[0]}{picture}; cut it to those"
            )
        return F.interpolate(gray[None], size, mode="area")[0, 0]


def smooth(ramp: Tensor) -> Tensor:
    """Rise from 0 to 1 where `ramp` does, without a corner."""
    ramp = ramp.clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _part(mask: Tensor) -> Part:
    rows, columns = (torch.nonzero(mask.amax(dim)).flatten() for dim in (1, 0))
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    inner = mask[box]
    return Part(*box, None if bool((inner == 1).all()) else inner)


def _leaves(part: Part | None, free: Tensor) -> bool:
    """Whether something of a target's area may change, more than soft edges that overlap."""
    if part is None:
        return True
    inner = free[part.rows, part.columns]
    return bool((inner if part.mask is None else inner * part.mask).max() > _OVERLAP)


def _pixels(start: float, end: float, side: int) -> slice:
    """Return the pixels of a line between two shares of its length; one at least."""
    first = min(side - 1, round(start * side))
    return slice(first, max(first + 1, round(end * side)))


def _named(box: tuple[float, ...], size: Size, grown: float) -> Tensor:
    x0, y0, x1, y1 = box
    lines = []
    for side, low, high in ((size[0], y0, y1), (size[1], x0, x1)):
        points = (torch.arange(side) + 0.5) / side
        inside = torch.minimum(points - low, high - points) + grown  # shares of the side behind the edge
        lines.append(smooth(inside / _SOFT + 0.5))
    return lines[0][:, None] * lines[1]

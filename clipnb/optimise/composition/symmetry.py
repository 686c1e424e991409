"""Pictures that are their own mirror image, look the same when turned, or fit to themselves side by side."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.composition.masks import smooth

_BLEND = 0.3  # of a sector: how wide the passage from its end to its beginning is


class Mirrored:
    """Shows the left half again on the right (`x`), the upper half again below (`y`), or both."""

    def __init__(self, axes: str) -> None:
        self._axes = axes

    def __call__(self, image: Tensor) -> Tensor:
        for axis, dim in (("x", -1), ("y", -2)):
            if axis in self._axes:
                side = image.shape[dim]
                half = image.narrow(dim, 0, (side + 1) // 2)
                image = torch.cat((half, half.narrow(dim, 0, side // 2).flip(dim)), dim)
        return image


class Turned:
    """Shows one sector of the picture n times about the centre; the end of each passes into the next's beginning."""

    def __init__(self, count: int, *, mixes: bool = True) -> None:
        """Prepare; without `mixes` every pixel has a colour that was there, and passages are sudden."""
        self._angle, self._mixes = 2 * math.pi / count, mixes
        self._size: tuple[int, int] | None = None

    def __call__(self, image: Tensor) -> Tensor:
        size = (image.shape[-2], image.shape[-1])
        if size != self._size:
            self._size = size
            self._grid, self._share = self._sector(size, image.device)
        sector, previous = F.grid_sample(
            image.expand(2, -1, -1, -1),
            self._grid,
            "bilinear" if self._mixes else "nearest",
            padding_mode="reflection",
            align_corners=False,
        )
        return torch.lerp(previous, sector, self._share)

    def _sector(self, size: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
        """Return where each pixel is seen in the sector and in the one before, [2, H, W, 2], and the first's share."""
        height, width = size
        y, x = torch.meshgrid(
            torch.arange(height, device=device) - (height - 1) / 2,
            torch.arange(width, device=device) - (width - 1) / 2,
            indexing="ij",
        )
        angle = torch.atan2(y, x).remainder(2 * math.pi)
        turns = (angle / self._angle).floor()
        left = 1 - (angle / self._angle - turns)  # 1 at the beginning of a sector, 0 at its end
        share = smooth(left / _BLEND)
        grids = []
        for back in (turns * self._angle, (turns + 1) * self._angle):
            cos, sin = back.cos(), back.sin()
            points = ((x * cos + y * sin) * 2 / width, (y * cos - x * sin) * 2 / height)
            grids.append(torch.stack(points, -1))
        return torch.stack(grids), share if self._mixes else share.round()


class Seamless:
    """Takes large jumps between opposite edges away, half on each side, over the quarter of the picture there."""

    def __call__(self, image: Tensor) -> Tensor:
        for dim, along in ((-1, -2), (-2, -1)):
            side = image.shape[dim]
            jump = (image.narrow(dim, side - 1, 1) - image.narrow(dim, 0, 1)).transpose(dim, -1)[..., 0]
            reach = image.shape[along] // 16
            smooth = F.avg_pool1d(F.pad(jump[None], (reach, reach), mode="circular"), 2 * reach + 1, 1)[0]
            near = (1 - torch.arange(side, device=image.device) * (4 / side)).clamp(min=0).square()
            change = smooth[..., None] / 2 * (near - near.flip(0))
            image = image + (change if dim == -1 else change.transpose(-1, -2))
        return image.clamp(0, 1)

"""Warps: transforms that only move pixels. A run of adjacent warps is traced backwards and sampled once.

Every warp states where in its input a point of its output comes from. A run is composed by tracing the points of the
last output back through all of them, so that no picture in between is ever computed: a crop at the end of the run
makes everything before it as cheap as the crop.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.language.scope import Scope
from clipnb.optimise.transforms.base import Transform, require_room

Frame = tuple[int, int]
"""Height and width in pixels."""
Outside = Literal["black", "mirror", "wrap"]
"""What lies beyond the edges of a picture: nothing, its mirror image, or the picture again."""


@dataclass(frozen=True)
class Trace:
    """How one warp is undone for a batch of views.

    Attributes:
        frame: height and width of its output.
        back: from points x, y of the output, in pixels ([B, h, w] each), to points of the input.
        outside: what points beyond an edge show.
        copies: how many views come out for each one that goes in.
    """

    frame: Frame
    back: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    outside: Outside = "black"
    copies: int = 1


class Warp(Transform):
    """A transform that only moves pixels.

    Attributes:
        keeps_tile: whether views that go on at their opposite edges still do so.
    """

    keeps_tile: ClassVar[bool] = False

    @abstractmethod
    def trace(self, frame: Frame, scope: Scope) -> Trace:
        """Draw what is random, and return how the warp is undone.

        Args:
            frame: height and width of what comes in.
            scope: of B views.
        """

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Warp alone."""
        return _sample([self], views, scope)


class OutwardWarp(Warp):
    """A warp that looks beyond the edges of the picture."""

    outer = Warp.outer | {"outside"}

    outside: Outside = Field("black", description="what lies beyond the edges")


def apply_transforms(transforms: Sequence[Transform], views: Tensor, scope: Scope) -> Tensor:
    """Apply transforms in order; runs of warps become one sampling.

    Args:
        transforms: those that are active now.
        views: float [B, 3, H, W].
        scope: of B views.

    Returns:
        float [B', 3, H', W'].
    """
    pending: list[Warp] = []
    for transform in transforms:
        if isinstance(transform, Warp):
            pending.append(transform)
            continue
        if pending:
            views = _sample(pending, views, scope)
            scope = scope.extended(views=len(views), tiles=scope.tiles and all(warp.keeps_tile for warp in pending))
            pending = []
        views = transform.apply(views, scope)
        scope = scope.extended(views=len(views), tiles=scope.tiles and not transform.is_resizing)
    return _sample(pending, views, scope) if pending else views


def _sample(warps: Sequence[Warp], views: Tensor, scope: Scope) -> Tensor:
    """Apply a run of warps by one bilinear sampling."""
    frames: list[Frame] = [(views.shape[-2], views.shape[-1])]
    traces: list[Trace] = []
    for warp in warps:
        traces.append(warp.trace(frames[-1], scope))
        frames.append(traces[-1].frame)
        scope = scope.extended(views=scope.views * traces[-1].copies)
    require_room(scope.views, *frames[-1])
    x, y = _pixel_centres(frames[-1], views)
    inside: Tensor | None = None
    for trace, (height, width) in zip(reversed(traces), reversed(frames[:-1]), strict=True):
        x, y = trace.back(x, y)
        if scope.tiles:  # an endless plane, whatever lies between
            continue
        if trace.outside == "wrap":
            x, y = x.remainder(width), y.remainder(height)
        elif trace.outside == "mirror":
            x, y = _mirrored(x, width), _mirrored(y, height)
        else:
            within = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
            inside = within if inside is None else inside & within
    if scope.tiles:
        x, y = x.remainder(views.shape[-1]), y.remainder(views.shape[-2])
    copies = scope.views // len(views)
    if copies > 1:
        views = views.repeat_interleave(copies, 0)
    seen = _sample_at(views, x, y, wraps=scope.tiles or any(trace.outside == "wrap" for trace in traces))
    return seen if inside is None else seen * inside[:, None].to(seen.dtype)


def shifted(frame: Frame, right: Tensor, down: Tensor, outside: Outside = "black") -> Trace:
    """Move every view to the right and down by its own number of pixels, [B] or [1] each."""
    return Trace(frame, lambda x, y: (x - column(right, x), y - column(down, y)), outside)


def column(values: Tensor, like: Tensor) -> Tensor:
    """Shape a number for every view, [B], into [B, 1, 1] beside a tensor of points."""
    return values.to(like)[:, None, None]


def _mirrored(points: Tensor, side: int) -> Tensor:
    return side - (points.remainder(2 * side) - side).abs()


def _pixel_centres(frame: Frame, like: Tensor) -> tuple[Tensor, Tensor]:
    height, width = frame
    x = torch.arange(width, device=like.device, dtype=torch.float32) + 0.5
    y = torch.arange(height, device=like.device, dtype=torch.float32) + 0.5
    return x.expand(1, height, width), y[:, None].expand(1, height, width)


def _sample_at(views: Tensor, x: Tensor, y: Tensor, *, wraps: bool) -> Tensor:
    """Sample views at points in pixels, bilinear; neighbours beyond an edge wrap around or repeat the edge."""
    count = len(views)
    if count > 1 and views.stride(0) == 0:  # all are the same picture: sample it once at all their points
        views = views[:1]
    if wraps:
        views = F.pad(views, (1, 1, 1, 1), mode="circular")
        x, y = x + 1, y + 1
    height, width = views.shape[-2:]
    grid = torch.stack((x * (2 / width) - 1, y * (2 / height) - 1), -1).nan_to_num().to(views.dtype)  # NaN would crash
    grid = grid.expand(count, -1, -1, -1)
    rows = grid.shape[1]
    seen = F.grid_sample(
        views,
        grid.reshape(len(views), -1, *grid.shape[2:]),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return seen if len(views) == count else seen[0].view(3, count, rows, -1).transpose(0, 1)

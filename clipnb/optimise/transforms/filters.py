"""Transforms that look at neighbouring pixels: blur, edges, border."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.language.expressions import ExpressionError
from clipnb.optimise.language.numbers import Numbers
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.transforms.base import MAX_SIDE, Colour, Extent, Fill, Sigma, Transform, Window


class Blur(Transform):
    """Blurs by a Gaussian."""

    name = "blur"
    example: ClassVar[object] = {"kernel_size": 9, "sigma": 3}
    kernel_size: Window = (3, 3)
    sigma: Sigma = None

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return blurred(views, self.kernel_size, self.sigma, scope)


class Edge(Transform):
    """Keeps the edges only: amount x |picture - its blurred self|, clamped to [0, 1]."""

    name = "edge"
    example: ClassVar[object] = {"kernel_size": 7, "amount": 4}
    kernel_size: Window = (3, 3)
    sigma: Sigma = None
    amount: Colour = Field((1.0, 1.0, 1.0), description="factor for red, green and blue")

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        edges = (views - blurred(views, self.kernel_size, self.sigma, scope)).abs()
        return (edges * scope.colours(self.amount)).clamp(0, 1)


class Border(Transform):
    """Paints a frame; the size stays."""

    name = "border"
    example: ClassVar[object] = {"size": "8 8", "color": "1 .8 0"}
    size: Extent = Field(
        (1, 1), description="width of the left and right, height of the upper and lower part, in pixels"
    )
    color: Fill = (0.0, 0.0, 0.0)

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        return paint_border(views, scope.integers(self.size), scope.colours(self.color))


def blurred(views: Tensor, kernel_size: Numbers, sigma: Numbers | None, scope: Scope) -> Tensor:
    """Blur by a separable Gaussian, the edges mirrored (repeated where the image is smaller than the window).

    Where views go on at their opposite edges, so does the blur.

    Args:
        views: float [B, 3, H, W].
        kernel_size: width and height of the window in pixels; made odd and at least 1.
        sigma: standard deviations in x and y, in pixels.
        scope: gives their values.

    Returns:
        float [B, 3, H, W].
    """
    width, height = (max(1, side + 1 - side % 2) for side in scope.integers(kernel_size))
    if max(width, height) > MAX_SIDE + 1:
        raise ExpressionError(f"kernel_size is {width} x {height} pixels; at most {MAX_SIDE}")
    sigma_x, sigma_y = (
        (0.3 * ((side - 1) * 0.5 - 1) + 0.8 for side in (width, height))
        if sigma is None
        else (max(1e-4, value) for value in scope.numbers(sigma))
    )
    rows = _blurring_matrix(views.shape[-2], height, sigma_y, views, scope.tiles)
    columns = _blurring_matrix(views.shape[-1], width, sigma_x, views, scope.tiles)
    return rows @ views @ columns.T


def _blurring_matrix(length: int, side: int, sigma: float, like: Tensor, wraps: bool) -> Tensor:
    """Write the blur of a line of pixels, what lies beyond its ends included, as a banded matrix [length, length].

    Products with it are faster than a depthwise convolution, forward and backward, whatever the window.
    """
    half = side // 2
    points = torch.arange(-half, half + 1, dtype=like.dtype, device=like.device)
    kernel = torch.exp(-0.5 * (points / sigma) ** 2)
    mode = "circular" if wraps and half <= length else "reflect" if half < length else "replicate"
    lines = F.pad(torch.eye(length, dtype=like.dtype, device=like.device)[None, None], (half, half, 0, 0), mode=mode)
    return F.conv2d(lines, (kernel / kernel.sum()).view(1, 1, 1, side))[0, 0].T


def paint_border(views: Tensor, size: list[int], colour: Tensor) -> Tensor:
    """Paint a frame of the given width and height (pixels) in a colour [B or 1, 3, 1, 1]."""
    height, width = views.shape[-2:]
    columns, rows = torch.arange(width, device=views.device), torch.arange(height, device=views.device)[:, None]
    across, down = (max(0, side) for side in size)
    inner = (columns >= across) & (columns < width - across) & (rows >= down) & (rows < height - down)
    return torch.where(inner, views, colour.to(views.dtype))

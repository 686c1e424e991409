"""Transforms that change the size: crops, tiles, padding, scaling."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.language.expressions import Expression, ExpressionError
from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import MAX_WHOLE, Scope
from clipnb.optimise.transforms.base import (
    Extent,
    Fill,
    One,
    PixelSize,
    Sides,
    Transform,
    require_room,
    sides_of,
)
from clipnb.optimise.transforms.warps import Frame, OutwardWarp, Trace, Warp, column, shifted


class Crop(Warp):
    """Cuts out a part."""

    name = "crop"
    example = ".25 .1 .5 .5"
    is_resizing = True
    xywh: Annotated[Numbers, NumberField(float, (4,))] = Field(
        description="x y of the upper left corner, width, height: below 1 a share of the size, else pixels"
    )

    @field_validator("xywh")
    @classmethod
    def _not_empty(cls, xywh: Numbers) -> Numbers:
        if any(not isinstance(side, Expression) and side <= 0 for side in xywh[2:]):
            raise ValueError(f"a crop of width {xywh[2]} and height {xywh[3]} is empty; write x y width height")
        return xywh

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        sides = (width, height, width, height)
        xywh = (v * side if v < 1 else v for v, side in zip(scope.numbers(self.xywh), sides, strict=True))
        x, y, w, h = (int(min(MAX_WHOLE, max(-MAX_WHOLE, v))) for v in xywh)
        w, h = max(1, w), max(1, h)
        if not (-w < x < width and -h < y < height):
            raise ExpressionError(f"a crop of {w} x {h} pixels at {x}, {y} lies outside of {width} x {height} pixels")
        return shifted((h, w), torch.tensor([-x]), torch.tensor([-y]))


class CenterCrop(Warp):
    """Cuts out the middle; black where it is larger than the picture."""

    name = "center_crop"
    example = "64 48"
    is_resizing = True
    size: PixelSize

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        w, h = sides_of(self.size, scope)
        return shifted((h, w), -_middle(width, w), -_middle(height, h))


class RandomCrop(Warp):
    """Cuts a part out of every view at its own place."""

    name = "random_crop"
    example = "56 56"
    is_random = True
    is_resizing = True
    size: PixelSize

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        w, h = sides_of(self.size, scope)
        x = scope.uniform(0, width - w + 1).floor() if width > w else _middle(width, w)
        y = scope.uniform(0, height - h + 1).floor() if height > h else _middle(height, h)
        return shifted((h, w), -x, -y)


class Cutouts(OutwardWarp):
    """Cuts parts of random size out of every view at random places, all scaled to one size."""

    name = "cutouts"
    example: ClassVar[object] = {"count": 1, "size": ".3 .7", "resolution": "96 96"}
    is_random = True
    is_resizing = True
    count: Annotated[Numbers, NumberField(int, (1,), least=1, most=4096)] = Field(
        (4,), description="how many parts of each view"
    )
    size: Annotated[Numbers, NumberField(float, (2,), least=0.01, most=1)] = Field(
        (0.3, 1.0), description="smallest and largest side, as share of the shorter side"
    )
    resolution: Sides = Field((224, 224), description="width height in pixels that each is scaled to")
    macro: One = Field((0.0,), description="share of the parts that are nearly whole: .9 to 1 of the shorter side")
    overscan: One = Field(
        (0.0,), description="how far parts reach beyond the edges, as share of the shorter side; see outside"
    )

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        count = max(1, scope.integers(self.count)[0])
        w, h = sides_of(self.resolution, scope)
        require_room(scope.views * count, h, w)  # before so many places are drawn
        inner = scope.extended(views=scope.views * count)
        shorter, (macro,) = min(width, height), scope.numbers(self.macro)
        share = inner.uniform(*scope.numbers(self.size)).clamp(0.01, 1.0)
        if macro > 0:
            share = torch.where(inner.uniform(0, 1) < macro, inner.uniform(0.9, 1.0), share)
        side, beyond = share * shorter, scope.numbers(self.overscan)[0] * shorter
        left, top = (inner.uniform(-beyond, length - side + beyond) for length in frame[::-1])

        def back(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            return x * column(side / w, x) + column(left, x), y * column(side / h, x) + column(top, x)

        return Trace((h, w), back, self.outside, copies=count)


class Repeat(Warp):
    """Tiles the picture to the right and downwards."""

    name = "repeat"
    example = "2 2"
    is_resizing = True
    count: Annotated[Numbers, NumberField(int, (2,), least=1, most=1000)] = Field(description="how often in x and y")

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        across, down = sides_of(self.count, scope)
        return Trace((height * down, width * across), lambda x, y: (x, y), "wrap")


class Resize(Transform):
    """Scales the picture (bicubic, antialiased)."""

    name = "resize"
    example = "24 24"
    is_resizing = True
    size: PixelSize

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        w, h = sides_of(self.size, scope)
        require_room(len(views), h, w)
        return F.interpolate(views, (h, w), mode="bicubic", antialias=True, align_corners=False)


class Pad(Transform):
    """Adds pixels at the edges."""

    name = "pad"
    example: ClassVar[object] = {"size": "16 16", "mode": "wrap"}
    is_resizing = True
    size: Extent = Field(description="columns to add left and right, rows to add above and below")
    color: Fill = Field((0.0, 0.0, 0.0), description="what to fill with, in [0, 1]")
    mode: Literal["fill", "edge", "wrap"] = Field(
        "fill", description="fill with the colour, repeat the edge, or go on with the opposite edge"
    )

    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        across, down = (max(0, side) for side in scope.integers(self.size))
        height, width = views.shape[-2:]
        require_room(len(views), height + 2 * down, width + 2 * across)
        sides = (across, across, down, down)
        if self.mode == "fill":
            colour = scope.colours(self.color)
            return F.pad(views - colour, sides) + colour
        if self.mode == "edge":
            return F.pad(views, sides, mode="replicate")
        rows = torch.arange(-down, height + down, device=views.device) % height
        columns = torch.arange(-across, width + across, device=views.device) % width
        return views[:, :, rows][..., columns]


def _middle(outer: int, inner: int) -> Tensor:
    return torch.tensor([(outer - inner) / 2]).round()

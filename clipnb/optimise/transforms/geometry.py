"""Warps that keep the size: rotation, zoom, shift, perspective."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.transforms.base import One, Pair, Probability, Real, Share
from clipnb.optimise.transforms.warps import Frame, Outside, OutwardWarp, Trace, Warp, column, shifted

_LEAST_ZOOM = 0.001
Zoom = Annotated[Numbers, NumberField(float, (2,), least=_LEAST_ZOOM, most=1000)]


class Rotate(OutwardWarp):
    """Rotates counter-clockwise."""

    name = "rotate"
    example = 30
    degree: Real = Field(description="angle in degrees, counter-clockwise")
    center: Pair = Field((0.5, 0.5), description="centre x y as shares of width and height")

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        centre = scope.per_view(self.center)
        return _rotation(frame, scope.per_view(self.degree)[:, 0], centre[:, 0], centre[:, 1], self.outside)


class RandomRotate(OutwardWarp):
    """Rotates every view by its own angle about its own centre."""

    name = "random_rotate"
    example = "-40 40"
    is_random = True
    degree: Pair = Field(description="smallest and largest angle in degrees, counter-clockwise")
    center: Pair = Field((0.5, 0.5), description="smallest and largest centre, for x and y, as share of the size")

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        angle = scope.uniform(*scope.numbers(self.degree))
        low, high = scope.numbers(self.center)
        return _rotation(frame, angle, scope.uniform(low, high), scope.uniform(low, high), self.outside)


class RandomScale(OutwardWarp):
    """Zooms every view about its centre; the size stays."""

    name = "random_scale"
    example = ".5 1.6"
    is_random = True
    scale: Zoom = Field(description="smallest and largest zoom: .5 is half, 2 is double")

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        low, high = (max(_LEAST_ZOOM, value) for value in scope.numbers(self.scale))
        zoom = scope.uniform(low, high)

        def back(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            inverse = column(1 / zoom, x)
            return (x - width / 2) * inverse + width / 2, (y - height / 2) * inverse + height / 2

        return Trace(frame, back, self.outside)


class RandomTranslate(OutwardWarp):
    """Moves every view by its own offset."""

    name = "random_translate"
    example = ".3 .3"
    is_random = True
    offset: Share = Field(description="largest offset in x and y, as share of the size")

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        most_x, most_y = scope.numbers(self.offset)
        x, y = scope.uniform(-most_x, most_x) * width, scope.uniform(-most_y, most_y) * height
        return shifted(frame, x, y, self.outside)


class Shift(Warp):
    """Moves the picture; what leaves at one edge comes in at the opposite one."""

    name = "shift"
    keeps_tile = True
    example = ".3 .3"
    offset: Pair = Field(description="offset x y: between -1 and 1 a share of the size, else pixels")

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        offset = scope.per_view(self.offset)
        x, y = (
            torch.where(v.abs() < 1, v * side, v).trunc() for v, side in zip(offset.T, (width, height), strict=True)
        )
        return shifted(frame, x, y, "wrap")


class RandomShift(Warp):
    """Moves every view by its own offset; what leaves at one edge comes in at the opposite one."""

    name = "random_shift"
    keeps_tile = True
    example = "-1 1"
    is_random = True
    offset: Annotated[Numbers, NumberField(float, (2, 4))] = Field(
        description="smallest and largest offset, or those of x then y: from -1 to 1 shares of the size, else pixels"
    )

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        values = scope.numbers(self.offset)
        across, down = values[:2], values[-2:]
        x = scope.uniform(*(_pixels(value, width) for value in across)).trunc()
        y = scope.uniform(*(_pixels(value, height) for value in down)).trunc()
        return shifted(frame, x, y, "wrap")


class RandomFlip(Warp):
    """Mirrors views left to right, each by chance."""

    name = "random_flip"
    keeps_tile = True
    is_random = True
    probability: Probability = (0.5,)

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        width = frame[1]
        mirrored = scope.uniform(0, 1) < scope.numbers(self.probability)[0]

        def back(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            points = torch.where(column(mirrored, x) > 0, width - x, x)
            return points, y.expand_as(points)

        return Trace(frame, back)


class RandomPerspective(OutwardWarp):
    """Tilts every view as if seen from the side, each corner moving by its own share."""

    name = "random_perspective"
    example = 0.6
    is_random = True
    distortion: One = Field((0.3,), description="how far a corner may move inwards, as share of half the size")

    def trace(self, frame: Frame, scope: Scope) -> Trace:
        height, width = frame
        share = scope.numbers(self.distortion)[0]
        corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        inwards = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]) * share / 2
        draws = torch.stack([scope.uniform(0, 1) for _ in range(8)], -1).view(-1, 4, 2)
        rows = _homography(corners + inwards * draws, corners)

        def back(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            u, v = x / width, y / height
            a, b, c, d, e, f, g, h = (column(value, x) for value in rows.T)
            depth = (g * u + h * v + 1).clamp(min=1e-3)
            return (a * u + b * v + c) / depth * width, (d * u + e * v + f) / depth * height

        return Trace(frame, back, self.outside)


def _rotation(frame: Frame, degree: Tensor, centre_x: Tensor, centre_y: Tensor, outside: Outside) -> Trace:
    height, width = frame
    angle = degree * (math.pi / 180)

    def back(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        cos, sin = column(angle.cos(), x), column(angle.sin(), x)
        cx, cy = column(centre_x * width, x), column(centre_y * height, x)
        dx, dy = x - cx, y - cy
        return dx * cos - dy * sin + cx, dx * sin + dy * cos + cy

    return Trace(frame, back, outside)


def _pixels(value: float, side: int) -> float:
    return value * side if abs(value) <= 1 else value


def _homography(source: Tensor, target: Tensor) -> Tensor:
    """Solve for the eight numbers of the projective map that takes four points to four others.

    Args:
        source: [B, 4, 2].
        target: [4, 2].

    Returns:
        [B, 8], row by row, the ninth being 1.
    """
    u, v = source.unbind(-1)
    s, t = target.expand_as(source).unbind(-1)
    one, nil = torch.ones_like(u), torch.zeros_like(u)
    upper = torch.stack((u, v, one, nil, nil, nil, -s * u, -s * v), -1)
    lower = torch.stack((nil, nil, nil, u, v, one, -t * u, -t * v), -1)
    solved: Tensor = torch.linalg.solve(torch.cat((upper, lower), 1), torch.cat((s, t), 1)[..., None])
    return solved[..., 0]

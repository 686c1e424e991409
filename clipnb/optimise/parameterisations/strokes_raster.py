"""Differentiable drawing of cubic Bezier strokes, in tiles, so that a pixel sees only the strokes near it.

The picture is drawn as renderers of SVG draw it, with edges one pixel wide. Its gradient is that of softer edges, so
that a stroke is drawn towards what is beside it too. The distance of a pixel to a stroke is that to the tangent at the
curve's point nearest to its block of 2 x 2 pixels; where the distance is smallest, moving along the curve changes
nothing, so the point is searched without a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_BLOCKS = 4  # on a side of a tile
_TILE = 2 * _BLOCKS  # pixels of a side
_SAMPLES = 13  # of a curve, among which the nearest is searched
_CHUNK = 2048  # pairs of a tile and a stroke that are drawn at once: what they need stays in the processor's cache
MOST_KEPT = 50_000  # pairs of which everything is kept for the gradient, some 100 MiB; of more it is computed again
_OPAQUE = 0.9999
_WEIGHTS = torch.tensor([[1.0, 0, 0, 0], [-3, 3, 0, 0], [3, -6, 3, 0], [-1, 3, -3, 1]])  # of points, by power


class Curves(NamedTuple):
    """N strokes in pixels, the first one lowest.

    Attributes:
        points: float [N, 4, 2], x and y of the control points.
        widths: float [N], at least 1.
        colours: float [N, 3] in [0, 1].
        opacities: float [N] in [0, 1].
    """

    points: Tensor
    widths: Tensor
    colours: Tensor
    opacities: Tensor


def draw(curves: Curves, paper: Tensor, size: tuple[int, int], softness: Tensor, softest: float) -> Tensor:
    """Draw strokes on paper.

    Args:
        curves: the strokes.
        paper: float [3], its colour.
        size: height and width in pixels.
        softness: how far from an edge, in pixels, the gradient reaches; may be changed until it is computed.
        softest: the most that it may be; at least 0.5.

    Returns:
        float [3, H, W], differentiable in the strokes.
    """
    down, across = (math.ceil(side / _TILE) for side in size)
    device = paper.device
    with torch.no_grad():
        corners = _grid(down, across, device) * _TILE
        touched = _touched(down, across, curves.points, curves.widths / 2 + softest).flip(1)
        counts = touched.sum(1)
        order = counts.argsort(descending=True, stable=True)
        most = counts[order].tolist()
        table = torch.zeros(len(touched), max(1, most[0]), dtype=torch.long, device=device)  # the topmost first
        table[torch.arange(table.shape[1], device=device) < counts[:, None]] = (
            touched.shape[1] - 1 - touched.nonzero()[:, 1]
        )
    keep = sum(most) <= MOST_KEPT
    drawn, begin = [], 0
    while begin < len(order):
        layers = max(1, most[begin])
        tiles = order[begin : begin + max(1, _CHUNK // layers)]
        begin += len(tiles)
        own = [part[table[tiles, :layers]] for part in curves]
        own[3] = own[3] * (torch.arange(layers, device=device) < counts[tiles, None])
        drawn.append(_Tiles.apply(*own, paper, corners[tiles], softness, keep))
    image = torch.cat(drawn)[order.argsort()].view(down, across, _BLOCKS, _BLOCKS, 2, 2, 3)
    image = image.permute(6, 0, 2, 4, 1, 3, 5).reshape(3, down * _TILE, across * _TILE)
    return image[:, : size[0], : size[1]]


class _Tiles(torch.autograd.Function):
    """T tiles with K strokes each, as float [T, pixels, 3], pixels by blocks."""

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        widths: Tensor,
        colours: Tensor,
        opacities: Tensor,
        paper: Tensor,
        corners: Tensor,
        softness: Tensor,
        keep: bool,
    ) -> Tensor:
        layers = _layers(points, widths, opacities, corners)
        ctx.save_for_backward(points, widths, colours, opacities, paper, corners, *(layers if keep else ()))
        ctx.softness = softness
        return layers.weights.transpose(1, 2) @ colours + layers.through[..., None] * paper

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        points, widths, colours, opacities, paper, corners, *kept = ctx.saved_tensors
        layers = _Layers(*kept) if kept else _layers(points, widths, opacities, corners)
        paid = colours @ gradient.transpose(1, 2)  # [T, K, P], by the colour of a layer there
        below = (layers.weights * paid).cumsum(1)
        below = below[:, -1:] - below + (layers.through * (gradient @ paper))[:, None]
        of_alpha = layers.above * paid - below / (1 - layers.alpha)
        # The slope of the soft edge is a triangle about the edge.
        slope = 1 - (widths[..., None] / 2 - layers.distance).abs() / ctx.softness
        of_radius = of_alpha * opacities[..., None] * slope.clamp_(min=0) / ctx.softness
        pull = (of_radius / layers.distance).view_as(layers.aside)
        across, along = (pull * layers.aside).sum(-1), (pull * layers.beyond).sum(-1)
        tangent_x, tangent_y = layers.tangent.unbind(2)
        of_nearest = torch.stack([along * tangent_x - across * tangent_y, along * tangent_y + across * tangent_x], -1)
        of_powers = _powers(layers.places).transpose(2, 3) @ of_nearest
        return (
            _WEIGHTS.to(points).T @ of_powers,
            of_radius.sum(-1) / 2,
            layers.weights @ gradient,
            (of_alpha * layers.cover).sum(-1),
            None,
            None,
            None,
            None,
        )


class _Layers(NamedTuple):
    """What is seen of K strokes in T tiles of B blocks, together P pixels.

    Attributes:
        places: where on the curve, from 0 to 1, the point nearest to a block is, float [T, K, B].
        tangent: unit vector there, float [T, K, 2, B].
        aside: from the tangent to each pixel, float [T, K, B, 4]; positive on its right.
        beyond: how far a pixel is beyond the end of the curve, float [T, K, B, 4]; negative before its beginning.
        distance: of a pixel to the curve, float [T, K, P].
        cover: how much of a pixel is covered, float [T, K, P].
        alpha: how opaque the stroke is there, float [T, K, P].
        above: how much is let through by the strokes above, float [T, K, P].
        weights: how much of the pixel's colour is the stroke's, float [T, K, P].
        through: how much is the paper's, float [T, P].
    """

    places: Tensor
    tangent: Tensor
    aside: Tensor
    beyond: Tensor
    distance: Tensor
    cover: Tensor
    alpha: Tensor
    above: Tensor
    weights: Tensor
    through: Tensor


def _layers(points: Tensor, widths: Tensor, opacities: Tensor, corners: Tensor) -> _Layers:
    blocks = corners[:, None] + 2 * _grid(_BLOCKS, _BLOCKS, corners.device) + 1
    powers = (_WEIGHTS.to(points) @ points).unbind(2)
    places = _nearest(blocks, points, powers)
    way, speed = _way_and_speed(blocks, powers, places)
    length = _dot(speed, speed).sqrt_()[:, :, None].clamp_(min=1e-6)
    tangent = speed / length
    tangent_x, tangent_y = tangent.unbind(2)
    way_x, way_y = way.unbind(2)
    offset_x, offset_y = (_grid(2, 2, corners.device) - 0.5).unbind(1)
    ahead = (way_x * tangent_x + way_y * tangent_y)[..., None]
    ahead = ahead + tangent_x[..., None] * offset_x + tangent_y[..., None] * offset_y
    aside = (way_y * tangent_x - way_x * tangent_y)[..., None]
    aside = aside + tangent_x[..., None] * offset_y - tangent_y[..., None] * offset_x
    # How much curve there is behind and ahead, as far as a tangent may stand for it.
    behind, rest = ((part * length[:, :, 0]).clamp(-1, 1)[..., None] for part in (-places, 1 - places))
    beyond = ahead - torch.minimum(torch.maximum(ahead, behind), rest)
    distance = torch.addcmul(aside * aside, beyond, beyond).add_(1e-6).sqrt_().flatten(2)
    cover = ((widths / 2 + 0.5)[..., None] - distance).clamp_(0, 1)
    alpha = (cover * opacities[..., None]).clamp_(max=_OPAQUE)
    above = (1 - alpha).cumprod(1)
    through = above[:, -1]
    above = torch.cat([torch.ones_like(above[:, :1]), above[:, :-1]], 1)
    return _Layers(places, tangent, aside, beyond, distance, cover, alpha, above, alpha * above, through)


def _nearest(spots: Tensor, points: Tensor, powers: Sequence[Tensor]) -> Tensor:
    """Return where on curves, from 0 to 1, the points nearest to spots are.

    Args:
        spots: float [T, B, 2].
        points: float [T, K, 4, 2].
        powers: the curves as polynomials: four times float [T, K, 2].

    Returns:
        float [T, K, B].
    """
    samples = _sampled(points)
    squares = (-2 * samples.flatten(1, 2) @ spots.transpose(1, 2)).view(*samples.shape[:3], -1)
    squares += samples.square().sum(-1, keepdim=True)  # without what does not differ between samples
    least, *others = squares.unbind(2)
    places = torch.zeros_like(least)
    for number, other in enumerate(others, 1):  # argmin takes ten times as long
        places.masked_fill_(other < least, number / (_SAMPLES - 1))
        least = torch.minimum(least, other)
    way, speed = _way_and_speed(spots, powers, places)
    move = _dot(way, speed) / _dot(speed, speed).clamp_(min=1e-6)  # Newton's, along the tangent
    return (places + move.clamp_(-0.5 / (_SAMPLES - 1), 0.5 / (_SAMPLES - 1))).clamp_(0, 1)


def _way_and_speed(spots: Tensor, powers: Sequence[Tensor], places: Tensor) -> tuple[Tensor, Tensor]:
    """Return the ways from points of curves to spots, and the slopes of the curves there, float [T, K, 2, B]."""
    constant, linear, square, cube = (power[..., None] for power in powers)
    places = places[:, :, None]
    curved = cube * places
    way = spots.transpose(1, 2)[:, None] - (((curved + square) * places + linear) * places + constant)
    return way, (3 * curved + 2 * square) * places + linear


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Return the inner products along dimension 2, which has x and y; sums of so few are slow."""
    return one[:, :, 0] * other[:, :, 0] + one[:, :, 1] * other[:, :, 1]


def _sampled(points: Tensor) -> Tensor:
    """Return points of curves [..., 4, 2], evenly spaced in their parameter, as [..., S, 2]."""
    return _powers(torch.linspace(0, 1, _SAMPLES, device=points.device)) @ (_WEIGHTS.to(points) @ points)


def _touched(down: int, across: int, points: Tensor, reach: Tensor) -> Tensor:
    """Return which tiles of so many rows and columns strokes come near to, bool [tiles, N]."""
    samples = _sampled(points)
    gaps = samples.diff(dim=1).square().sum(-1).amax(1) / 4
    aside, below = (
        ((torch.arange(count, device=points.device) + 0.5)[:, None, None] * _TILE - places.T).abs() - _TILE / 2
        for count, places in ((across, samples[..., 0]), (down, samples[..., 1]))
    )  # [columns or rows, S, N], from the samples to the sides of tiles
    aside, below = aside.clamp(min=0).square(), below.clamp(min=0).square()
    limits = reach.square() + gaps
    near = (below.amin(1) < limits)[:, None] & (aside.amin(1) < limits)  # few are, and only they are looked at closely
    row, column, stroke = near.nonzero().unbind(1)
    near[row, column, stroke] = (below[row, :, stroke] + aside[column, :, stroke]).amin(1) < limits[stroke]
    return near.flatten(0, 1)


def _powers(places: Tensor) -> Tensor:
    """Return the powers 0 to 3 in a new last dimension."""
    squares = places * places
    return torch.stack([torch.ones_like(places), places, squares, squares * places], -1)


def _grid(rows: int, columns: int, device: torch.device) -> Tensor:
    """Return x and y of the cells of a grid, float [rows * columns, 2]."""
    y, x = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")
    return torch.stack([x, y], -1).view(-1, 2).float()

"""Strokes of a brush."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from clipnb.optimise.language import variables
from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.parameterisations.base import ImageParameters
from clipnb.optimise.parameterisations.motion import Motion
from clipnb.optimise.parameterisations.sketched import Sketched
from clipnb.optimise.parameterisations.strokes_raster import Curves, draw

MOST_STROKES = 5_000
_SIDE = 224  # pixels of the longer side of a picture that widths and steps are given for
_NARROWEST, _WIDEST = 0.5, 64.0
# What a step of Adam, .01, moves: a point by 1 pixel, a width by .1, colours and opacities by .01 (Frans et al.,
# "CLIPDraw", 2021).
_POINT, _WIDTH = 100.0, 10.0
_SOFTEST = 2.0  # pixels of a picture of 224 that the gradient reaches from an edge in the beginning; 1 in the end
_PAINT, _FAINT = 0.9, 0.5  # opacities in the beginning: of strokes that paint a picture, of those at random
_LENGTH = 0.05  # of a stroke's three parts in the beginning, on average, as a share of the longer side
_FIT_STEPS, _FIT_SIDE = 80, 128


class Strokes(Sketched):
    """Strokes on paper, each along a cubic Bezier curve, of one width, colour and opacity; an SVG is saved too."""

    name = "strokes"
    takes_pictures: ClassVar[bool] = False
    count: Annotated[int, NumberField(int, (0,), variables.NONE, 1, MOST_STROKES, drawn=False)] = Field(
        256, description="how many strokes"
    )
    width: Annotated[float, NumberField(float, (0,), variables.NONE, _NARROWEST, _WIDEST, drawn=False)] = Field(
        4.0, description="width of the strokes in the beginning, in pixels of a picture of 224"
    )
    paper: Annotated[Numbers, NumberField(float, (3,), variables.NONE, 0, 1, drawn=False)] = Field(
        (1.0, 1.0, 1.0), description="colour of the paper"
    )

    def build(self, size: tuple[int, int], device: torch.device) -> ImageParameters:
        return StrokeParameters(size, self, device)


class StrokeParameters(ImageParameters):
    """Points, widths, colours and opacities of strokes, in units of which an optimiser's step moves each far enough."""

    paper: Tensor
    softness: Tensor

    def __init__(self, size: tuple[int, int], strokes: Strokes, device: torch.device) -> None:
        super().__init__(size, strokes.step)
        self._width = strokes.width
        self.register_buffer("paper", torch.tensor(strokes.paper, device=device))
        softest = torch.tensor(self._pixel * _SOFTEST, device=device)
        self.register_buffer("softness", softest, persistent=False)
        self.points = nn.Parameter(torch.zeros(strokes.count, 4, 2, device=device))
        self.widths = nn.Parameter(torch.zeros(strokes.count, device=device))
        self.colours = nn.Parameter(torch.full((strokes.count, 3), 0.5, device=device))
        self.opacities = nn.Parameter(torch.zeros(strokes.count, device=device))
        self._scatter(Randomness(0, device), self._width)

    def curves(self, size: tuple[int, int]) -> Curves:
        """Return the strokes in pixels of a picture of a height and width."""
        scale = max(size) / _SIDE
        return Curves(
            self.points * _POINT * scale,
            (self.widths * _WIDTH * scale).clamp(min=1),
            self.colours.clamp(0, 1),
            self.opacities.clamp(0, 1),
        )

    def at(self, time: float) -> bool:
        self.softness.fill_(self._pixel * (_SOFTEST - (_SOFTEST - 1) * time))
        return False  # only the gradient is another

    def forward(self) -> Tensor:
        return draw(self.curves(self.size), self.paper, self.size, self.softness, self._pixel * _SOFTEST)

    @property
    def _pixel(self) -> float:
        """The width of a pixel of a picture of 224, in pixels; at least one."""
        return max(1.0, max(self.size) / _SIDE)

    @torch.no_grad()
    def assign(self, image: Tensor) -> None:
        """Begin with broad strokes in the image's colours, and move them to where they differ least from it."""
        height, width = image.shape[-2:]
        scale = min(1.0, _FIT_SIDE / max(height, width))
        small = (max(1, round(height * scale)), max(1, round(width * scale)))
        wanted = F.interpolate(image[None], small, mode="area")[0]
        area = self.size[0] * self.size[1] / max(self.size) ** 2 * _SIDE**2  # in pixels that widths are given in
        self._scatter(Randomness(0, image.device), 1.5 * (area / len(self.points)) ** 0.5)
        self.opacities.fill_(_PAINT)
        spots = self.points.mean(1) * _POINT * max(small) / _SIDE
        x, y = (spot.long().clamp(0, most - 1) for spot, most in zip(spots.T, reversed(small), strict=True))
        self.colours.copy_(wanted[:, y, x].T)
        optimiser = torch.optim.Adam(self.parameters(), lr=0.01)
        softness = torch.tensor(_SOFTEST, device=image.device)
        with torch.enable_grad():
            for step in range(_FIT_STEPS):
                optimiser.param_groups[0]["lr"] = 0.02 * (1 - step / _FIT_STEPS)
                drawn = draw(self.curves(small), self.paper, small, softness, _SOFTEST)
                torch.autograd.backward(F.mse_loss(drawn, wanted), inputs=list(self.parameters()))
                optimiser.step()
                optimiser.zero_grad()
                self.project()

    @torch.no_grad()
    def assign_noise(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        self._scatter(randomness, self._width)
        self.colours.copy_((mean + std * randomness.normal(len(self.colours), 3)).clamp(0, 1))

    @torch.no_grad()
    def project(self) -> None:
        least = max(_NARROWEST, _SIDE / max(self.size))  # narrower than a pixel, a stroke could not grow again
        self.widths.clamp_(least / _WIDTH, max(least, _WIDEST) / _WIDTH)
        self.colours.clamp_(0, 1)
        self.opacities.clamp_(0, 1)

    def resize(self, size: tuple[int, int]) -> bool:
        sides, old = (self.points.new_tensor(one).flip(0) / max(one) for one in (size, self.size))
        self.points.data *= sides / old
        self.size = size
        return True

    @torch.no_grad()
    def move(self, motion: Motion, randomness: Randomness) -> bool:
        """Move the strokes; those that leave the picture begin anew in it, as short as at first."""
        if motion.zoom < 1:  # there are no strokes for what comes into view
            return False
        sides = self.points.new_tensor(self.size).flip(0) / max(self.size) * _SIDE / _POINT
        offset = sides * (0.5 + self.points.new_tensor((motion.right, motion.down)))
        self.points.copy_((self.points - sides / 2) @ motion.back.to(sides).inverse().T + offset)
        self.widths.mul_(motion.zoom)
        reach = (self.widths * _WIDTH / _POINT / 2)[:, None]
        low, high = self.points.amin(1) - reach, self.points.amax(1) + reach
        gone = ((high < 0) | (low > sides)).any(1)
        if gone.any():
            moved = [parameter.clone() for parameter in (self.points, self.widths, self.opacities)]
            places = None if motion.zoom > 1 else self.points.mean(1).remainder(sides)  # at the edge that is uncovered
            self._scatter(randomness, self._width, places)
            for parameter, stay in zip((self.points, self.widths, self.opacities), moved, strict=True):
                parameter.copy_(torch.where(gone.view(-1, *[1] * (stay.ndim - 1)), parameter, stay))
        self.project()
        return True

    def extra_files(self) -> dict[str, Callable[[], bytes]]:
        return {".svg": self._svg}

    @torch.no_grad()
    def _svg(self) -> bytes:
        height, width = self.size
        paths = [
            f'<path d="M{_xy(points[:1])}C{_xy(points[1:])}" stroke="{_hex(colour)}" stroke-width="{stroke:.3g}" '
            f'stroke-opacity="{opacity:.3g}"/>'
            for points, stroke, colour, opacity in zip(*(part.tolist() for part in self.curves(self.size)), strict=True)
        ]
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        )
        paper = f'<rect width="{width}" height="{height}" fill="{_hex(self.paper.tolist())}"/>'
        group = '<g fill="none" stroke-linecap="round" stroke-linejoin="round">'
        return "\n".join([head, paper, group, *paths, "</g>", "</svg>", ""]).encode()

    @torch.no_grad()
    def _scatter(self, randomness: Randomness, width: float, places: Tensor | None = None) -> None:
        """Put strokes anywhere, or at places [N, 2], each point of them a little off the one before."""
        count, sides = len(self.points), self.points.new_tensor(self.size).flip(0) / max(self.size)
        begin = randomness.uniform(2 * count, 0, 1).view(count, 1, 2).to(sides) * sides
        begin = begin if places is None else places[:, None] * _POINT / _SIDE
        offsets = randomness.normal(count, 3, 2) * _LENGTH
        points = torch.cat([begin, begin + offsets.cumsum(1)], 1)
        self.points.copy_(points * _SIDE / _POINT)
        self.widths.fill_(width / _WIDTH)
        self.opacities.fill_(_FAINT)
        self.project()


def _xy(points: list[list[float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _hex(colour: list[float]) -> str:
    return "#" + bytes(round(255 * channel) for channel in colour).hex()

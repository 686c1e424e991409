"""Cells of a few colours."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Annotated, Literal

import torch
from PIL import Image
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ConfigError
from clipnb.images import open_image, to_pil, to_png
from clipnb.optimise.language import variables
from clipnb.optimise.language.fields import ImageName
from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.parameterisations.base import ImageParameters
from clipnb.optimise.parameterisations.fourier import FourierParameters
from clipnb.optimise.parameterisations.palette_colours import MOST_COLOURS, FixedPalette, colours_of, main_colours
from clipnb.optimise.parameterisations.sketched import Sketched

MOST_CELLS = 512
"""Cells on a side."""
_CELLS, _COLOURS = 64, 16
_DECAY = 1.3  # of the waves
_FOLLOW = 0.2  # how far a colour of the palette moves in a step, on its way to the mean of its cells
_ROW = sqrt(3) / 2  # height of a row of hexagons, of which each is 1 wide
_INDEX = "-index.png"


class Palette(Sketched):
    """Square or hexagonal cells, each of exactly one of a few colours; an index PNG of the cells is saved too.

    Pixel art, patterns for knitting and for beads.
    """

    name = "palette"
    cells: Annotated[
        Numbers | None, NumberField(int, (2,), variables.NONE, 1, MOST_CELLS, optional=True, drawn=False)
    ] = Field(
        None, description="width height in cells; by default 64 on the longer side, fewer where pixels are too few"
    )
    colours: Annotated[
        int | None, NumberField(int, (0,), variables.NONE, 2, MOST_COLOURS, optional=True, drawn=False)
    ] = Field(None, description="how many colours; by default 16, or those of `fixed`")
    fixed: FixedPalette = Field(
        None, description="colours that stay: a list, or one of blackwhite, c64, cga, gameboy, pico8, sepia, spectrum"
    )
    image: ImageName | None = Field(None, description="path or URL of a picture whose main colours are taken, and stay")
    cell: Literal["square", "hex"] = Field("square", description="shape of the cells")

    @model_validator(mode="after")
    def _one_palette(self) -> Palette:
        if self.fixed is not None and self.image is not None:
            raise ValueError("the colours are those of fixed or of an image, not both")
        if self.fixed is not None and self.colours not in (None, len(colours_of(self.fixed))):
            raise ValueError(f"fixed has {len(colours_of(self.fixed))} colours, not {self.colours}; leave colours out")
        return self

    def build(self, size: tuple[int, int], device: torch.device) -> ImageParameters:
        if self.fixed is not None:
            fixed = colours_of(self.fixed)
        elif self.image is not None:
            fixed = main_colours(open_image(self.image), self.colours or _COLOURS)
        else:
            fixed = None
        return PaletteParameters(size, self, fixed, device)

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the rows and columns of cells in a picture of a height and width in pixels.

        Raises:
            ConfigError: there are more cells than pixels.
        """
        height, width = size
        if self.cells is not None:
            columns, rows = (int(number) for number in self.cells)  # type: ignore[arg-type]
            if columns > width or rows > height:
                raise ConfigError(
                    f"pixels.palette.cells: {columns} x {rows} cells are more than the picture's {width} x {height} "
                    "pixels; take fewer cells, or a larger resolution"
                )
            return rows, columns
        side = max(size) / _CELLS
        pitch = side * (_ROW if self.cell == "hex" else 1)
        return max(1, min(height, round(height / pitch))), max(1, min(width, round(width / side)))


class PaletteParameters(ImageParameters):
    """Colours of cells, as waves; and a palette that follows them, unless it is fixed.

    A cell is judged and shown in the colour of the palette that is nearest to its own, and moves as if it were seen in
    its own: mixtures of the palette could move only where the palette already spreads, and it begins nearly grey.
    """

    colours: Tensor
    places: Tensor

    def __init__(self, size: tuple[int, int], palette: Palette, fixed: Tensor | None, device: torch.device) -> None:
        cells = FourierParameters(palette.grid(size), palette.step, _DECAY, device)
        super().__init__(size, cells.rate)
        self.cells = cells
        self._palette, self._is_fixed = palette, fixed is not None
        colours = torch.zeros(palette.colours or _COLOURS, 3) if fixed is None else fixed
        self.register_buffer("colours", colours.to(device))
        self.register_buffer("places", _places(size, cells.size, palette.cell).to(device), persistent=False)

    def forward(self) -> Tensor:
        own = self._cells()
        nearest = self.colours[self._distances(own).argmin(1)]
        return self._drawn(nearest + (own - own.detach()))  # exactly the palette's; the gradient is that of `own`

    @torch.no_grad()
    def assign(self, image: Tensor) -> None:
        self.cells.assign(F.interpolate(image[None], self.cells.size, mode="area")[0])
        if not bool(self.colours.any()):  # else a film, or post-processing, would change the palette in every step
            self._choose_colours()

    @torch.no_grad()
    def assign_noise(self, mean: Tensor, std: Tensor, randomness: Randomness) -> None:
        self.cells.assign_noise(mean, std, randomness)
        self._choose_colours()

    @torch.no_grad()
    def project(self) -> None:
        """Let the palette follow the cells as k-means does; a colour that no cell has becomes that of the worst off."""
        if self._is_fixed:
            return
        cells = self._cells()
        least, chosen = self._distances(cells).min(1)
        members = F.one_hot(chosen, len(self.colours)).to(cells)
        counts = members.sum(0)[:, None]
        means = torch.where(counts > 0, members.T @ cells / counts.clamp(min=1), self.colours)
        self.colours.lerp_(means, _FOLLOW)
        unused = counts[:, 0].argmin()
        if counts[unused] == 0:
            self.colours[unused] = cells[least.argmax()]

    def resize(self, size: tuple[int, int]) -> bool:
        if self._palette.grid(size) != self.cells.size:
            return False
        self.size = size
        self.places = _places(size, self.cells.size, self._palette.cell).to(self.places.device)
        return True

    def extra_files(self) -> dict[str, Callable[[], bytes]]:
        return {_INDEX: self._index}

    @torch.no_grad()
    def _index(self) -> bytes:
        """Return an indexed PNG of one pixel a cell; of hexagons every other row is shifted by half a cell."""
        indices = self._distances(self._cells()).argmin(1).view(self.cells.size)
        index = Image.fromarray(indices.byte().cpu().numpy())
        index.putpalette(self.colours.mul(255).round().byte().cpu().numpy().tobytes())
        return to_png(index)

    def _cells(self) -> Tensor:
        """Return the colours of the cells, float [cells, 3]."""
        cells: Tensor = self.cells()
        return cells.flatten(1).T

    def _distances(self, cells: Tensor) -> Tensor:
        """Return the squared distances of colours [cells, 3] from those of the palette, float [cells, K]."""
        return (cells[:, None] - self.colours).square().sum(-1)

    def _drawn(self, colours: Tensor) -> Tensor:
        """Draw the cells in colours [cells, 3]."""
        return colours.T[:, self.places]

    def _choose_colours(self) -> None:
        if not self._is_fixed:
            self.colours.copy_(main_colours(to_pil(self.cells()), len(self.colours)))


def _places(size: tuple[int, int], grid: tuple[int, int], shape: str) -> Tensor:
    """Return the number of the cell that each pixel belongs to, [H, W]."""
    height, width = size
    rows, columns = grid
    if shape == "square":
        down, across = torch.arange(height) * rows // height, torch.arange(width) * columns // width
        return down[:, None] * columns + across
    # Hexagons are what is nearest to centres of which each row is shifted by half a cell against the next.
    y = (torch.arange(height) + 0.5) / height * rows - 0.5
    x = (torch.arange(width) + 0.5) / width * (columns + 0.5) - 0.5
    best = torch.full((height, width), float("inf"))
    places = torch.zeros(height, width, dtype=torch.long)
    for step in (-1, 0, 1):
        row = (y.round() + step).clamp(0, rows - 1)[:, None]
        shift = row % 2 / 2
        column = (x[None] - shift).round().clamp(0, columns - 1)
        distance = ((y[:, None] - row) * _ROW) ** 2 + (x[None] - column - shift) ** 2
        nearer = distance < best
        best = torch.where(nearer, distance, best)
        places = torch.where(nearer, (row * columns + column).long(), places)
    return places

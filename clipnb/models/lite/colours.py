"""How much of a picture has which colour, and how much a text speaks of it; a small axis of `lite`'s embeddings."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# The eleven basic colour terms of Berlin and Kay (Basic Color Terms, 1969), each with a typical sRGB value.
COLOURS: dict[str, tuple[float, float, float]] = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "grey": (0.5, 0.5, 0.5),
    "red": (0.8, 0.1, 0.1),
    "orange": (0.95, 0.55, 0.1),
    "yellow": (0.95, 0.9, 0.2),
    "green": (0.2, 0.6, 0.2),
    "blue": (0.15, 0.3, 0.8),
    "purple": (0.5, 0.2, 0.6),
    "pink": (0.95, 0.6, 0.7),
    "brown": (0.45, 0.28, 0.15),
}
_CELLS = 28  # a side of the grid that colours are averaged over; finer than things, coarser than texture
_SOFTNESS = 0.03  # squared sRGB distance; small enough to tell red from orange, large enough for a gradient
_FULL = 6.0  # standard deviations at which a text counts as speaking of nothing but a colour


def colours_of_pictures(pixels: Tensor) -> Tensor:
    """Tell what share of each picture is nearest to which colour; differentiable.

    Args:
        pixels: float [B, 3, S, S], RGB in [0, 1].

    Returns:
        float32 [B, 11], centred, unit length.
    """
    cells = F.adaptive_avg_pool2d(pixels.float(), _CELLS).flatten(2).transpose(1, 2)  # [B, cells, 3]
    typical = torch.tensor(list(COLOURS.values()), device=pixels.device)
    distances = (cells[:, :, None] - typical).square().sum(-1)
    shares = (-distances / _SOFTNESS).softmax(-1).mean(1)
    return F.normalize(shares - shares.mean(-1, keepdim=True), dim=-1)


class ColoursOfTexts:
    """Tells how much a text speaks of each colour: its cosines with their names, against those of plain things.

    Without that comparison every text would be tinted by chance, and more things be lost than colours gained.
    """

    def __init__(self, colours: Tensor, things: Tensor) -> None:
        """Keep the colours' directions and how things usually relate to them.

        Args:
            colours: float32 [11, d], embeddings of the colours' names, in the order of `COLOURS`.
            things: float32 [n, d], centred unit embeddings of things of any colour.
        """
        self._directions = F.normalize(colours - colours.mean(0), dim=-1)
        usual = things @ self._directions.T
        self._mean, self._deviation = usual.mean(0), usual.std(0)

    def __call__(self, texts: Tensor) -> Tensor:
        """Measure texts.

        Args:
            texts: float32 [n, d], centred unit embeddings.

        Returns:
            float32 [n, 11], centred; longer the more a text speaks of colours, at most 1.
        """
        scores = (texts @ self._directions.T - self._mean) / (self._deviation * _FULL)
        scores = scores - scores.mean(-1, keepdim=True)
        lengths: Tensor = torch.linalg.vector_norm(scores, dim=-1, keepdim=True)
        return scores / lengths.clamp(min=1)

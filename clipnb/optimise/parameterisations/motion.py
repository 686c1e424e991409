"""How a picture moves from one frame of a film to the next."""

from __future__ import annotations

from math import cos, sin
from typing import NamedTuple

import torch
from torch import Tensor


class Motion(NamedTuple):
    """A move of the camera about the middle of a picture.

    Attributes:
        zoom: how much nearer it comes, from .01 to 100.
        right, down: how far the picture moves, as shares of its width and height.
        angle: how far it turns counter-clockwise, in radians.
    """

    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0
    angle: float = 0.0

    @property
    def back(self) -> Tensor:
        """What takes a place x, y of the new frame, counted from where its middle came to, to its source; [2, 2]."""
        across, along = cos(self.angle) / self.zoom, sin(self.angle) / self.zoom
        return torch.tensor([[across, -along], [along, across]])

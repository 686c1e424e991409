"""Constraints that compare the picture with another: it stays near it, or takes its manner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.constraints import Constraint
from clipnb.optimise.language.fields import ImageName
from clipnb.optimise.language.scope import Scope

Stages = Callable[[Tensor], list[Tensor]]
"""From a picture, float [3, h, w], to what the first stages of an encoder make of it, [C, N] each."""

_COLOURS = 64  # side in pixels that colours are compared at
_TINY = 1e-6


class Likeness(Constraint):
    """A loss between measurements of the picture, or of its part in the target's region, and of another picture.

    Unlike other constraints it does not see the target's views: what is compared is not turned or cut.

    Attributes:
        is_placed: whether the other picture lies over the whole picture; else it lies over the part.
    """

    is_placed: ClassVar[bool] = False
    image: ImageName = Field(description="path or URL of the other picture, scaled and cropped to fit")
    by: str

    @classmethod
    def example_text(cls) -> str:
        return f"{cls.name}: photograph.png"

    @property
    def needs_encoder(self) -> bool:
        """Whether it asks an encoder for what its stages make of a picture."""
        return self.by == "features"

    @abstractmethod
    def measure(self, picture: Tensor, stages: Stages) -> list[Tensor]:
        """Measure what should be equal, of a picture [3, h, w]."""

    def differences(self, views: Tensor, scope: Scope) -> Tensor:
        raise NotImplementedError("it compares the picture, not views")

    def distance(self, measured: list[Tensor], wanted: list[Tensor]) -> Tensor:
        """Compare two measurements: 0 where they are equal, about `factor` where nothing of them is; a scalar."""
        pairs = zip(measured, wanted, strict=True)
        parts = [self._power(m - w).mean() / self._power(w).mean().clamp(min=_TINY) for m, w in pairs]
        return self.factor * torch.stack(parts).mean()

    def _power(self, values: Tensor) -> Tensor:
        return values.abs() if self.loss in ("l1", "mae") else values.square()


class Like(Likeness):
    """Keeps the picture near another one: in its pixels, its edges, or what an encoder's stages see where."""

    name = "like"
    factor = 10.0
    is_placed = True
    by: Literal["pixels", "edges", "features"] = Field(
        "pixels", description="what is compared: colours of pixels, edges of brightness, features of an encoder"
    )

    def measure(self, picture: Tensor, stages: Stages) -> list[Tensor]:
        if self.by == "pixels":
            return [picture]
        if self.by == "features":
            return stages(picture)[-2:]
        gray = F.avg_pool2d(picture.mean(0)[None], 3, 1, 1, count_include_pad=False)[0]
        return [gray.diff(dim=-1), gray.diff(dim=-2)]


class Style(Likeness):
    """Gives the picture the manner of another one: how features of an encoder's stages go together, or its colours."""

    name = "style"
    factor = 10.0
    by: Literal["features", "colours"] = Field(
        "features",
        description="what is compared: textures by an encoder's first stages, or the distribution of colours",
    )

    def measure(self, picture: Tensor, stages: Stages) -> list[Tensor]:
        if self.by == "features":
            return [_correlations(stage) for stage in stages(picture)]
        # sorted along several directions, colours are equal where their distributions are (sliced Wasserstein distance)
        colours = F.interpolate(picture[None], (_COLOURS, _COLOURS), mode="area")[0].flatten(1)
        signs = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, -1, 0], [1, 0, -1], [0, 1, -1]])
        directions = F.normalize(signs.to(colours), dim=1)
        return list((directions @ colours).sort(1).values)


def _correlations(stage: Tensor) -> Tensor:
    """Return how often channels are active together (Gram matrix), and their means beside; [C, C + 1]."""
    return torch.cat((stage @ stage.T, stage.sum(1, keepdim=True)), 1) / stage.shape[1]

"""How certain an encoder is of what it sees, in one picture or in several together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Sight(ABC):
    """How certain an encoder is of what it sees in one picture, by a calibration of its own."""

    @cached_property
    def certainty(self) -> float:
        """Certainty of the thing that fits best, in [0, 1]; where it is low nothing that the encoder knows fits."""
        return max(certainty for _, certainty in self.things())

    @property
    @abstractmethod
    def portrait(self) -> float:
        """Certainty that a person's face looks out of the picture, in [0, 1]."""

    @abstractmethod
    def things(self) -> list[tuple[str, float]]:
        """Return kinds of things ("a dog", "an animal"), the most specific first, with their certainty in [0, 1]."""

    @abstractmethod
    def certainties(self, texts: Sequence[str], embeddings: Tensor) -> list[float]:
        """Return how certain it is that each text names what the picture shows, in [0, 1].

        Args:
            texts: N texts.
            embeddings: [N, D], of the same encoder.
        """


class SharedSight(Sight):
    """What an encoder sees in several pictures together: certainties are means over them."""

    def __init__(self, sights: Sequence[Sight]) -> None:
        """Keep at least one sight of one encoder."""
        self._sights = sights

    @property
    def portrait(self) -> float:
        return fmean(sight.portrait for sight in self._sights)

    def things(self) -> list[tuple[str, float]]:
        """Return what any picture shows; what one does not name counts as 0 there."""
        found = [sight.things() for sight in self._sights]
        names = dict.fromkeys(name for rank in zip(*found, strict=True) for name, _ in rank)
        certainties = [dict(one) for one in found]
        return [(name, fmean(one.get(name, 0.0) for one in certainties)) for name in names]

    def certainties(self, texts: Sequence[str], embeddings: Tensor) -> list[float]:
        found = [sight.certainties(texts, embeddings) for sight in self._sights]
        return [fmean(of_text) for of_text in zip(*found, strict=True)]

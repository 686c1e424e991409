"""A picture being interrogated: its embedding, the tables, and the measures that every mode needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from clipnb.interrogate.labels import LabelTable, RankedLabel, rank_together
from clipnb.interrogate.settings import Settings
from clipnb.models.encoder import DualEncoder

STYLE_TABLES = ("mediums", "artists", "trendings", "movements")
"""Tables that are noise to an encoder which knows things but no styles."""


@dataclass(frozen=True)
class Scene:
    """One picture and everything to describe it with.

    Attributes:
        encoder: measures how well texts suit the picture.
        features: float32 [D], the picture's embedding, unit length.
        settings: how it is done.
        styles: whether mediums, artists, sites and movements take part.
        table: gives a label table by its name; built on first use.
        ranked: the best labels of every table that was asked, by table.
    """

    encoder: DualEncoder
    features: Tensor
    settings: Settings
    styles: bool
    table: Callable[[str], LabelTable]
    ranked: dict[str, tuple[RankedLabel, ...]] = field(default_factory=dict)

    def best(self, table: str, count: int = 1, *, reverse: bool = False) -> list[RankedLabel]:
        """Rank one table; none where it is a style table and styles take no part.

        Args:
            table: its name.
            count: how many labels at most.
            reverse: the least similar ones instead.

        Returns:
            Labels, best first.
        """
        return self.best_together([table], count, reverse=reverse)

    def best_together(self, tables: Sequence[str], count: int, *, reverse: bool = False) -> list[RankedLabel]:
        """Rank several tables together; style tables are left out where styles take no part."""
        taking_part = [self.table(name) for name in tables if self.styles or name not in STYLE_TABLES]
        for table in taking_part:
            top = table.rank(self.features[None], self.settings.top_labels, reverse=reverse)[0]
            self.ranked[table.name] = tuple(top)
        return rank_together(taking_part, self.features, count, reverse=reverse)

    def similarities(self, texts: Sequence[str]) -> list[float]:
        """Measure texts against the picture: cosines in [-1, 1]."""
        cosines: list[float] = (self.encoder.encode_text(texts) @ self.features).tolist()
        return cosines

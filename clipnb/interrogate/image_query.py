"""Images being interrogated: their embeddings, the ranked tables, and the measures that every mode needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from clipnb.interrogate.labels.collection import COLLECTION
from clipnb.interrogate.labels.table import LabelTable, RankedLabel, Tables, best_of
from clipnb.interrogate.prompt import Phrase, opening
from clipnb.interrogate.resources import Resources
from clipnb.interrogate.settings import Settings
from clipnb.models.encoder import DualEncoder
from clipnb.models.sight import Sight

STYLE_TABLES = ("mediums", "artists", "trendings", "movements")
"""Tables that are noise to an encoder which knows things but no styles."""

Embed = Callable[[Sequence[str]], Tensor]
"""Embeds texts: float32 [N, D], unit length."""


class Rankings:
    """The label tables ranked for a batch of images, each ranking made once for all of them.

    Attributes:
        features: the images' embeddings, float32 [B, D], unit length.
        tables: the label tables.
        resources: what some modes need besides.
    """

    def __init__(self, features: Tensor, tables: Tables, resources: Resources) -> None:
        self.features, self.tables, self.resources = features, tables, resources
        self._made: dict[tuple[str, int, bool], list[list[RankedLabel]]] = {}

    def best(self, image: int, table: str, count: int, *, reverse: bool) -> list[RankedLabel]:
        key = (table, count, reverse)
        if key not in self._made:
            self._made[key] = self.tables.open(table).rank(self.features, count, reverse=reverse)
        return self._made[key][image]

    def nearest(self, image: int, count: int) -> list[RankedLabel]:
        """Return the prompts of the collection that are nearest to an image; one search for all images."""
        key = (COLLECTION, count, False)
        if key not in self._made:
            self._made[key] = self.resources.collection.nearest(self.features, count, self.tables.avoided.allows)
        return self._made[key][image]


@dataclass(frozen=True)
class ImageQuery:
    """One image of a batch and everything to describe it with.

    Attributes:
        encoder: measures how well texts suit the image.
        settings: how it is done.
        styles: whether mediums, artists, sites and movements take part.
        rankings: the tables, ranked for the whole batch.
        image: which one of the batch this is.
        ranked: the best labels of every table that was asked, by table.
        members: the images that are described together, float32 [N, D]; None for one image, whose features count.
        least: merit that a phrase must exceed in modes of several images.
        pixels: the image as the encoder sees it, uint8 [3, S, S]; None where it is of several images.
        caption_is_composed: whether the caption is made of label tables.
        captions: returns up to so many captions that the captioner proposes.
        sight: how certain the encoder is of what it sees; None where it has no calibration.
    """

    encoder: DualEncoder
    settings: Settings
    styles: bool
    rankings: Rankings
    image: int = 0
    ranked: dict[str, tuple[RankedLabel, ...]] = field(default_factory=dict)
    members: Tensor | None = None
    least: float = -1.0
    pixels: Tensor | None = None
    caption_is_composed: bool = False
    captions: Callable[[int], list[str]] | None = None
    sight: Sight | None = None

    @property
    def features(self) -> Tensor:
        """The image's embedding, float32 [D], unit length."""
        return self.rankings.features[self.image]

    def table(self, name: str) -> LabelTable:
        return self.rankings.tables.open(name)

    def takes(self, table: str) -> bool:
        """Return whether a table takes part."""
        return table not in self.rankings.tables.off and (self.styles or table not in STYLE_TABLES)

    def allows(self, text: str) -> bool:
        """Return whether a text holds nothing that is avoided."""
        return self.rankings.tables.avoided.allows(text)

    def fits(self, text: str) -> bool:
        """Return whether a prompt is as short as the encoder and the settings want it."""
        wished = self.settings
        short = len(text) <= (wished.max_characters or len(text)) and (
            wished.max_words is None or len(text.split()) <= wished.max_words
        )
        return short and self.encoder.fits(text, wished.max_tokens)

    @property
    def room(self) -> str:
        """How long a prompt may be, for people."""
        wished = self.settings
        limits = {"words": wished.max_words, "characters": wished.max_characters}
        told = [f"{most} {what}" for what, most in limits.items() if most is not None]
        return ", ".join([f"{wished.max_tokens or self.encoder.context_length} tokens", *told])

    def opening(self, caption: str) -> list[Phrase]:
        """Return what a prompt begins with: trigger, caption, and the required words that it does not have."""
        return list(opening(caption, self.settings.trigger, self.settings.require, self.fits))

    def best(self, table: str, count: int = 1, *, reverse: bool = False) -> list[RankedLabel]:
        """Return the best labels of one table, best first; the least similar with `reverse`."""
        return self.best_together([table], count, reverse=reverse)

    def best_together(self, tables: Sequence[str], count: int, *, reverse: bool = False) -> list[RankedLabel]:
        """Return the best labels of several tables together, without those that take no part."""
        listed = self.settings.top_labels
        found = []
        for table in tables:
            if self.takes(table):
                ranked = self.rankings.best(self.image, table, max(count, listed), reverse=reverse)
                self.ranked[table] = tuple(ranked[:listed])
                found.append(ranked[:count])
        return best_of(found, count, reverse=reverse)

    def spread(self, table: str) -> tuple[float, float]:
        """Return mean and standard deviation of the image's cosines with the whole built-in list of a table."""
        return self.rankings.resources.spread(table, self.features)

    def nearest(self, count: int) -> list[RankedLabel]:
        """Return the whole prompts of the collection that are nearest to the image, nearest first."""
        listed = self.settings.top_labels
        found = self.rankings.nearest(self.image, max(count, listed))
        self.ranked[COLLECTION] = tuple(found[:listed])
        return found[:count]

    def similarities(self, texts: Sequence[str]) -> list[float]:
        """Return the cosine of each text and the image, in [-1, 1]."""
        return measure([self], [texts])[0]


def measure(
    queries: Sequence[ImageQuery], texts: Sequence[Sequence[str]], embed: Embed | None = None
) -> list[list[float]]:
    """Return for each image of a batch the cosines of its texts, in [-1, 1]; all by one pass of the encoder."""
    once = {text: row for row, text in enumerate(dict.fromkeys(text for some in texts for text in some))}
    if not once:
        return [[] for _ in texts]
    embeddings = (embed or queries[0].encoder.encode_text)(list(once))
    features = torch.stack([query.features for query, some in zip(queries, texts, strict=True) for _ in some])
    rows = torch.tensor([once[text] for some in texts for text in some], device=embeddings.device)
    cosines = iter((embeddings[rows] * features).sum(-1).tolist())
    return [[next(cosines) for _ in some] for some in texts]

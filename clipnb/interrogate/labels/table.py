"""Label tables: short texts and their embeddings under one encoder, and which of them suit a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from clipnb.files import cache_folder
from clipnb.interrogate.labels.cache import TableCache
from clipnb.progress import progress_bar

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder

CHUNK_SIZE = 2048
"""Labels embedded at a time; an interrupted table goes on from its last finished chunk."""


class RankedLabel(NamedTuple):
    """A label and how well it suits a picture.

    Attributes:
        label: the text.
        similarity: cosine with the picture, in [-1, 1].
        table: name of the table that it comes from.
    """

    label: str
    similarity: float
    table: str


class LabelTable:
    """A named list of labels and their embeddings, unit length, in half precision.

    Attributes:
        name: of the table, such as "mediums".
        labels: N texts, no two alike.
        embeddings: float16 [N, D] on the CPU, memory-mapped where they come from the cache.
    """

    def __init__(self, name: str, labels: Sequence[str], embeddings: Tensor) -> None:
        self.name = name
        self.labels = tuple(labels)
        self.embeddings = embeddings
        self._single: Tensor | None = None  # float32, on the device that ranked last

    @classmethod
    def build(
        cls,
        name: str,
        labels: Sequence[str],
        encoder: DualEncoder,
        *,
        folder: Path | None = None,
        chunk_size: int = CHUNK_SIZE,
        quiet: bool = False,
    ) -> LabelTable:
        """Take a table from the cache, or embed the labels and keep them there.

        Args:
            name: of the table.
            labels: N texts, no two alike.
            encoder: embeds them; its weights' digest is part of the cache's key.
            folder: where embeddings are kept; clipnb's cache unless given.
            chunk_size: labels embedded at a time.
            quiet: show no bar while embedding.

        Returns:
            The table. Its embeddings are rounded to half precision whether they were cached or not.
        """
        cache = TableCache.of(folder or cache_folder("labels"), name, labels, encoder)
        embeddings = cache.load((len(labels), encoder.dim))
        if embeddings is None:
            with progress_bar(f"Embedding {name}", "label", quiet=quiet) as report:
                embeddings = cache.build(labels, encoder, chunk_size, report)
        return cls(name, labels, embeddings)

    def __len__(self) -> int:
        return len(self.labels)

    def rank(self, image_features: Tensor, top_count: int = 1, *, reverse: bool = False) -> list[list[RankedLabel]]:
        """Find the labels that suit each picture best: exact, one matrix product over the whole table.

        Args:
            image_features: float [B, D], unit length.
            top_count: how many labels a picture; all of them where the table is shorter.
            reverse: find the least similar ones instead, least similar first.

        Returns:
            For each picture its labels, best first (least similar first with `reverse`); equals in the table's order.
        """
        similarities = image_features.float() @ self._matrix(image_features.device).T
        chosen = similarities.topk(min(top_count, len(self)), dim=-1, largest=not reverse).indices.sort().values
        values, order = similarities.gather(-1, chosen).sort(dim=-1, descending=not reverse, stable=True)
        pairs = zip(chosen.gather(-1, order).tolist(), values.tolist(), strict=True)
        return [[RankedLabel(self.labels[i], value, self.name) for i, value in zip(*row, strict=True)] for row in pairs]

    def _matrix(self, device: torch.device) -> Tensor:
        if self._single is None or self._single.device != device:
            self._single = self.embeddings.to(device).float()
        return self._single


def best_of(rankings: Iterable[Sequence[RankedLabel]], top_count: int, *, reverse: bool = False) -> list[RankedLabel]:
    """Find the best labels of several tables together, each text once.

    Args:
        rankings: the best labels of each table for one picture, as `LabelTable.rank` gives them.
        top_count: how many labels at most.
        reverse: find the least similar ones instead.

    Returns:
        Labels, best first (least similar first with `reverse`).
    """
    found = [ranked for ranking in rankings for ranked in ranking]
    found.sort(key=lambda ranked: ranked.similarity, reverse=not reverse)
    once: dict[str, RankedLabel] = {}
    for ranked in found:
        once.setdefault(ranked.label, ranked)
    return list(once.values())[:top_count]

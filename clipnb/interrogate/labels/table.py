"""Label tables: short texts and their embeddings under one encoder, and which of them suit an image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from clipnb.files import cache_folder
from clipnb.interrogate.labels.cache import TableCache
from clipnb.interrogate.labels.word_lists import builtin_labels, table_labels
from clipnb.interrogate.settings import Settings
from clipnb.progress import progress_bar

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder

CHUNK_SIZE = 2048
"""Labels embedded at a time; an interrupted table goes on from its last finished chunk."""


class RankedLabel(NamedTuple):
    """A label and how well it suits an image.

    Attributes:
        label: the text.
        similarity: cosine with the image, in [-1, 1].
        table: name of its table.
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
        """Load a table from the cache, or embed the labels and write them there.

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
        """Rank the labels by their similarity to each image: exact, one matrix product over the whole table.

        Args:
            image_features: float [B, D], unit length.
            top_count: how many labels per image; all of them where the table is shorter.
            reverse: the least similar ones instead, least similar first.

        Returns:
            For each image its labels, best first (least similar first with `reverse`); equals in the table's order.
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
    """Merge the rankings of several tables for one image, each text once; least similar first with `reverse`."""
    found = [ranked for ranking in rankings for ranked in ranking]
    found.sort(key=lambda ranked: ranked.similarity, reverse=not reverse)
    once: dict[str, RankedLabel] = {}
    for ranked in found:
        once.setdefault(ranked.label, ranked)
    return list(once.values())[:top_count]


class Tables:
    """The user's own lists, else the built-in ones; as tables under one encoder when they are needed."""

    def __init__(self, own: Mapping[str, Sequence[str]], encoder: DualEncoder, settings: Settings) -> None:
        self._own, self._encoder, self._settings = own, encoder, settings
        self._labels: dict[str, tuple[str, ...]] = {}
        self._opened: dict[str, LabelTable] = {}

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the labels of one of `TABLES`, in the forms that they take in a prompt."""
        if name not in self._labels:
            self._labels[name] = table_labels(name, self._own.get(name) or builtin_labels(name))
        return self._labels[name]

    def open(self, name: str) -> LabelTable:
        """Return one of `TABLES`; embedded, or loaded from the cache, the first time."""
        if name not in self._opened:
            self._opened[name] = LabelTable.build(
                name,
                self.labels(name),
                self._encoder,
                folder=Path(self._settings.cache_path) if self._settings.cache_path else None,
                chunk_size=self._settings.chunk_size,
                quiet=self._settings.quiet,
            )
        return self._opened[name]

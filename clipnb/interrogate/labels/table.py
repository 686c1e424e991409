"""Label tables: short texts and their embeddings under one encoder, and which of them suit an image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.files import cache_folder
from clipnb.interrogate.labels.avoided import Avoided
from clipnb.interrogate.labels.cache import TableCache
from clipnb.interrogate.labels.word_lists import TABLES, builtin_labels, known_table, table_labels
from clipnb.interrogate.settings import Settings, SettingsError
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
        certainty: that the image shows it, in [0, 1]; None where the encoder has no calibration.
    """

    label: str
    similarity: float
    table: str
    certainty: float | None = None


class LabelTable:
    """A named list of labels and their embeddings, unit length, in half precision.

    Attributes:
        name: of the table, such as "mediums".
        labels: N texts, no two alike.
        embeddings: float16 [N, D] on the CPU, memory-mapped where they come from the cache.
    """

    def __init__(self, name: str, labels: Sequence[str], embeddings: Tensor) -> None:
        """Use embeddings that are there; `build` makes them.

        Raises:
            SettingsError: the arguments are those of clip-interrogator's tables: labels, name, interrogator.
        """
        if not isinstance(name, str):
            raise SettingsError(
                "a LabelTable is a name, labels and their embeddings; make one by LabelTable.build(name, labels, "
                "encoder), rank a list by interrogator.rank(image, labels), or use clipnb.compat.clip_interrogator"
            )
        self.name = name
        self.labels = tuple(labels)
        self.embeddings = embeddings
        self._single: Tensor | None = None  # float32, on the device that ranked last
        self._rows: dict[str, int] = {}
        self._centre: Tensor | None = None

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

    def where(self, accept: Callable[[str], bool]) -> LabelTable:
        """Return a table of the labels that are accepted, in their order."""
        rows = [row for row, label in enumerate(self.labels) if accept(label)]
        return LabelTable(self.name, [self.labels[row] for row in rows], self.embeddings[rows])

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

    def directions(self, labels: Sequence[str]) -> Tensor:
        """Return what sets some of its labels apart from the rest: less the mean; float32 [n, D], unit length, CPU."""
        if self._centre is None:
            self._centre = self.embeddings.float().mean(0) if len(self) > 1 else torch.zeros(())
        rows = torch.stack([self.embedding(label) for label in labels]).float()
        return F.normalize(rows - self._centre, dim=-1)

    def embedding(self, label: str) -> Tensor:
        """Return the embedding of one of its labels, float16 [D] on the CPU."""
        if not self._rows:
            self._rows = {label: row for row, label in enumerate(self.labels)}
        return self.embeddings[self._rows[label]]

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
    """The user's own lists, else the built-in ones; as tables under one encoder when they are needed.

    Attributes:
        off: names of the tables that take no part: `settings.without`, and those whose list is empty.
        avoided: what no label may contain.
    """

    def __init__(self, own: Mapping[str, Sequence[str]], encoder: DualEncoder, settings: Settings) -> None:
        """Check what the settings leave out.

        Raises:
            LabelsError: there is no such table, or a file of words cannot be read.
            SettingsError: something that is avoided holds no word.
        """
        self._own, self._encoder, self._settings = own, encoder, settings
        self.off = {known_table(name) for name in settings.without} | {name for name in own if not own[name]}
        self.avoided = Avoided.of(settings.avoid, lambda name: {*self._listed(name), *builtin_labels(name)})
        self._labels: dict[str, tuple[str, ...]] = {}
        self._opened: dict[str, LabelTable] = {}

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the labels of one of `TABLES` that take part, in the forms that they take in a prompt."""
        if name in self.off:
            return ()
        return tuple(filter(self.avoided.allows, self._forms(name))) if self.avoided else self._forms(name)

    def open(self, name: str) -> LabelTable:
        """Return one of `TABLES`; embedded, or loaded from the cache, the first time."""
        if name not in self._opened:
            self._opened[name] = self._load(name)
        return self._opened[name]

    def left_out(self, names: Iterable[str]) -> str:
        """Say how many labels of some tables are avoided; "" where none is."""
        counts = {name: (len(self._forms(name)), len(self.open(name))) for name in names if name in TABLES}
        told = [f"{whole - left:,} of {whole:,} {name}" for name, (whole, left) in counts.items() if left < whole]
        return ", ".join(told)

    def _load(self, name: str) -> LabelTable:
        if name in self.off:
            return LabelTable(name, (), torch.empty(0, self._encoder.dim, dtype=torch.float16))
        whole = LabelTable.build(  # of all labels: one cache, whatever is avoided
            name,
            self._forms(name),
            self._encoder,
            folder=Path(self._settings.cache_path) if self._settings.cache_path else None,
            chunk_size=self._settings.chunk_size,
            quiet=self._settings.quiet,
        )
        return whole.where(self.avoided.allows) if self.avoided else whole

    def _forms(self, name: str) -> tuple[str, ...]:
        if name not in self._labels:
            self._labels[name] = table_labels(name, self._listed(name))
        return self._labels[name]

    def _listed(self, name: str) -> Sequence[str]:
        return self._own.get(name) or builtin_labels(name)

"""The label tables that an interrogator ranks: whose lists they are, and when they are opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clipnb.interrogate.labels.table import LabelTable
from clipnb.interrogate.labels.word_lists import builtin_labels, table_labels
from clipnb.interrogate.settings import Settings

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder


class Tables:
    """The user's own lists, else the built-in ones; as tables under one encoder when they are needed."""

    def __init__(self, own: Mapping[str, Sequence[str]], encoder: DualEncoder, settings: Settings) -> None:
        """Take what is needed; nothing is embedded yet.

        Args:
            own: the user's lists by the names of their tables, as `load_labels` gives them.
            encoder: embeds labels.
            settings: where embeddings are kept, how many are made at a time, and whether a bar shows it.
        """
        self._own, self._encoder, self._settings = own, encoder, settings
        self._labels: dict[str, tuple[str, ...]] = {}
        self._opened: dict[str, LabelTable] = {}

    def labels(self, name: str) -> tuple[str, ...]:
        """Give the labels of a table, in the forms that they take in a prompt.

        Args:
            name: one of `TABLES`.

        Raises:
            LabelsError: there is no such table.
        """
        if name not in self._labels:
            self._labels[name] = table_labels(name, self._own.get(name) or builtin_labels(name))
        return self._labels[name]

    def open(self, name: str) -> LabelTable:
        """Give a table; embedded, or taken from the cache, the first time.

        Args:
            name: one of `TABLES`.

        Raises:
            LabelsError: there is no such table.
        """
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

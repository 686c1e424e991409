"""What some modes need beyond an encoder and label tables: opened when the first image needs it, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from clipnb.interrogate.labels.collection import Collection
from clipnb.interrogate.labels.table import LabelTable
from clipnb.interrogate.labels.word_lists import builtin_labels, table_labels
from clipnb.interrogate.settings import Settings, SettingsError
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.models.sentences import SentenceEncoder, load_sentence_encoder

_LEAST_VARIANCE = 1e-12  # of cosines
_MOST_REMEMBERED = 65_536  # sentences; 96 MiB of embeddings of 384 floats


class Resources:
    """A collection of prompts and a second encoder, as the settings say; a sentence encoder; how cosines spread."""

    def __init__(self, encoder: DualEncoder, settings: Settings, sentences: SentenceEncoder | None = None) -> None:
        self._encoder, self._settings, self._given = encoder, settings, sentences
        self._embedded: dict[str, Tensor] = {}
        self._spreads: dict[str, tuple[Tensor, Tensor]] = {}

    @cached_property
    def collection(self) -> Collection:
        """The prompts to choose from; raises `PromptsError` where they cannot be read."""
        settings = self._settings
        return Collection.open(
            settings.collection,
            self._encoder,
            column=settings.collection_column,
            folder=Path(settings.cache_path) if settings.cache_path else None,
            quiet=settings.quiet,
        )

    def spread(self, table: str, features: Tensor) -> tuple[float, float]:
        """Return mean and standard deviation of an image's [D] cosines with the whole built-in list of a table."""
        if table not in self._spreads:
            settings = self._settings
            embeddings = LabelTable.build(
                table,
                table_labels(table, builtin_labels(table)),
                self._encoder,
                folder=Path(settings.cache_path) if settings.cache_path else None,
                chunk_size=settings.chunk_size,
                quiet=settings.quiet,
            ).embeddings.float()
            self._spreads[table] = embeddings.mean(0), torch.cov(embeddings.T)
        mean, covariance = self._spreads[table]
        own = features.cpu().float()
        return float(mean @ own), max(float(own @ covariance @ own), _LEAST_VARIANCE) ** 0.5

    @cached_property
    def second(self) -> DualEncoder | None:
        """The second encoder; None where none is named."""
        name = self._settings.second_model_name
        if name is None:
            return None
        second = load_model(name, self._settings.device, self._settings.precision)
        if second.digest == self._encoder.digest:
            raise SettingsError(f"second_model_name is {name}, the encoder itself, which can only agree; name another")
        return second

    @cached_property
    def sentences(self) -> SentenceEncoder:
        """The encoder whose embeddings a competition compares; all-MiniLM-L6-v2 unless another was given."""
        return self._given or load_sentence_encoder(device=self._encoder.device)

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Embed sentences that come again, image after image; float32 [N, E] on the CPU, unit length."""
        new = [text for text in dict.fromkeys(texts) if text not in self._embedded]
        if len(self._embedded) + len(new) > _MOST_REMEMBERED:
            self._embedded.clear()
            new = list(dict.fromkeys(texts))
        self._embedded |= {text: row.clone() for text, row in zip(new, self.sentences.embed(new), strict=True)}
        return torch.stack([self._embedded[text] for text in texts])
